"""The built-up world of a fault test: AWS's state in moto, OpenRouter in its simulator, and what was told so far."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from unittest import mock

from moto import mock_aws

from governor.approvals.approval import Request, Vote
from governor.approvals.evidence import approval_event
from governor.approvals.store import Approvals
from governor.clock import format_instant
from governor.events import DetailType
from governor.ledger.dynamodb import DynamoLedger
from governor.policy import Policy
from kill_switch import handler
from sandbox.openrouter import Simulator
from tests.doubles.tables import create_tables
from tests.faults.clients import client
from tests.faults.harness import InProcess, Wire, context

START = datetime(2026, 3, 11, 2, 0, tzinfo=UTC)
WORKLOAD = "prod-search-agent"
OTHERS = ("prod-chat", "prod-fraud", "prod-mail", "prod-seo")
MANAGEMENT_KEY = "sk-or-v1-fake-management-key"
ENVIRONMENT = {
    "MANAGEMENT_KEY_SECRET": "governor/key",
    "TABLE_NAME": "ledger",
    "DECISIONS_TABLE_NAME": "decisions",
    "EVENT_BUS_NAME": "governor",
    "POWERTOOLS_SERVICE_NAME": "kill_switch",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
}
POLICY = Policy.model_validate(
    {
        "version": 1,
        "workloads": [
            {
                "name": name,
                "workspace": "platform-production",
                "owner": {"slack": "U0SEARCH"},
                "runaway": {"mode": "disable"},
                "exposed": {"mode": "disable"},
                "budget": {"disable_at": 1.0},
            }
            for name in (WORKLOAD, *OTHERS)
        ],
        "approvals": {"channel": "C0GOVERNOR", "approvers": ["U0LEAD"], "by_event": True},
    }
)


@dataclass
class World:
    """One account with a workload that burns (two live keys), a key of it disabled by hand, and a bystander."""

    wire: Wire
    now: datetime = START
    told: list[dict[str, Any]] = field(default_factory=list)
    simulator: Simulator = field(init=False)
    hashes: tuple[str, str] = field(init=False)
    by_hand: str = field(init=False)
    bystander: str = field(init=False)

    def __post_init__(self) -> None:
        self.simulator = Simulator(MANAGEMENT_KEY, clock=lambda: self.now.timestamp())
        organization = self.simulator.organization
        organization.create_workspace("Platform production", "platform-production")
        place: dict[str, Any] = {"workspace": "platform-production"}
        make = self.simulator.create_key
        first, _ = make(WORKLOAD, limit=100.0, limit_reset="monthly", **place)
        second, _ = make(f"{WORKLOAD}#2026-03", **place)
        by_hand, _ = make(f"{WORKLOAD}#2026-01", disabled=True, **place)
        bystander, _ = make("prod-billing", **place)
        self.hashes = (first.hash, second.hash)
        self.by_hand, self.bystander = by_hand.hash, bystander.hash
        self.simulator.spend(first.hash, 100.0)
        self.simulator.spend(second.hash, 1.0)

    # --- what came of it -----------------------------------------------------------------------------------------
    def disabled(self) -> set[str]:
        return {key.hash for key in self.simulator.organization.keys if key.disabled}

    def ledger(self) -> DynamoLedger:
        self.wire.begin()
        return DynamoLedger(client("dynamodb"), "ledger")

    def row(self, cause: str) -> dict[str, Any] | None:
        row = self.ledger().get(f"subject#{WORKLOAD}", f"cause#{cause}")
        return dict(row.data) if row else None

    def recent_disables(self) -> list[Any]:
        row = self.ledger().get("leash", "account")
        return list(row.data["recent"]) if row else []

    def told_of(self, kind: DetailType) -> list[dict[str, Any]]:
        return [entry for entry in self.told if entry["DetailType"] == kind.value]

    # --- what happens --------------------------------------------------------------------------------------------
    def present(self) -> datetime:
        return self.now

    def run(self, event: dict[str, Any]) -> Callable[[], object]:
        return lambda: handler.lambda_handler(event, context())

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def a_minute_later(self) -> None:
        self.later(minutes=1)

    def event(self, kind: DetailType, evidence: dict[str, Any], id: str) -> dict[str, Any]:
        at = format_instant(self.now)
        detail = {"version": 1, "id": id, "subject": WORKLOAD, "occurred_at": at, "reason": "", "evidence": evidence}
        return {"id": "envelope", "detail-type": kind.value, "source": "governor", "time": at, "detail": detail}

    def runaway(self, id: str = "runaway-1") -> dict[str, Any]:
        at = format_instant(self.now)
        evidence = {
            "name": WORKLOAD, "window_minutes": 15, "spent_usd": 60.0, "floor_usd": 10.0, "baseline_usd": 1.0,
            "rate_usd_per_hour": 500.0, "started_at": at, "observed_at": at, "spend_by_minute": [0.0, 30.0, 30.0],
            "keys": [self.reading()],
        }  # fmt: skip
        return self.event(DetailType.RUNAWAY_CONFIRMED, evidence, id)

    def exposed(self, id: str = "exposed-1") -> dict[str, Any]:
        return self.event(DetailType.KEY_EXPOSED, {"source": "github"}, id)

    def budget(self, id: str = "budget-1") -> dict[str, Any]:
        evidence = {
            "scope": "key_limit", "scope_id": self.hashes[0], "scope_name": WORKLOAD, "period": "monthly",
            "threshold": 1.0, "spent_usd": 100.0, "limit_usd": 100.0, "disable": True, "keys": [self.reading()],
        }  # fmt: skip
        return self.event(DetailType.BUDGET_THRESHOLD_REACHED, evidence, id)

    def restore(self, cause: str = "runaway", id: str = "restore-1") -> dict[str, Any]:
        return self.event(DetailType.RESTORE_REQUESTED, {"cause": cause, "requested_by": "U0LEAD"}, id)

    def granted(self, kind: Literal["restore", "disable"], **change: str) -> dict[str, Any]:
        """An approver said yes to this; the event that tells of it."""
        self.wire.begin()
        approvals = Approvals(DynamoLedger(client("dynamodb"), "ledger"), DynamoLedger(client("dynamodb"), "decisions"))
        request = Request("request-1", kind, WORKLOAD, "U0LEAD", self.now, self.now + timedelta(hours=1), change)
        approval = approvals.order(request, Vote("click-1", "U0LEAD", "approve", self.now))
        told = approval_event(DetailType.APPROVAL_GRANTED, approval, self.now, "")
        return self.event(told.detail_type, dict(told.evidence), told.id)

    def outcome(self) -> str:
        """What the request's own row says of it."""
        row = self.ledger().get("approval#outcome", "request-1")
        return str(row.data["result"]) if row else ""

    def leaked(self, name: str) -> tuple[str, dict[str, Any]]:
        """A new key of another workload, and the report that it is exposed."""
        key, _ = self.simulator.create_key(name, workspace="platform-production")
        event = self.exposed(f"exposed-{name}")
        event["detail"]["subject"] = name
        return key.hash, event

    def reading(self) -> dict[str, Any]:
        place = self.simulator.organization.key(self.hashes[0]).workspace_id
        counters = {"counted_usd": 100.0, "window_start_usd": 40.0}
        return {"hash": self.hashes[0], "name": WORKLOAD, "workspace_id": place, **counters}


