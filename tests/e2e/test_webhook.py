"""The built stack sends its events, signed, to a receiver that verifies them as the specification says."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from sandbox.on_call import Receiver
from sandbox.on_call.receiver import SIGNING_SECRET, TENANT
from sandbox.scenario.organization import SEARCH
from sandbox.scenario.world import World, open_world

MINUTES = timedelta(minutes=1)
SECRET = "governor/webhook"
NEXT_SECRET = "whsec_" + base64.b64encode(b"next" * 8).decode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().serve() as serving:
        yield serving


@pytest.fixture
def world(tmp_path: Path, receiver: Receiver) -> Iterator[World]:
    only = {name: value for name, value in receiver.parameters.items() if name.startswith("Webhook")}
    with open_world(tmp_path, only, own_secrets={SECRET: receiver.secrets[SECRET]}) as opened:
        yield opened


def _ids(events: list[dict[str, dict[str, str]]]) -> list[str]:
    return [event["detail"]["id"] for event in events]


def _again(receiver: Receiver, headers: dict[str, str], text: str) -> int:
    """Somebody who saw a request sends it."""
    with httpx.Client() as client:
        return client.post(receiver.parameters["WebhookUrl"], headers=headers, content=text.encode()).status_code


def test_events_are_signed_and_a_replayed_or_changed_one_is_refused(world: World, receiver: Receiver) -> None:
    world.run(world.now + 2 * MINUTES)
    world.loop(SEARCH, 500)
    assert world.run_while(lambda: not world.events("Key Disabled"), at_most=20 * MINUTES)
    world.end_loop(SEARCH)
    world.run(world.now + MINUTES)
    assert sorted(_ids(receiver.events)) == sorted(_ids(world.events())), "each, and once"
    assert receiver.refused == []
    assert {headers["webhook-id"] for _, headers, _ in receiver.posts} == {*_ids(world.events())}

    done = len(receiver.events)
    _, sent, text = receiver.posts[-1]
    signed = {name: sent[name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature", "content-type")}
    assert _again(receiver, signed, text) == 202, "a repeat within the tolerance is known by its id"
    for changed, body in (
        (signed, text.replace(SEARCH, "prod-another")),
        (signed, f"{text} "),
        ({**signed, "webhook-id": "0f" * 16}, text),
        ({**signed, "webhook-timestamp": f"{int(signed['webhook-timestamp']) + 1}"}, text),
        ({**signed, "webhook-signature": "v1," + base64.b64encode(b"x" * 32).decode()}, text),
        ({name: value for name, value in signed.items() if name != "webhook-signature"}, text),
    ):
        assert _again(receiver, changed, body) == 400
    world.run(world.now + 6 * MINUTES)
    assert _again(receiver, signed, text) == 400, "too old"
    assert len([one for one in receiver.events if one["detail"]["id"] == sent["webhook-id"]]) == 1
    assert len(receiver.events) == done, "nothing was done again"

    log = world.engine.logs("WebhookSenderFunction")
    assert '"message":"sent"' in log
    assert not [word for word in ("whsec", SIGNING_SECRET.removeprefix("whsec_"), TENANT) if word in log]
    assert world.engine.dead_letters() == []


def test_an_outage_is_outlasted_a_secret_rotated_and_what_nobody_took_is_kept(world: World, receiver: Receiver) -> None:
    def happens() -> str:
        """Governor says something; its id."""
        before = len(world.events())
        request = {"subject": SEARCH, "evidence": {"cause": "runaway", "requested_by": "U0LEAD"}}
        world.put_event("Restore Requested", request)  # of a key that is not disabled: Restore Refused
        assert world.run_while(lambda: len(world.events()) == before, at_most=5 * MINUTES)
        return _ids(world.events())[-1]

    receiver.answers = [503, 429, 302]
    first = happens()
    assert world.run_while(lambda: first not in _ids(receiver.events), at_most=15 * MINUTES)
    attempts = [headers for _, headers, _ in receiver.posts if headers["webhook-id"] == first]
    assert len(attempts) == 4
    assert len({headers["webhook-timestamp"] for headers in attempts}) == 4

    secrets = world.engine.client("secretsmanager")
    both = json.dumps({"secret": NEXT_SECRET, "previous": SIGNING_SECRET})
    secrets.put_secret_value(SecretId=SECRET, SecretString=both)
    world.run(world.now + 6 * MINUTES)
    second = happens()
    world.run(world.now + MINUTES)
    receiver.signed.secrets = [NEXT_SECRET]
    third = happens()
    world.run(world.now + MINUTES)
    assert {second, third} <= {*_ids(receiver.events)}
    assert receiver.posts[-1][1]["webhook-signature"].count("v1,") == 2
    assert receiver.refused == []

    receiver.answers = [410] * 1000
    fourth = happens()
    world.run(world.now + 70 * MINUTES)
    graves = [letter for letter in world.engine.dead_letters() if letter.queue == "WebhookDeadLetters"]
    assert fourth in _ids([letter.body for letter in graves]), "as it is, to be sent again"
    assert "it wants no more" in world.engine.logs("WebhookSenderFunction")
