"""An OpenRouter account and a Secrets Manager in memory, and a key rotation over them. Both keep their traps: a POST
whose answer is lost, a list that refuses dead keys, a label that moves only off the version that bears it."""

import builtins
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from governor.keys.causes import CauseStore
from governor.keys.lineage import Lineage, Lineages
from governor.ledger import MemoryLedger
from governor.policy import Policy
from governor.secrets import SecretUnavailable
from governor.secrets.versions import SecretState, Stage, VersionTaken, WorkloadSecret
from key_rotation.ports import Ports
from key_rotation.service import KeyRotation
from key_rotation.settings import Step, StepName
from management_api import (
    AnalyticsQuery,
    AnalyticsResult,
    ApiKey,
    AuthenticationFailed,
    ByokKey,
    ByokPatch,
    CreatedKey,
    CurrentKey,
    Deadline,
    Destination,
    DestinationPatch,
    Guardrail,
    KeyAssignment,
    KeyPatch,
    Member,
    MemberAssignment,
    NewKey,
    NotFound,
    Rejected,
    Workspace,
)
from tests.doubles.bus import Bus
from tests.doubles.log import MemoryLog

NOW = datetime(2026, 3, 11, 2, 0, tzinfo=UTC)
WORKLOAD = "prod-agent"
SECRET = "openrouter/prod/agent"
ARN = f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{SECRET}-AbCdEf"
PLACE = "platform-production"
FIRST = "a" * 64
TOKEN = "00000000-0000-4000-8000-000000000001"
COUNTERS = [f"{kind}{period}" for kind in ("usage", "byok_usage") for period in ("", "_daily", "_weekly", "_monthly")]


def api_key(hash: str = FIRST, name: str = WORKLOAD, *, spent: float = 0.0, **more: Any) -> ApiKey:
    """A key that has spent `spent` USD, all of it today and none of it BYOK."""
    counters = {name: spent if name.startswith("usage") else 0.0 for name in COUNTERS}
    fields: dict[str, Any] = {"disabled": False, "limit": None, "limit_reset": None, "include_byok_in_limit": False}
    fields |= {
        "created_at": NOW - timedelta(days=60),
        "workspace_id": PLACE,
        "label": f"sk-or-v1-{hash[:3]}...{hash[-3:]}",
    }
    return ApiKey(**{**counters, **fields, **more, "hash": hash, "name": name})


def guardrail(**more: Any) -> Guardrail:
    fields = {"id": "g", "name": "production", "include_byok_in_budgets": False, "created_at": NOW}
    return Guardrail.model_validate(fields | more)


def credential(id: str, hashes: list[str] | None) -> ByokKey:
    nothing = dict.fromkeys(("allowed_models", "allowed_user_ids", "workspace_id"))
    fields = {"id": id, "provider": "anthropic", "disabled": False, "is_fallback": False, "sort_order": 0}
    return ByokKey.model_validate({**nothing, **fields, "allowed_api_key_hashes": hashes, "created_at": NOW})


def destination(id: str, hashes: list[str] | None) -> Destination:
    fields = {"id": id, "type": "webhook", "workspace_id": PLACE, "enabled": True, "privacy_mode": True}
    return Destination.model_validate({**fields, "api_key_hashes": hashes, "created_at": NOW})