@contextmanager
def worlds(wire: Wire) -> Iterator[Callable[[], World]]:
    """Makes worlds, one after another, each with everything new: AWS, OpenRouter, and the container."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict("os.environ", ENVIRONMENT))
        stack.enter_context(mock.patch.object(Policy, "load", return_value=POLICY))
        aws = stack.enter_context(mock_aws())
        present = stack.enter_context(ExitStack())

        def fresh() -> World:
            present.close()
            aws.reset()  # to start moto anew costs ten times as much
            world = World(wire)
            transport = InProcess(world.simulator.app)
            present.callback(transport.dispose)
            present.enter_context(wire.connected(transport))
            present.enter_context(mock.patch.object(handler, "utc_now", world.present))
            present.enter_context(_listening(world))
            wire.begin()
            _aws()
            handler.build.cache_clear()
            return world

        yield fresh


@contextmanager
def _listening(world: World) -> Iterator[None]:
    """Notes each event that reached the bus, with the keys that were disabled at that moment."""
    from moto.events.models import EventsBackend

    take = EventsBackend.put_events

    def note(backend: EventsBackend, events: list[dict[str, Any]]) -> Any:
        for entry in events:
            world.told.append({**entry, "Detail": json.loads(entry["Detail"]), "disabled": world.disabled()})
        return take(backend, events)

    with mock.patch.object(EventsBackend, "put_events", note):
        yield


def _aws() -> None:
    create_tables(client("dynamodb"), "ledger", "decisions")
    secret = json.dumps({"api_key": MANAGEMENT_KEY})
    client("secretsmanager").create_secret(Name="governor/key", SecretString=secret)
    client("events").create_event_bus(Name="governor")
