"""An OpenRouter account, a bus and a log in memory, and a kill switch over them. The account keeps its traps: a PATCH
whose answer is lost, a key that is gone, a refused management key."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from governor.approvals.approval import Approval, Request, Vote
from governor.approvals.evidence import approval_event
from governor.approvals.store import Approvals
from governor.clock import format_instant
from governor.events import DetailType, Event
from governor.events.evidence import BudgetReached, KeyReading, Runaway
from governor.ledger import MemoryLedger
from governor.policy import Policy
from kill_switch.service import KillSwitch
from kill_switch.settings import received
from kill_switch.store import KillSwitchStore
from management_api import (
    AnalyticsQuery,
    AnalyticsResult,
    ApiKey,
    Deadline,
    Guardrail,
    KeyAssignment,
    KeyPatch,
    NotFound,
    Workspace,
)
from tests.doubles.bus import Bus
from tests.doubles.log import MemoryLog

NOW = datetime(2026, 3, 11, 2, 14, tzinfo=UTC)
WORKLOAD = "prod-search-agent"
PRODUCTION = "11111111-1111-4111-8111-111111111111"
HASH, OTHER, THIRD = "a" * 64, "b" * 64, "c" * 64

POLICY = Policy.model_validate(
    {
        "version": 1,
        "workloads": [
            {
                "name": name,
                "workspace": "platform-production",
                "owner": {"slack": "U0SEARCH"},
                "tier": tier,
                "runaway": {"mode": mode},
                "exposed": {"mode": "disable"},
                "budget": {"disable_at": 1.0},
            }
            for name, tier, mode in (
                (WORKLOAD, 1, "disable"),
                ("prod-billing", 1, "disable"),
                ("prod-chat", 1, "disable"),
                ("prod-mail", 1, "disable"),
                ("prod-triage", 0, "disable"),
                ("prod-dry", 1, "alert"),
                ("prod-off", 1, "off"),
            )
        ],
        "approvals": {"channel": "C0GOVERNOR", "approvers": ["U0LEAD", "U0SEC"], "by_event": True},
    }
)


def api_key(hash: str = HASH, name: str = WORKLOAD, *, spent: float = 100.0, **fields: Any) -> ApiKey:
    """A key that has spent `spent` USD, all of it today."""
    periods = ("", "_daily", "_weekly", "_monthly")
    counters = {f"usage{period}": spent for period in periods} | {f"byok_usage{period}": 0.0 for period in periods}
    known: dict[str, Any] = {"disabled": False, "limit": None, "limit_reset": None, "include_byok_in_limit": False}
    known |= {"created_at": NOW - timedelta(days=30), "workspace_id": PRODUCTION}
    return ApiKey(**{**counters, **known, **fields, "hash": hash, "name": name})


@dataclass
class FakeAccount:
    """`Account` in memory. `on_update` is called before a PATCH takes effect, `after_update` when its answer leaves."""

    held: dict[str, ApiKey]
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    guards: dict[str, tuple[Guardrail, list[str]]] = field(default_factory=dict)
    unlisted: set[str] = field(default_factory=set)
    """Hashes that lists leave out, though the keys live."""
    unlisted_workspaces: bool = False
    """Whether the list of workspaces is empty, though they are there."""
    unlisted_assignments: set[str] = field(default_factory=set)
    """Which lists of guardrail assignments are empty, though keys are assigned: the `account`'s, the `guardrail`'s."""
    asked: list[str] = field(default_factory=list)
    """The hashes that were asked for one by one."""
    analytics_error: Exception | None = None
    analytics_warnings: list[str] = field(default_factory=list)
    on_query: Callable[[], object] = lambda: None
    on_update: Callable[[str], object] = lambda _: None
    after_update: Callable[[str], object] = lambda _: None
    on_list: Callable[[], object] = lambda: None
    list_error: Exception | None = None
    gone: set[str] = field(default_factory=set)
    """Workspaces that answer 404 for themselves, though the list still names them."""

    @property
    def keys(self) -> "FakeAccount":
        return self

    @property
    def workspaces(self) -> "FakeWorkspaces":
        return FakeWorkspaces(self)

    @property
    def guardrails(self) -> "FakeGuardrails":
        return FakeGuardrails(self)

    @property
    def analytics(self) -> "FakeAccount":
        return self

    def within(self, deadline: Deadline) -> "FakeAccount":
        return self

    def list(self, workspace_id: str) -> list[ApiKey]:
        self.on_list()
        if self.list_error:
            raise self.list_error
        listed = [key for key in self.held.values() if key.hash not in self.unlisted]
        return [key for key in listed if key.workspace_id == workspace_id]

    def get(self, hash: str) -> ApiKey:
        self.asked.append(hash)
        if hash not in self.held:
            raise NotFound("no such key", request="GET /keys/{hash}", status=404)
        return self.held[hash]

    def update(self, hash: str, patch: KeyPatch) -> ApiKey:
        self.on_update(hash)
        self.held[hash] = replace(self.get(hash), **patch.model_dump(exclude_unset=True))
        self.after_update(hash)
        return self.held[hash]

    def query(self, question: AnalyticsQuery) -> AnalyticsResult:
        self.on_query()
        if self.analytics_error:
            raise self.analytics_error
        rows = self.rows.get(question.dimensions[0], [])
        return AnalyticsResult(rows=rows, truncated=False, warnings=self.analytics_warnings)

    def disabled(self) -> set[str]:
        return {hash for hash, key in self.held.items() if key.disabled}


@dataclass
class FakeWorkspaces:
    account: FakeAccount

    def list(self) -> list[Workspace]:
        return [] if self.account.unlisted_workspaces else [self._production()]

    def get(self, id: str) -> Workspace:
        if id in self.account.gone or id != PRODUCTION:
            raise NotFound("no such workspace", request="GET /workspaces/{id}", status=404)
        return self._production()

    @staticmethod
    def _production() -> Workspace:
        return Workspace(id=PRODUCTION, name="Platform production", slug="platform-production", created_at=NOW)


@dataclass
class FakeGuardrails:
    account: FakeAccount

    def get(self, id: str) -> Guardrail:
        if id not in self.account.guards:
            raise NotFound("no such guardrail", request="GET /guardrails/{id}", status=404)
        return self.account.guards[id][0]

    def assignments(self) -> list[KeyAssignment]:
        if "account" in self.account.unlisted_assignments:
            return []
        return [one for id in self.account.guards for one in self._of(id)]

    def assigned(self, id: str) -> list[KeyAssignment]:
        self.get(id)
        return [] if "guardrail" in self.account.unlisted_assignments else self._of(id)

    def _of(self, id: str) -> list[KeyAssignment]:
        return [
            KeyAssignment(id=hash, guardrail_id=id, key_hash=hash, created_at=NOW)
            for hash in self.account.guards[id][1]
        ]


class World:
    """A kill switch, and all that it touches."""

    def __init__(self, *keys: ApiKey, policy: Policy = POLICY) -> None:
        self.account = FakeAccount({key.hash: key for key in keys or (api_key(),)})
        self.ledger = MemoryLedger()
        self.approvals = Approvals(self.ledger, MemoryLedger())
        self.bus = Bus()
        self.log = MemoryLog()
        self.now = NOW
        self.connects: list[bool] = []
        self.switch = KillSwitch(
            policy, KillSwitchStore(self.ledger), self.approvals, self.bus, self._connect, lambda: self.now, self.log
        )

    def _connect(self, deadline: Deadline, *, fresh: bool = False) -> FakeAccount:
        self.connects.append(fresh)
        return self.account

    def receive(self, envelope: dict[str, Any]) -> Event:
        told = self.switch.act(received(envelope), lambda: 30.0)
        assert told
        return told

    def ask(self, request: Request) -> Request:
        return self.approvals.ask(request)

    def granted(self, request: Request, by: str = "U0LEAD", *, ordered: bool = False) -> dict[str, Any]:
        """An approver grants the request; the event that says so, as the bus brings it.

        `ordered`: it is done at once, by who asks for it.
        """
        self.approvals.ask(request)
        vote = Vote(f"click-{request.id}", by, "approve", self.now)
        if ordered:
            approval: Approval | None = self.approvals.order(request, vote)
        else:
            approval = self.approvals.vote(request.id, request.digest, vote).approval
        assert approval
        return told_of(approval_event(DetailType.APPROVAL_GRANTED, approval, self.now, ""))

    @property
    def store(self) -> KillSwitchStore:
        return KillSwitchStore(self.ledger)


def told_of(event: Event) -> dict[str, Any]:
    """An event as the bus brings it."""
    return envelope(event.detail_type, event.subject, dict(event.evidence), id=event.id, at=event.occurred_at)


def envelope(
    kind: DetailType,
    subject: str,
    evidence: dict[str, Any],
    *,
    id: str = "trigger-1",
    at: datetime = NOW,
    reason: str = "",
) -> dict[str, Any]:
    """One of Governor's events in EventBridge's envelope."""
    return {
        "version": "0",
        "id": "00000000-0000-4000-8000-000000000000",
        "detail-type": kind.value,
        "source": "governor",
        "account": "123456789012",
        "time": format_instant(at),
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "version": 1,
            "id": id,
            "subject": subject,
            "occurred_at": format_instant(at),
            "reason": reason,
            "evidence": evidence,
        },
    }


def runaway(
    subject: str = WORKLOAD,
    *readings: KeyReading,
    spent: float = 60.0,
    window: int = 15,
    id: str = "trigger-1",
    at: datetime = NOW,
    rate: float = 500.0,
) -> dict[str, Any]:
    """A confirmed runaway: `spent` USD in the window, by the default key unless readings say otherwise."""
    claim = Runaway(
        name=subject,
        window_minutes=window,
        spent_usd=spent,
        floor_usd=10,
        baseline_usd=1,
        rate_usd_per_hour=rate,
        started_at=at - timedelta(minutes=4),
        observed_at=at,
        spend_by_minute=[0.0, 8.3, 8.4, 8.3],
        keys=list(readings or (reading(window_start=100.0 - spent),)),
    )
    return envelope(
        DetailType.RUNAWAY_CONFIRMED, subject, claim.model_dump(mode="json"), id=id, at=at, reason="It burns."
    )


def reading(
    hash: str = HASH, name: str = WORKLOAD, *, counted: float = 100.0, window_start: float | None = 40.0
) -> KeyReading:
    """What the meter says of a key."""
    return KeyReading(hash=hash, name=name, workspace_id=PRODUCTION, counted_usd=counted, window_start_usd=window_start)


def exposed(subject: str = WORKLOAD, *, id: str = "leak-1", at: datetime = NOW, **more: Any) -> dict[str, Any]:
    return envelope(DetailType.KEY_EXPOSED, subject, {"source": "github", **more}, id=id, at=at)


def budget(
    subject: str = WORKLOAD,
    *,
    scope: str = "key_limit",
    scope_id: str = HASH,
    id: str = "budget-1",
    at: datetime = NOW,
    disable: bool = True,
) -> dict[str, Any]:
    claim = BudgetReached.model_validate(
        {
            "scope": scope,
            "scope_id": scope_id,
            "scope_name": subject,
            "period": "monthly",
            "threshold": 1.0,
            "spent_usd": 100.0,
            "limit_usd": 100.0,
            "rate_usd_per_hour": 20.0,
            "disable": disable,
            "keys": [reading().model_dump()],
        }
    )
    return envelope(DetailType.BUDGET_THRESHOLD_REACHED, subject, claim.model_dump(mode="json"), id=id, at=at)


def restore(
    cause: str = "runaway",
    subject: str = WORKLOAD,
    *,
    by: str = "U0LEAD",
    id: str = "restore-1",
    at: datetime = NOW + timedelta(minutes=30),
) -> dict[str, Any]:
    return envelope(
        DetailType.RESTORE_REQUESTED,
        subject,
        {"cause": cause, "requested_by": by},
        id=id,
        at=at,
    )