@dataclass
class FakeAccount:
    """`Account` in memory. `before` and `after` are called with the name of each write, and may raise.

    `unlisted`: hashes of keys and ids of guardrails that lists leave out, though they live; `unassigned`: hashes that
    the account's list of assignments leaves out. `zeroed`: whether the list of keys shows every counter at zero.
    """

    held: dict[str, ApiKey]
    guards: list[Guardrail] = field(default_factory=list)
    assigned: dict[str, str] = field(default_factory=dict)
    members: list[str] = field(default_factory=lambda: ["user_ana", "user_bob"])
    member_guards: dict[str, str] = field(default_factory=dict)
    binds_members: bool = True
    drops_creators: bool = False
    refuses: Rejected | None = None
    credentials: dict[str, ByokKey] = field(default_factory=dict)
    unlisted_credentials: set[str] = field(default_factory=set)
    filters: dict[str, Destination] = field(default_factory=dict)
    plaintexts: dict[str, str] = field(default_factory=dict)
    before: Callable[[str], object] = lambda _: None
    after: Callable[[str], object] = lambda _: None
    refused: bool = False
    unlisted: set[str] = field(default_factory=set)
    unassigned: set[str] = field(default_factory=set)
    zeroed: bool = False
    asking: str = ""
    management_key_expires_at: datetime | None = None
    asked_of_analytics: "FakeAnalytics" = field(default_factory=lambda: FakeAnalytics())

    @property
    def keys(self) -> "FakeAccount":
        return self

    @property
    def workspaces(self) -> "FakeWorkspaces":
        return FakeWorkspaces()

    @property
    def organization(self) -> "FakeOrganization":
        return FakeOrganization(self)

    @property
    def guardrails(self) -> "FakeGuardrails":
        return FakeGuardrails(self)

    @property
    def byok(self) -> "FakeByok":
        return FakeByok(self)

    @property
    def destinations(self) -> "FakeDestinations":
        return FakeDestinations(self)

    @property
    def analytics(self) -> "FakeAnalytics":
        return self.asked_of_analytics

    def within(self, deadline: Deadline) -> "FakeAccount":
        return self

    def list(self, workspace_id: str) -> list[ApiKey]:
        if self.refused:
            raise AuthenticationFailed("no such management key", request="GET /keys", status=401)
        listed = [key for key in self.held.values() if key.hash not in self.unlisted]
        found = [key for key in listed if key.workspace_id == workspace_id]
        zeros: dict[str, Any] = dict.fromkeys(COUNTERS, 0.0) if self.zeroed else {}
        return [replace(key, **zeros) for key in found]

    def get(self, hash: str) -> ApiKey:
        if hash not in self.held:
            raise NotFound("no such key", request="GET /keys/{hash}", status=404)
        return self.held[hash]

    def create(self, key: NewKey) -> CreatedKey:
        self.before("create")
        hash = f"{len(self.plaintexts) + 1:064x}"
        if self.refuses:
            raise self.refuses
        if key.creator_user_id and key.creator_user_id not in self.members:
            raise Rejected("no such member", request="POST /keys", status=400)
        kept = {"limit", "limit_reset", "include_byok_in_limit", "expires_at", "workspace_id"}
        fields = key.model_dump(include=kept if self.drops_creators else {*kept, "creator_user_id"})
        external = key.external.user if key.external else None
        self.held[hash] = api_key(hash, key.name, **fields, external_user=external)
        self.plaintexts[f"fake-plaintext-{hash[-4:]}"] = hash
        self.after("create")
        return CreatedKey(key=self.held[hash], plaintext=SecretStr(f"fake-plaintext-{hash[-4:]}"))

    def update(self, hash: str, patch: KeyPatch) -> ApiKey:
        self.before("update")
        self.held[hash] = replace(self.get(hash), **patch.model_dump(exclude_unset=True))
        self.after("update")
        return self.held[hash]

    def delete(self, hash: str) -> None:
        self.get(hash)
        del self.held[hash]

    def with_key(self, api_key: SecretStr) -> "FakeAccount":
        return replace(self, asking=api_key.get_secret_value())

    def current_key(self) -> CurrentKey:
        if not self.asking:
            told: dict[str, Any] = {**dict.fromkeys(COUNTERS, 0.0), "limit": None, "is_management_key": True}
            return CurrentKey.model_validate({**told, "expires_at": self.management_key_expires_at})
        key = self.held.get(self.plaintexts.get(self.asking, ""))
        if key is None or key.disabled:
            raise AuthenticationFailed("no such key", request="GET /key", status=401)
        guard = next((one for one in self.guards if one.id == self.assigned.get(key.hash)), None)
        budgets = []
        if guard and guard.limit_usd:
            money = {"limit_usd": guard.limit_usd, "spend_usd": 0.0, "remaining_usd": guard.limit_usd}
            budgets = [{"scope": "api_key", "guardrail_id": guard.id, **money}]
        if self.binds_members and key.creator_user_id in self.member_guards:
            money = {"limit_usd": 5.0, "spend_usd": 0.0, "remaining_usd": 5.0}
            budgets += [{"scope": "member", "guardrail_id": self.member_guards[key.creator_user_id], **money}]
        told = {name: getattr(key, name) for name in (*COUNTERS, "limit", "limit_reset", "include_byok_in_limit")}
        told |= {"label": key.label, "workspace_id": key.workspace_id}
        return CurrentKey.model_validate({**told, "budgets": budgets})

    def require_live(self, hashes: Sequence[str] | None) -> None:
        if any(hash not in self.held for hash in hashes or ()):
            raise Rejected("a hash belongs to no live key", request="PATCH /byok/{id}", status=400)

    def own(self) -> dict[str, ApiKey]:
        """The keys that were made here, by hash."""
        return {hash: key for hash, key in self.held.items() if hash in self.plaintexts.values()}


