"""What the notifier's tests share: a policy, the sample events, and ports in memory."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from governor.approvals.store import Approvals
from governor.events import Event
from governor.events.published import RecordedBus
from governor.events.publishers import PUBLISHES
from governor.ledger import Ledger, MemoryLedger
from governor.policy import Policy
from governor.slack.memory import MemorySlack
from governor.topic import MemoryTopic, Topic
from notifier.service import Notifier, Told
from notifier.truth import Truth
from tests.doubles.bus import Bus

SAMPLES = Path(__file__).parents[3] / "events" / "notifier"
T0 = datetime(2026, 11, 21, 8, tzinfo=UTC)


class Clock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def policy() -> Policy:
    approval = {"channel": "C0GOVERNOR", "approvers": ["U0LEAD", "U0SEC"]}
    disable = {"runaway": {"mode": "disable"}, "exposed": {"mode": "disable"}}
    search = {"name": "prod-search-agent", "workspace": "prod", "owner": {"slack": "U0SEARCH"}, **disable}
    checkout = {"name": "prod-checkout", "workspace": "prod", "owner": {"slack": "U0SHOP"}, "tier": 0, **disable}
    return Policy.model_validate(
        {"version": 1, "alerts": {"channel": "C0GOVERNOR"}, "approvals": approval, "workloads": [search, checkout]}
    )


@pytest.fixture
def sample() -> Callable[..., Event]:
    """A sample event by file name; fields of the event, and with `evidence` fields of its evidence, replaced."""

    def read(
        name: str, *, minutes: float | None = None, evidence: dict[str, Any] | None = None, **fields: Any
    ) -> Event:
        body = json.loads((SAMPLES / f"{name}.json").read_text())["Records"][0]["body"]
        event = Event.received(json.loads(body))
        if minutes is not None:
            fields["occurred_at"] = T0 + timedelta(minutes=minutes)
        return replace(event, **fields, evidence={**event.evidence, **(evidence or {})})

    return read


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slack() -> MemorySlack:
    return MemorySlack()


@pytest.fixture
def topic() -> MemoryTopic:
    return MemoryTopic()


@pytest.fixture
def notifier(slack: MemorySlack, topic: MemoryTopic, policy: Policy, clock: Clock) -> "Trusting":
    return notifier_of(MemoryLedger(), MemoryLedger(), slack, topic, policy, clock)


def notifier_of(
    ledger: MemoryLedger,
    decisions: MemoryLedger,
    slack: MemorySlack,
    topic: Topic,
    policy: Policy,
    clock: Callable[[], datetime],
) -> "Trusting":
    truth = Truth(ledger, Approvals(ledger, decisions), clock)
    return Trusting(ledger, slack, topic, policy, clock, truth, Bus())


class Trusting(Notifier):
    """A notifier that hears genuine events: each is stored by its publisher before it is heard."""

    def notify(self, event: Event, deliveries: int) -> Told:
        store(self.ledger, event)
        return super().notify(event, deliveries)

    def hear(self, event: Event, deliveries: int = 1) -> Told:
        """An event as the bus hands it over, stored or not."""
        return super().notify(event, deliveries)


def store(ledger: Ledger, event: Event) -> None:
    """What the event's publisher does before it publishes, where it is of a type that is stored."""
    function = next((name for name, types in PUBLISHES.items() if event.detail_type in types), "nobody")
    RecordedBus(function, ledger, Bus()).publish([event])
