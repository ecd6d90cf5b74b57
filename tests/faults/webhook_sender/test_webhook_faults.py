"""Every outside call of `webhook_sender` fails in every way: its receiver does each event once, or it is buried."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.secretsmanager.models import secretsmanager_backends

from sandbox.on_call import Receiver
from sandbox.on_call.receiver import SIGNING_SECRET, TENANT
from sandbox.on_call.signed import Signed
from tests.faults.clients import client
from tests.faults.harness import Accident, Ended, Fault, Wire, accidents, case, invoke
from webhook_sender import handler

REGION = "us-east-1"
NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)
RECEIVES = 20
"""The queue's maxReceiveCount."""
VISIBILITY = timedelta(seconds=180)
(RECORD,) = json.loads((Path(__file__).parents[3] / "events" / "webhook_sender" / "happened.json").read_text())[
    "Records"
]
ID = json.loads(RECORD["body"])["detail"]["id"]


@dataclass
class World:
    """A receiver, the secret, and the queue that delivers again until its last."""

    wire: Wire
    receiver: Receiver = field(default_factory=Receiver)
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.receiver.signed = Signed([SIGNING_SECRET], lambda: self.now)

    def receive(self, *planned: Accident) -> Ended:
        """One delivery of the message."""
        ended = invoke(self.wire, lambda: handler.lambda_handler({"Records": [RECORD]}, None), *planned)
        if ended == Ended.KILLED:
            handler.build.cache_clear()
        return ended

    def drain(self, *planned: Accident, lasting: int = 1) -> int:
        """Deliveries until it is done; the accidents befall the first `lasting` of them."""
        for n in range(RECEIVES):
            if self.receive(*(planned if n < lasting else ())) == Ended.DONE:
                return n + 1
            self.now += VISIBILITY
        raise AssertionError("ended in the dead letters")

    @property
    def done(self) -> list[str]:
        """Ids of the events that the receiver did, each as often as it did it."""
        return [event["detail"]["id"] for event in self.receiver.events]


@pytest.fixture
def worlds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], World]]:
    wire, current = Wire(), list[World]()

    def make(secret: str | None = json.dumps({"secret": SIGNING_SECRET})) -> World:
        wire.begin()
        for backend in secretsmanager_backends[DEFAULT_ACCOUNT_ID].values():
            backend.reset()
        if secret is not None:
            client("secretsmanager").create_secret(Name="governor/webhook", SecretString=secret)
        handler.build.cache_clear()
        current.append(World(wire))
        return current[-1]

    def take(request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        return httpx.Response(current[-1].receiver.take(path, request.headers, request.read().decode()))

    monkeypatch.setattr(handler, "utc_now", lambda: current[-1].now)
    monkeypatch.setenv("WEBHOOK_SECRET", "governor/webhook")
    monkeypatch.setenv("WEBHOOK_URL", f"https://receiver.example/webhook?tenant={TENANT}")
    with mock_aws(), wire.connected(httpx.MockTransport(take)):
        yield make
    handler.build.cache_clear()


@pytest.mark.parametrize("fault", Fault)
def test_whatever_fails_the_receiver_does_the_event_once(
    worlds: Callable[[], World], counted: list[str], fault: Fault
) -> None:
    world = worlds()
    calls = world.wire.calls_of(world.receive)
    assert [name.partition(".")[2] for name in calls] == ["GetSecretValue", "POST /webhook"]
    for accident in accidents(list(calls), [fault]):
        with case(counted, accident):
            world = worlds()
            world.drain(accident, lasting=4 if accident.lasting else 1)
            assert world.done == [ID]
            assert world.receiver.refused == []
            posts = [headers for _, headers, _ in world.receiver.posts]
            assert {one["webhook-id"] for one in posts} == {ID}
            assert len({one["webhook-timestamp"] for one in posts}) == len(posts), "each attempt has a time of its own"


def test_twice_and_beside_itself_it_is_done_once(worlds: Callable[[], World], counted: list[str]) -> None:
    for at in range(2):
        with case(counted, f"beside call {at}"):
            world = worlds()
            with world.wire.beside(lambda: handler.lambda_handler({"Records": [RECORD]}, None), at):
                assert world.receive() == Ended.DONE
            assert world.receive() == Ended.DONE, "and once more"
            assert (len(world.receiver.posts), world.done) == (3, [ID])


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 408, 410, 413, 429, 500, 502, 503, 504])
def test_a_receiver_that_answers_otherwise_is_asked_again_for_an_hour(worlds: Callable[[], World], status: int) -> None:
    world = worlds()
    world.receiver.answers = [status] * (RECEIVES - 1)
    assert world.drain() == RECEIVES
    assert world.done == [ID]
    world.receiver.answers = [status] * RECEIVES
    with pytest.raises(AssertionError, match="dead letters"):
        world.drain()


@pytest.mark.parametrize(
    "held", [None, "no JSON", "{}", '{"token": "fake"}', '{"secret": "fake"}', '{"secret": "whsec_ZmFrZQ=="}']
)
def test_without_a_secret_nothing_is_posted_and_nothing_is_lost(worlds: Callable[..., Any], held: str | None) -> None:
    world = worlds(held)
    assert world.receive() == Ended.FAILED
    assert world.receiver.posts == []
    secrets = client("secretsmanager")
    mended = json.dumps({"secret": SIGNING_SECRET})
    if held is None:
        secrets.create_secret(Name="governor/webhook", SecretString=mended)
    else:
        secrets.put_secret_value(SecretId="governor/webhook", SecretString=mended)
    handler.build.cache_clear()  # five minutes, or another container
    assert world.receive() == Ended.DONE
    assert world.done == [ID]