class FakeWorkspaces:
    def list(self) -> list[Workspace]:
        return [Workspace(id=PLACE, name="Platform production", slug=PLACE, created_at=NOW)]


@dataclass
class FakeOrganization:
    account: FakeAccount

    def members(self) -> list[Member]:
        return [Member(id=id) for id in self.account.members]


@dataclass
class FakeGuardrails:
    account: FakeAccount

    def member_assignments(self) -> builtins.list[MemberAssignment]:
        return [
            MemberAssignment(id=user, guardrail_id=id, user_id=user, created_at=NOW)
            for user, id in self.account.member_guards.items()
        ]

    def list(self, workspace_id: str | None = None) -> list[Guardrail]:
        return [one for one in self.account.guards if one.id not in self.account.unlisted]

    def get(self, id: str) -> Guardrail:
        found = next((one for one in self.account.guards if one.id == id), None)
        if found is None:
            raise NotFound("no such guardrail", request="GET /guardrails/{id}", status=404)
        return found

    def assignments(self) -> builtins.list[KeyAssignment]:
        return [one for one in self._all() if one.key_hash not in self.account.unassigned]

    def assigned(self, id: str) -> builtins.list[KeyAssignment]:
        return [one for one in self._all() if one.guardrail_id == id]

    def _all(self) -> builtins.list[KeyAssignment]:
        return [
            KeyAssignment(id=hash, guardrail_id=id, key_hash=hash, created_at=NOW)
            for hash, id in self.account.assigned.items()
        ]

    def assign(self, id: str, hashes: Sequence[str]) -> None:
        self.account.before("assign")
        self.account.assigned |= {hash: id for hash in hashes if self.account.get(hash)}
        self.account.after("assign")

    def unassign(self, id: str, hashes: Sequence[str]) -> None:
        for hash in hashes:
            self.account.assigned.pop(hash, None)


@dataclass
class FakeByok:
    account: FakeAccount

    def list(self, *, workspace_id: str | None = None) -> list[ByokKey]:
        return [one for id, one in self.account.credentials.items() if id not in self.account.unlisted_credentials]

    def get(self, id: str) -> ByokKey:
        if id not in self.account.credentials:
            raise NotFound("no such credential", request="GET /byok/{id}", status=404)
        return self.account.credentials[id]

    def update(self, id: str, patch: ByokPatch) -> ByokKey:
        self.account.require_live(patch.allowed_api_key_hashes)
        held = self.get(id).model_copy(update=patch.model_dump(exclude_unset=True))
        self.account.credentials[id] = held
        return held


@dataclass
class FakeDestinations:
    account: FakeAccount

    def list(self, workspace_id: str | None = None) -> list[Destination]:
        return [*self.account.filters.values()]

    def get(self, id: str) -> Destination:
        return self.account.filters[id]

    def update(self, id: str, patch: DestinationPatch) -> Destination:
        held = self.get(id).model_copy(update=patch.model_dump(exclude_unset=True))
        self.account.filters[id] = held
        return held


@dataclass
class FakeAnalytics:
    """Nobody was seen to use any key. `warnings`, `cached_at`: what every answer says beside that."""

    warnings: list[str] = field(default_factory=list)
    cached_at: datetime | None = None
    asked: list[AnalyticsQuery] = field(default_factory=list)

    def query(self, question: AnalyticsQuery) -> AnalyticsResult:
        self.asked.append(question)
        return AnalyticsResult(rows=[], truncated=False, warnings=self.warnings, cached_at=self.cached_at)


