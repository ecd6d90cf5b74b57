"""An account in memory behind a client that is real, and a meter over stores in memory: minutes pass as a test says."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from governor.events import Event, PublishFailed
from governor.ledger import MemoryLedger
from governor.policy import Policy
from governor.secrets import SecretUnavailable
from governor.storage.readings import MemoryReadingStore
from management_api import OpenRouter, Retry
from spend_meter.ports import Ports
from spend_meter.service import Report, SpendMeter
from spend_meter.settings import Tick

START = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
MANAGEMENT_KEY = "sk-or-v1-fake-management"


@dataclass
class FakeAccount:
    """OpenRouter's answers to the calls of a sweep, from plain data that a test changes between runs."""

    workspaces: dict[str, str] = field(default_factory=lambda: {"ws-1": "platform"})
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    caps: dict[str, dict[str, float]] = field(default_factory=dict)
    guardrails: dict[str, dict[str, Any]] = field(default_factory=dict)
    assignments: dict[str, str] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    credits: tuple[float, float] = (1_000_000.0, 0.0)
    analytics: list[dict[str, Any]] = field(default_factory=list)
    kinds: list[dict[str, Any]] = field(default_factory=list)
    """The rows of a question by model and app."""
    warnings: list[str] = field(default_factory=list)
    effective_budget: dict[str, Any] | None = None
    failing: Callable[[httpx.Request], int | None] = lambda request: None
    asked: list[str] = field(default_factory=list)
    extra: list[dict[str, Any]] = field(default_factory=list)
    unlisted: set[str] = field(default_factory=set)
    """Hashes that the lists of keys leave out, though the keys live."""
    unlisted_workspaces: set[str] = field(default_factory=set)

    def add(self, name: str, workspace: str = "ws-1", made: datetime = START - timedelta(days=60), **more: Any) -> str:
        """A key; returns its hash."""
        hash = f"{len(self.keys) + 1:064x}"
        counters = {f"{kind}{period}": 0.0 for kind in ("usage", "byok_usage") for period in PERIODS}
        self.keys[hash] = {
            "hash": hash,
            "name": name,
            "label": "sk-or-v1-fak...key",
            "disabled": False,
            "limit": None,
            "limit_remaining": None,
            "limit_reset": None,
            "include_byok_in_limit": False,
            "created_at": made.isoformat(),
            "workspace_id": workspace,
            **counters,
            **more,
        }
        return hash

    def spend(self, hash: str, usd: float, kind: str = "usage") -> None:
        key = self.keys[hash]
        for period in PERIODS:
            key[f"{kind}{period}"] += usd
        if key["limit"] is not None and (kind == "usage" or key["include_byok_in_limit"]):
            key["limit_remaining"] = max(0.0, (key["limit_remaining"] or 0.0) - usd)

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1")
        self.asked.append(path)
        status = self.failing(request)
        if status:
            return httpx.Response(status, json={"error": {"code": status, "message": "as the test asked"}})
        try:
            # Not httpx's own JSON, which refuses the NaN and Infinity that a test may answer with.
            return httpx.Response(200, content=json.dumps(self._answer(path, request)).encode())
        except KeyError:
            return httpx.Response(404, json={"error": {"code": 404, "message": "no such thing"}})

    def _answer(self, path: str, request: httpx.Request) -> Any:  # noqa: C901 - one case a path
        match path.strip("/").split("/"):
            case ["keys"]:
                workspace, offset = request.url.params["workspace_id"], int(request.url.params["offset"])
                keys = self.extra or [key for key in self.keys.values() if key["workspace_id"] == workspace]
                keys = [key for key in keys if key["hash"] not in self.unlisted]
                return {"data": keys[offset : offset + 100]}
            case ["keys", hash]:
                return {"data": self.keys[hash]}
            case ["workspaces"]:
                return _listed(
                    _workspace(*one) for one in self.workspaces.items() if one[0] not in self.unlisted_workspaces
                )
            case ["workspaces", id]:
                return {"data": _workspace(id, self.workspaces[id])}
            case ["workspaces", id, "budgets"]:
                return {"data": [_budget(id, interval, usd) for interval, usd in self.caps.get(id, {}).items()]}
            case ["guardrails"]:
                workspace = request.url.params["workspace_id"]
                return _listed(
                    {"id": id, "created_at": MADE, **one}
                    for id, one in self.guardrails.items()
                    if one.get("workspace_id", "ws-1") == workspace
                )
            case ["guardrails", "assignments", "keys"]:
                return _listed(
                    {"id": f"a-{hash}", "guardrail_id": id, "key_hash": hash, "created_at": MADE}
                    for hash, id in self.assignments.items()
                )
            case ["guardrails", "assignments", "members"]:
                return _listed(
                    {"id": f"a-{user}", "guardrail_id": id, "user_id": user, "created_at": MADE}
                    for user, id in self.members.items()
                )
            case ["credits"]:
                return {"data": {"total_credits": self.credits[0], "total_usage": self.credits[1]}}
            case ["analytics", "query"]:
                question = json.loads(request.content)
                metrics = question["metrics"]
                rows = [
                    {"date__hour": row["date__hour"], **{name: row[name] for name in metrics}} for row in self.analytics
                ]
                if question.get("dimensions"):
                    rows = self.kinds
                warned = {"warnings": self.warnings} if self.warnings else {}
                return {"data": {"data": rows, "metadata": {"truncated": False}, **warned}}
            case ["key"]:
                key = dict(next(iter(self.keys.values())))
                return {"data": {**key, "effective_budget": self.effective_budget}}
        raise AssertionError(path)


