"""The notifier between its queue, table, topic and Slack: moto and the Slack simulator, every call on a wire."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from governor.clock import format_instant
from governor.events import Event
from governor.events.published import partition
from governor.ledger import Put
from governor.ledger.dynamodb import DynamoLedger
from governor.policy import Policy
from notifier import handler, wiring
from notifier.truth import SINCE
from sandbox.slack import SlackSimulator
from tests.doubles.tables import create_tables
from tests.faults.clients import client
from tests.faults.harness import Accident, InProcess, Killed, Wire, context
from tests.faults.slack_wire import cross
from tests.unit.notifier.conftest import store

SAMPLES = Path(__file__).parents[3] / "events" / "notifier"
VISIBILITY = timedelta(seconds=180)
CHANNEL = "C0GOVERNOR"
REGION = "us-east-1"


@dataclass
class World:
    """One account with its Slack workspace, and a queue in front of the notifier."""

    wire: Wire
    slack: SlackSimulator
    topic: str
    now: datetime = datetime(2026, 11, 21, 8, 5, tzinfo=UTC)
    queue: dict[str, dict[str, Any]] = field(default_factory=dict)

    def send(self, *names: str, stored: bool = True) -> None:
        """Put sample events into the queue, each stored before as its publisher does, or not."""
        self.wire.begin()  # an accident is the notifier's, not the publisher's
        for name in names:
            record = json.loads((SAMPLES / f"{name}.json").read_text())["Records"][0]
            if stored:
                store(DynamoLedger(client("dynamodb"), "ledger"), Event.received(_envelope(name)))
            self.queue[record["messageId"]] = {**record, "attributes": {"ApproximateReceiveCount": "0"}}

    def installed_long_ago(self) -> None:
        """No event of today is from before events were stored."""
        ledger = DynamoLedger(client("dynamodb"), "ledger")
        ledger.commit(Put(partition("notifier"), SINCE, {"at": "2025-11-21T08:00:00Z"}))

    @property
    def alarms(self) -> list[str]:
        """Ids of the alarms that were stored to be published."""
        rows = DynamoLedger(client("dynamodb"), "ledger").rows(partition("notifier"))
        return [row.sk for row in rows if row.sk != SINCE]

    def store_what_the_samples_tell(self) -> None:
        """The rows that bear the samples out: the request that is asked, and who expects the spend."""
        ledger = DynamoLedger(client("dynamodb"), "ledger")
        asked = Event.received(_envelope("approval_requested"))
        ledger.commit(
            Put(
                "approval",
                asked.evidence["approval"],
                {**asked.evidence, "subject": asked.subject, "requested_at": format_instant(asked.occurred_at)},
            )
        )
        expected = Event.received(_envelope("runaway_expected"))
        ledger.commit(Put("detector", f"{expected.subject}#expected", {"kind": "expected", **expected.evidence}))

    def receive(self, *planned: Accident) -> None:
        """One delivery of all that is visible; what was not told is visible again a minute later."""
        batch = list(self.queue.values())
        for record in batch:
            record["attributes"]["ApproximateReceiveCount"] = str(
                int(record["attributes"]["ApproximateReceiveCount"]) + 1
            )
        self.wire.begin(*planned)
        try:
            answer = handler.lambda_handler({"Records": batch}, context())
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        except Killed:
            failed = set(self.queue)
            wiring.build.cache_clear()
        self.queue = {key: record for key, record in self.queue.items() if key in failed}
        self.now += VISIBILITY

    def drain(self, *planned: Accident, rounds: int = 1) -> None:
        """Deliver until the queue is empty: the first `rounds` deliveries meet the accidents, the others do not."""
        for delivery in range(30):
            if not self.queue:
                return
            self.receive(*(planned if delivery < rounds else ()))
        raise AssertionError(f"never told: {list(self.queue)}")

    @property
    def mails(self) -> list[tuple[str, str]]:
        """Subject and body of each mail that went out."""
        sent = sns_backends[DEFAULT_ACCOUNT_ID][REGION].topics[self.topic].sent_notifications
        return [(str(mail[2]), str(mail[1])) for mail in sent]

    @property
    def said(self) -> list[dict[str, Any]]:
        return self.slack.channel(CHANNEL).messages


@pytest.fixture
def worlds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], World]]:
    """Makes worlds, one at a time: a new one replaces the one before."""
    disable = {"runaway": {"mode": "disable"}}
    search = {"name": "prod-search-agent", "workspace": "prod", "owner": {"slack": "U0SEARCH"}, **disable}
    policy = Policy.model_validate({"version": 1, "alerts": {"channel": CHANNEL}, "workloads": [search]})
    wire, current, transports, ending = Wire(), list[World](), list[InProcess](), ExitStack()

    def make() -> World:
        wire.begin()
        for backend in mocked.backends():
            backend.reset()
        slack = SlackSimulator("xoxb-fake", clock=lambda: current[-1].now)
        transports.append(InProcess(slack.app))
        ending.callback(transports[-1].dispose)
        current.append(World(wire, slack, _resources()))
        wiring.build.cache_clear()
        return current[-1]

    monkeypatch.setattr(Policy, "load", lambda: policy)
    monkeypatch.setattr(wiring, "utc_now", lambda: current[-1].now)
    for name, value in (
        ("TABLE_NAME", "ledger"),
        ("DECISIONS_TABLE_NAME", "decisions"),
        ("EVENT_BUS_NAME", "governor"),
        ("SLACK_SECRET", "slack"),
        ("ALERT_TOPIC_ARN", f"arn:aws:sns:{REGION}:{DEFAULT_ACCOUNT_ID}:alerts"),
    ):
        monkeypatch.setenv(name, value)
    mocked = _Mocked()
    with (
        ending,
        mocked,
        wire.connected(httpx.MockTransport(_nobody)),
        mock.patch("slack_sdk.web.base_client.urlopen", lambda request, **_: cross(wire, transports[-1], request)),
    ):
        yield make
    wiring.build.cache_clear()


class _Mocked:
    """moto, with a way to empty it between cases."""

    def __enter__(self) -> None:
        self._mock = mock_aws()
        self._mock.start()

    def __exit__(self, *_: object) -> None:
        self._mock.stop()

    @staticmethod
    def backends() -> Sequence[Any]:
        from moto.dynamodb.models import dynamodb_backends
        from moto.events.models import events_backends
        from moto.secretsmanager.models import secretsmanager_backends

        return [
            backend
            for backends in (dynamodb_backends, sns_backends, secretsmanager_backends, events_backends)
            for backend in backends[DEFAULT_ACCOUNT_ID].values()
        ]


def _envelope(name: str) -> Any:
    return json.loads(json.loads((SAMPLES / f"{name}.json").read_text())["Records"][0]["body"])


def _resources() -> str:
    create_tables(client("dynamodb"), "ledger", "decisions")
    client("events").create_event_bus(Name="governor")
    client("secretsmanager").create_secret(Name="slack", SecretString='{"bot_token": "xoxb-fake"}')
    return str(client("sns").create_topic(Name="alerts")["TopicArn"])


def _nobody(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"the notifier called {request.url}")
