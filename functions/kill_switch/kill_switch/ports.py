"""What the kill switch works with, and the account as it sees it: the few calls of OpenRouter's that it makes.

Every call of the account raises from `management_api.errors`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from governor.clock import Clock
from governor.policy import Policy
from governor.ports import Log
from kill_switch.store import KillSwitchStore

if TYPE_CHECKING:
    from management_api import (
        AnalyticsQuery,
        AnalyticsResult,
        ApiKey,
        Deadline,
        Guardrail,
        KeyAssignment,
        KeyPatch,
        Workspace,
    )


class Keys(Protocol):
    def list(self, workspace_id: str) -> "list[ApiKey]": ...
    def get(self, hash: str) -> "ApiKey": ...
    def update(self, hash: str, patch: "KeyPatch") -> "ApiKey": ...


class Workspaces(Protocol):
    def list(self) -> "list[Workspace]": ...
    def get(self, id: str) -> "Workspace": ...


class Guardrails(Protocol):
    def get(self, id: str) -> "Guardrail": ...
    def assignments(self) -> "list[KeyAssignment]": ...
    def assigned(self, id: str) -> "list[KeyAssignment]": ...


class Analytics(Protocol):
    def query(self, question: "AnalyticsQuery") -> "AnalyticsResult": ...


class Account(Protocol):
    """One OpenRouter account under its management key."""

    @property
    def keys(self) -> Keys: ...
    @property
    def workspaces(self) -> Workspaces: ...
    @property
    def guardrails(self) -> Guardrails: ...
    @property
    def analytics(self) -> Analytics: ...
    def within(self, deadline: "Deadline") -> Self:
        """The same account, every call of which ends by `deadline`."""


@dataclass(frozen=True)
class Ports:
    """`seconds_left`: how long this invocation may still take."""

    policy: Policy
    store: KillSwitchStore
    clock: Clock
    seconds_left: Callable[[], float]
    log: Log