@dataclass
class FakeSecrets:
    """`SecretVersions` in memory: one secret, AWSCURRENT at version `first`. `before` is called as the account's is."""

    values: dict[str, WorkloadSecret]
    stages: dict[str, set[str]] = field(default_factory=lambda: {"first": {"AWSCURRENT"}})
    name: str = SECRET
    enabled: bool = True
    before: Callable[[str], object] = lambda _: None

    def describe(self, secret: str) -> SecretState:
        return SecretState(ARN, self.name, self.enabled, {id: frozenset(held) for id, held in self.stages.items()})

    def value(self, secret: str, version: str | None = None, stage: Stage | None = None) -> WorkloadSecret | None:
        id = version or self.describe(secret).holder("AWSCURRENT")
        if id is None or (stage and stage not in self.stages.get(id, ())):
            return None
        return self.values.get(id)

    def put_at(self, secret: str) -> datetime:
        return NOW - timedelta(days=100)

    def create(self, secret: str, value: WorkloadSecret) -> None:
        self.values.setdefault("first", value)

    def put_pending(self, secret: str, token: str, value: WorkloadSecret) -> None:
        self.before("put_pending")
        if self.values.setdefault(token, value) != value:
            raise VersionTaken(f"version {token} holds another value already")

    def move(self, secret: str, stage: Stage, *, to: str | None, off: str | None) -> None:
        if self.describe(secret).holder(stage) != off:
            raise SecretUnavailable(f"secret {secret}: {off} does not bear {stage}")
        if off:
            self.stages[off].remove(stage)
            self.stages[off] |= {"AWSPREVIOUS"} if stage == "AWSCURRENT" else set()
        if to:
            self.stages[to].add(stage)

    def rotate(self, secret: str, token: str, function_arn: str, every_days: int) -> None:
        for stages in self.stages.values():
            stages.discard("AWSPENDING")
        self.stages.setdefault(token, set()).add("AWSPENDING")


class World:
    """A key rotation of one workload, and all that it touches. `key`, `more`: as the policy declares it."""

    def __init__(self, *keys: ApiKey, key: dict[str, Any] | None = None, by_event: bool = False, **more: Any) -> None:
        workload = {
            "name": WORKLOAD, "workspace": PLACE, "owner": {"slack": "U0OWNER"}, "secret": SECRET,
            "key": {"limit_usd": 100.0, "limit_reset": "monthly"} if key is None else key,
            "rotation": {"every": "60d"}, **more,
        }  # fmt: skip
        approvals = {"channel": "C0GOVERNOR", "approvers": ["U0LEAD", "U0SEC"], "by_event": by_event}
        self.policy = Policy.model_validate({"version": 1, "workloads": [workload], "approvals": approvals})
        self.account = FakeAccount({key.hash: key for key in keys})
        self.secrets = FakeSecrets({"first": WorkloadSecret(SecretStr("fake-plaintext-made-by-hand"))})
        ledger = MemoryLedger()
        self.lineages, self.causes = Lineages(ledger), CauseStore(ledger)
        self.bus, self.log, self.now = Bus(), MemoryLog(), NOW
        self.connects: list[bool] = []
        self.on_fresh: Callable[[], object] = lambda: None
        self.ask()

    def ask(self, token: str = TOKEN) -> None:
        self.secrets.rotate(ARN, token, "", 67)

    def step(self, name: StepName, token: str = TOKEN) -> str:
        ports = Ports(
            self.policy, self.secrets, self.lineages, self.causes, self.bus, self._connect, lambda: self.now, self.log
        )
        return KeyRotation(ports).run(Step(name, ARN, token), lambda: 50.0)

    def rotate(self, token: str = TOKEN) -> None:
        for name in ("createSecret", "setSecret", "testSecret", "finishSecret"):
            self.step(name, token)

    def _connect(self, deadline: Deadline, *, fresh: bool = False) -> FakeAccount:
        self.connects.append(fresh)
        if fresh:
            self.on_fresh()
        return self.account

    @property
    def lineage(self) -> Lineage:
        return self.lineages.get(WORKLOAD)

    @property
    def made(self) -> ApiKey:
        """The key that was made here, the only one."""
        (key,) = self.account.own().values()
        return key
