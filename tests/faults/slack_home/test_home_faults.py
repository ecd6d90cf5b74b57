"""Every outside call of `slack_home` fails in every way: at last the Home shows what the rows say."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import httpx
import pytest
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.secretsmanager.models import secretsmanager_backends

from governor.keys.causes import CauseRow, CauseStore
from governor.ledger.dynamodb import DynamoLedger
from governor.policy import Policy
from governor.slack.requests import SlackRequest
from sandbox.slack import SlackSimulator
from slack_home import handler
from tests.doubles.tables import create_tables
from tests.faults.clients import client
from tests.faults.harness import Accident, Fault, InProcess, Killed, Wire, accidents, case
from tests.faults.slack_wire import cross

REGION, USER = "us-east-1", "U0SEARCH"
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
OPENED = SlackRequest("id", 1, "home", USER, "T0SANDBOX", "T0SANDBOX").encode()
HAPPENED = json.dumps(
    {
        "detail-type": "Key Disabled",
        "id": "e",
        "time": "2026-11-21T08:00:00Z",
        "detail": {"subject": "prod-search-agent"},
    }
)


@dataclass
class World:
    """A ledger, a workspace with an app, and the queue."""

    wire: Wire
    slack: SlackSimulator
    now: datetime = NOW

    @property
    def ledger(self) -> DynamoLedger:
        return DynamoLedger(client("dynamodb"), "ledger")

    def disabled(self) -> None:
        self.wire.begin()
        row = CauseRow("prod-search-agent", "runaway", "disabled", "t", ("a" * 64,), NOW)
        CauseStore(self.ledger).write(row)

    def receive(self, body: str, *planned: Accident) -> bool:
        """One delivery; whether the message is done."""
        self.wire.begin(*planned)
        try:
            answer = handler.lambda_handler({"Records": [{"messageId": "m", "body": body}]}, None)
            done = not answer["batchItemFailures"]
        except Killed:
            done = False
            handler.build.cache_clear()
        self.now += timedelta(minutes=6)
        return done

    def drain(self, body: str, *planned: Accident, lasting: int = 1) -> None:
        assert any(self.receive(body, *(planned if n < lasting else ())) for n in range(5)), "ended in the dead letters"


@pytest.fixture
def worlds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], World]]:
    search = {"name": "prod-search-agent", "workspace": "prod", "owner": {"slack": USER}}
    policy = Policy.model_validate({"version": 1, "workloads": [search]})
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
        create_tables(client("dynamodb"), "ledger", "decisions")
        client("secretsmanager").create_secret(Name="slack", SecretString='{"bot_token": "xoxb-fake"}')
        handler.build.cache_clear()
        return current[-1]

    monkeypatch.setattr(Policy, "load", lambda: policy)
    monkeypatch.setattr(handler, "utc_now", lambda: current[-1].now)
    for name, value in (("TABLE_NAME", "ledger"), ("DECISIONS_TABLE_NAME", "decisions"), ("SLACK_SECRET", "slack")):
        monkeypatch.setenv(name, value)

    def urlopen(request: Any, **_: Any) -> Any:
        return cross(wire, transports[-1], request)

    with (
        ending,
        mock_aws(),
        wire.connected(httpx.MockTransport(_nobody)),
        mock.patch("slack_sdk.web.base_client.urlopen", urlopen),
    ):
        yield make
    handler.build.cache_clear()


def _nobody(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"slack_home called {request.url}")


def _is_disabled(world: World) -> bool:
    return any("*prod-search-agent* is disabled" in text for text in world.slack.home(USER))


@pytest.mark.parametrize("fault", Fault)
def test_whatever_fails_when_it_is_opened_it_shows_at_last_what_the_rows_say(
    worlds: Callable[[], World], counted: list[str], fault: Fault
) -> None:
    world = worlds()
    calls = world.wire.calls_of(lambda: world.receive(OPENED))
    for accident in accidents(list(calls), [fault]):
        with case(counted, accident):
            world = worlds()
            world.disabled()
            world.drain(OPENED, accident, lasting=4 if accident.lasting else 1)
            assert _is_disabled(world)


@pytest.mark.parametrize("fault", Fault)
def test_whatever_fails_after_an_event_the_home_changes_at_last(
    worlds: Callable[[], World], counted: list[str], fault: Fault
) -> None:
    world = worlds()
    world.receive(OPENED)
    handler.build.cache_clear()
    world.receive(HAPPENED)
    for accident in accidents(list(world.wire.calls), [fault]):
        with case(counted, accident):
            world = worlds()
            world.drain(OPENED)
            assert not _is_disabled(world)
            handler.build.cache_clear()
            world.disabled()
            world.drain(HAPPENED, accident, lasting=4 if accident.lasting else 1)
            assert _is_disabled(world)


def test_beside_itself_at_every_call_the_newest_stays(worlds: Callable[[], World], counted: list[str]) -> None:
    world = worlds()
    world.receive(OPENED)
    world.receive(HAPPENED)
    for at, name in enumerate(list(world.wire.calls)):
        with case(counted, f"beside call {at} ({name})"):
            world = worlds()
            world.drain(OPENED)

            def newer(world: World = world) -> None:
                world.disabled()
                handler.lambda_handler({"Records": [{"messageId": "n", "body": HAPPENED}]}, None)

            world.wire.begin()
            with world.wire.beside(newer, at):
                world.receive(HAPPENED)
            assert _is_disabled(world)
