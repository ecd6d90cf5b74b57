"""What key rotation works with, and the account as it sees it. Every call of the account raises from
`management_api.errors`."""

import builtins
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self

from pydantic import SecretStr

from governor.account.leases import Leases
from governor.clock import Clock
from governor.events import Publisher
from governor.keys import lists as key_lists
from governor.keys.causes import Causes, CauseStore
from governor.keys.lineage import Lineage, Lineages
from governor.keys.rotation_end import Finishing
from governor.policy import Policy, Workload
from governor.ports import Connect, Log
from governor.secrets.versions import SecretState, SecretVersions

if TYPE_CHECKING:
    from management_api import (
        ApiKey,
        CreatedKey,
        CurrentKey,
        Guardrail,
        KeyAssignment,
        KeyPatch,
        Member,
        MemberAssignment,
        NewKey,
        Workspace,
    )


class Refused(Exception):
    """The rotation must not go on as it is; `rule` and the sentence say why, and what would fix it."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule = rule
        self.reason = reason


class Keys(Protocol):
    def list(self, workspace_id: str) -> "list[ApiKey]": ...
    def get(self, hash: str) -> "ApiKey": ...
    def create(self, key: "NewKey") -> "CreatedKey": ...
    def update(self, hash: str, patch: "KeyPatch") -> "ApiKey": ...
    def delete(self, hash: str) -> None: ...


class Workspaces(Protocol):
    def list(self) -> "list[Workspace]": ...


class Organization(Protocol):
    def members(self) -> "list[Member]": ...


class Guardrails(Protocol):
    def list(self, workspace_id: str | None = None) -> "list[Guardrail]": ...
    def get(self, id: str) -> "Guardrail": ...
    def assignments(self) -> "builtins.list[KeyAssignment]": ...
    def assigned(self, id: str) -> "builtins.list[KeyAssignment]": ...
    def member_assignments(self) -> "builtins.list[MemberAssignment]": ...
    def assign(self, id: str, hashes: Sequence[str]) -> None: ...
    def unassign(self, id: str, hashes: Sequence[str]) -> None: ...


class Account(Protocol):
    """One OpenRouter account under its management key."""

    @property
    def keys(self) -> Keys: ...
    @property
    def workspaces(self) -> Workspaces: ...
    @property
    def organization(self) -> Organization: ...
    @property
    def guardrails(self) -> Guardrails: ...
    @property
    def byok(self) -> key_lists.Byok: ...
    @property
    def destinations(self) -> key_lists.Destinations: ...
    def with_key(self, api_key: SecretStr) -> Self:
        """The same account under another key, to ask `current_key` of it."""

    def current_key(self) -> "CurrentKey": ...


@dataclass(frozen=True)
class Ports:
    """What outlives an invocation. `leases`: the account's lists as an earlier step read them."""

    policy: Policy
    secrets: SecretVersions
    lineages: Lineages
    causes: CauseStore
    bus: Publisher
    connect: Connect[Account]
    clock: Clock
    log: Log
    leases: Leases = field(default_factory=Leases)


@dataclass(frozen=True)
class Rotating:
    """One step in hand: the secret as it is, and the workload whose it is."""

    ports: Ports
    account: Callable[[], Account]
    workload: Workload
    secret: SecretState
    token: str

    def lineage(self) -> Lineage:
        return self.ports.lineages.get(self.workload.name)

    def causes(self) -> Causes:
        return self.ports.causes.causes(self.workload.name)

    @property
    def finishing(self) -> Finishing:
        ports = self.ports
        return Finishing(
            self.workload, self.secret.arn, ports.secrets, ports.lineages, ports.causes, ports.bus, ports.clock
        )
