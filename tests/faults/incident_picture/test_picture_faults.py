"""Every outside call of `incident_picture` fails in every way: there is one picture in the thread, or a dead letter.

The message above it is never touched.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import httpx
import pytest
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.secretsmanager.models import secretsmanager_backends

from governor.clock import format_instant
from governor.events import Event
from governor.ledger import Put
from governor.ledger.dynamodb import DynamoLedger
from governor.policy import Policy
from incident_picture import handler
from sandbox.slack import SlackSimulator
from tests.doubles.tables import create_tables
from tests.faults.clients import client
from tests.faults.harness import Accident, Fault, InProcess, Killed, Wire, accidents, case
from tests.faults.slack_wire import cross
from tests.unit.incident_picture.conftest import disabled, runaway

CHANNEL, REGION, KEY = "C0GOVERNOR", "us-east-1", "runaway#prod-search-agent"
VISIBILITY = timedelta(seconds=360)
RECEIVES = 5
RECORD = {"messageId": "m1", "body": json.dumps({"incident": KEY})}


@dataclass
class World:
    """A ledger with an incident whose thread is in Slack, and the queue."""

    wire: Wire
    slack: SlackSimulator
    now: datetime = datetime(2026, 11, 21, 3, 2, tzinfo=UTC)
    thread: str = ""
    queue: int = 0
    dead: int = 0
    answers: list[Any] = field(default_factory=list)

    def told(self, *steps: Event) -> None:
        """The notifier has told these, and asks for a picture."""
        ledger = DynamoLedger(client("dynamodb"), "ledger")
        row = ledger.get(f"incident#{KEY}", "incident")
        envelopes = [
            {"detail-type": one.detail_type.value, "id": one.id, "time": format_instant(one.occurred_at),
             "detail": one.detail()}
            for one in steps
        ]  # fmt: skip
        incident = {"key": KEY, "generation": 1, "steps": envelopes, "ts": self.thread}
        ledger.commit(Put(f"incident#{KEY}", "incident", {"incident": incident}, row.version if row else 0))
        self.queue += 1

    def receive(self, *planned: Accident) -> bool:
        """One delivery; whether the message is done."""
        self.wire.begin(*planned)
        try:
            done = not handler.lambda_handler({"Records": [RECORD]}, None)["batchItemFailures"]
        except Killed:
            done = False
            handler.build.cache_clear()
        self.now += VISIBILITY
        return done

    def drain(self, *planned: Accident, lasting: int = 1) -> None:
        """Deliver each message as the queue does, five times at most; the first `lasting` meet the accidents."""
        for _ in range(self.queue):
            for delivery in range(RECEIVES):
                if self.receive(*(planned if delivery < lasting else ())):
                    break
            else:
                self.dead += 1
        self.queue = 0

    @property
    def replies(self) -> list[dict[str, Any]]:
        (parent,) = self.slack.messages(CHANNEL)
        return list(parent["replies"])


@pytest.fixture
def worlds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], World]]:
    policy = Policy.model_validate({"version": 1, "alerts": {"channel": CHANNEL}})
    wire, current, transports, ending = Wire(), list[World](), list[InProcess](), ExitStack()

    def make() -> World:
        wire.begin()
        for backends in (dynamodb_backends, secretsmanager_backends):
            for backend in backends[DEFAULT_ACCOUNT_ID].values():
                backend.reset()
        slack = SlackSimulator("xoxb-fake", clock=lambda: current[-1].now)
        transports.append(InProcess(slack.app))
        ending.callback(transports[-1].dispose)
        current.append(World(wire, slack))
        create_tables(client("dynamodb"), "ledger")
        client("secretsmanager").create_secret(Name="slack", SecretString='{"bot_token": "xoxb-fake"}')
        channel = slack.channel(CHANNEL)
        message = {"text": "🔴 prod-search-agent is running away"}
        current[-1].thread = slack.workspace.say(channel, message, thread_ts=None, broadcast=False)["ts"]
        handler.build.cache_clear()
        return current[-1]

    monkeypatch.setattr(Policy, "load", lambda: policy)
    monkeypatch.setattr(handler, "utc_now", lambda: current[-1].now)
    # What is drawn is tested beside; here it is only bytes, and Slack's pauses take no time.
    monkeypatch.setattr(handler, "draw", lambda _plot: b"\x89PNG\r\n\x1a\n")
    monkeypatch.setattr(handler, "sleep", lambda _seconds: None)
    for name, value in (("TABLE_NAME", "ledger"), ("SLACK_SECRET", "slack")):
        monkeypatch.setenv(name, value)

    def urlopen(request: Any, **_: Any) -> Any:
        return cross(wire, transports[-1], request)

    with (
        ending,
        mock_aws(),
        wire.connected(httpx.MockTransport(_nobody)),
        mock.patch("slack_sdk.web.base_client.urlopen", urlopen),
        mock.patch("slack_sdk.web.internal_utils.urlopen", urlopen),
    ):
        yield make
    handler.build.cache_clear()


def _nobody(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"incident_picture called {request.url}")


def _calls(worlds: Callable[[], World]) -> list[str]:
    world = worlds()
    world.told(runaway())
    assert world.receive()
    return list(world.wire.calls)


@pytest.mark.parametrize("fault", Fault)
def test_whatever_call_fails_there_is_one_picture_at_last(
    worlds: Callable[[], World], counted: list[str], fault: Fault
) -> None:
    for accident in accidents(_calls(worlds), [fault]):
        with case(counted, accident):
            world = worlds()
            world.told(runaway())
            world.drain(accident, lasting=RECEIVES - 1 if accident.lasting else 1)
            (reply,) = world.replies
            assert reply["metadata"]["event_payload"]["part"] == "picture"
            assert world.dead == 0


@pytest.mark.parametrize("fault", Fault)
def test_whatever_fails_at_an_update_the_one_picture_shows_the_news(
    worlds: Callable[[], World], counted: list[str], fault: Fault
) -> None:
    for accident in accidents(_calls(worlds), [fault]):
        with case(counted, accident):
            world = worlds()
            world.told(runaway())
            world.drain()
            world.told(runaway(), disabled())
            world.drain(accident, lasting=RECEIVES - 1 if accident.lasting else 1)
            (reply,) = world.replies
            assert "disabled 03:01" in reply["blocks"][0]["alt_text"]


def test_beside_itself_at_every_call_there_is_one_picture(worlds: Callable[[], World], counted: list[str]) -> None:
    for at, name in enumerate(_calls(worlds)):
        with case(counted, f"beside call {at} ({name})"):
            world = worlds()
            world.told(runaway())
            world.wire.begin()
            with world.wire.beside(lambda: handler.lambda_handler({"Records": [RECORD]}, None), at):
                world.receive()
            world.drain()
            assert len(world.replies) == 1


def test_a_message_that_comes_late_draws_what_is_known_by_then(worlds: Callable[[], World]) -> None:
    world = worlds()
    world.told(runaway())
    world.told(runaway(), disabled())
    world.now += timedelta(days=2)
    world.drain()
    (reply,) = world.replies
    assert "disabled 03:01" in reply["text"]
    assert len(world.slack.workspace.files) == 1, "the second message finds it shown"


def test_a_thread_that_was_deleted_gets_no_picture_and_no_dead_letter(worlds: Callable[[], World]) -> None:
    world = worlds()
    world.told(runaway())
    world.slack.channel(CHANNEL).messages.clear()
    world.drain()
    assert (world.slack.messages(CHANNEL), world.dead) == ([], 0)


def test_what_slack_refuses_ends_in_the_dead_letters_and_the_message_stands(worlds: Callable[[], World]) -> None:
    world = worlds()
    world.slack.fault("files.getUploadURLExternal", "refused", error="missing_scope", times=0)
    world.told(runaway())
    world.drain()
    assert (world.replies, world.dead) == ([], 1)
    assert world.slack.messages(CHANNEL)[0]["text"] == "🔴 prod-search-agent is running away"