PERIODS = ("", "_daily", "_weekly", "_monthly")
MADE = (START - timedelta(days=90)).isoformat()


def _listed(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    data = list(rows)
    return {"data": data, "total_count": len(data)}


def _workspace(id: str, name: str) -> dict[str, Any]:
    return {"id": id, "name": name, "slug": name, "created_at": MADE, "default_guardrail_id": f"default-{id}"}


def _budget(workspace_id: str, interval: str, usd: float) -> dict[str, Any]:
    reset = None if interval == "lifetime" else interval
    identity = {"id": f"{workspace_id}-{interval}", "workspace_id": workspace_id, "created_at": MADE}
    return {**identity, "limit_usd": usd, "reset_interval": reset}


@dataclass
class Bus:
    """A bus that keeps what it was given, by id, and can be down. `takes`: what happens while it takes events."""

    events: dict[str, Event] = field(default_factory=dict)
    handed_over: list[Event] = field(default_factory=list)
    down: bool = False
    takes: Callable[[], None] = lambda: None

    def publish(self, events: Sequence[Event]) -> None:
        self.takes()
        if self.down:
            raise PublishFailed("the bus is down, as the test asked")
        self.handed_over += events
        for event in events:
            self.events.setdefault(event.id, event)

    def of(self, *types: str) -> list[Event]:
        return [event for event in self.events.values() if event.detail_type in types]


@dataclass
class MemorySecrets:
    """Secrets in memory. `stale`: what is cached and no longer true."""

    values: dict[str, str]
    stale: dict[str, str] = field(default_factory=dict)

    def field(self, name: str, field: str, *, fresh: bool = False) -> SecretStr:
        held = self.values if fresh else {**self.values, **self.stale}
        if name not in held:
            raise SecretUnavailable(f"secret {name}: not found")
        return SecretStr(held[name])


@dataclass
class World:
    """The meter and all around it. `at`: the minute last metered."""

    policy: Policy = field(default_factory=lambda: Policy.model_validate({"version": 1}))
    account: FakeAccount = field(default_factory=FakeAccount)
    store: MemoryReadingStore = field(default_factory=MemoryReadingStore)
    needs: MemoryReadingStore = field(default_factory=MemoryReadingStore)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    bus: Bus = field(default_factory=Bus)
    secrets: MemorySecrets = field(default_factory=lambda: MemorySecrets({"management": MANAGEMENT_KEY}))
    at: datetime = START - timedelta(minutes=1)
    seconds_left: float = 55.0
    _meter: SpendMeter | None = None

    def meter(self) -> SpendMeter:
        """A meter as a new container would build it."""
        retry = Retry(attempts=1, sleep=lambda seconds: None)
        ports = Ports(
            self.store,
            self.ledger,
            self.bus,
            self.secrets,
            lambda key: OpenRouter(key, transport=httpx.MockTransport(self.account.answer), retry=retry),
            needs=self.needs,
        )
        return SpendMeter(self.policy, ports, "management", concurrency=2)

    def restart(self) -> None:
        """The next run runs in a new container."""
        self._meter = None

    def tick(self, minutes: float = 1, at: datetime | None = None, received: datetime | None = None) -> Report:
        """Lets time pass and meters. `received`: by the machine's clock, where it is not the schedule's."""
        self.at = at or self.at + timedelta(minutes=minutes)
        self._meter = self._meter or self.meter()
        return self._meter.tick(Tick(self.at, received or self.at), lambda: self.seconds_left)

    def stored(self) -> bytes:
        assert self.store.stored
        assert self.store.stored.content
        return self.store.stored.content

    def accustom(self, hash: str, usd_a_day: float = 1.0, byok_usd_a_day: float | None = None) -> None:
        """The key spends, and analytics tells of 28 days on which it did."""
        self.remember(usd_a_day, byok_usd_a_day)
        for _ in range(2):
            self.account.spend(hash, 0.01)
            self.tick()

    def remember(self, usd_a_day: float = 1.0, byok_usd_a_day: float | None = None) -> None:
        """Analytics will tell of 28 days on each of which a key spent at noon; null is what was never used."""
        days = [self.at.replace(hour=12, minute=0) - timedelta(days=days) for days in range(1, 29)]
        spent = {"credits_usage": str(usd_a_day), "byok_usage": byok_usd_a_day and str(byok_usd_a_day)}
        self.account.analytics = [{"date__hour": day.isoformat(), **spent} for day in days]

    def burn(self, hash: str, usd_an_hour: float, minutes: int) -> None:
        """A loop that spends evenly, metered every minute."""
        for _ in range(minutes):
            self.account.spend(hash, usd_an_hour / 60)
            self.tick()

    def with_policy(self, **parts: Any) -> "World":
        self.policy = Policy.model_validate(json.loads(json.dumps({"version": 1, **parts})))
        return self


@pytest.fixture
def world() -> World:
    return World()
