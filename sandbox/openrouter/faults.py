"""Faults on request, per route: what goes wrong, how often, and after how many good answers."""

import re
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sandbox.openrouter.refusals import Refusal

type Mode = Literal["fail_before", "fail_after", "429", "500", "503", "409", "slow", "reset", "stale_list"]

_STATUS_OF_MODE = {"429": 429, "500": 500, "503": 503, "409": 409}


@dataclass(slots=True)
class Fault:
    """`path` is a route's template, or a regular expression over `path` or `path?query` (below `/api/v1`), whole.

    `fail_before` and `reset` close the connection before the effect, `fail_after` when the effect has happened and
    before any answer; with `status`, that status is answered instead. `slow` has its effect at once and answers
    `seconds` later. `stale_list` answers from the state as it was when the fault was set.
    The first `after` matching requests are spared; then `times` are struck (None: all).
    """

    path: str
    mode: Mode
    method: str | None = None
    times: int | None = 1
    after: int = 0
    seconds: float = 1.0
    retry_after: float | None = None
    status: int | None = None
    seen: int = field(default=0)

    def __post_init__(self) -> None:
        if self.mode not in Mode.__value__.__args__:
            raise ValueError(f"unknown fault mode: {self.mode}")
        re.compile(self.path)

    def matches(self, method: str, template: str, target: str) -> bool:
        """`target` is `path?query` as requested."""
        if self.method and self.method != method:
            return False
        if self.mode == "stale_list" and method != "GET":
            return False
        bare = target.partition("?")[0]
        return self.path == template or any(re.fullmatch(self.path, each) for each in (bare, target))

    def strikes(self) -> bool:
        """Count one matching request; whether it is struck."""
        self.seen += 1
        return self.seen > self.after and (self.times is None or self.seen <= self.after + self.times)

    @property
    def spares_the_effect(self) -> bool:
        return self.mode not in ("fail_after", "slow", "stale_list")

    def refusal(self) -> Refusal | None:
        """What is answered instead; None closes the connection."""
        status = _STATUS_OF_MODE.get(self.mode) or self.status
        return Refusal(status, _MESSAGES.get(status, "Fault"), retry_after=self.retry_after) if status else None


_MESSAGES = {
    409: "Resource conflict. Please try again later.",
    429: "Rate limit exceeded",
    500: "Internal Server Error",
    503: "Service temporarily unavailable",
}


class Faults:
    """Those standing, in the order they were set; the first that strikes a request is the one it meets."""

    def __init__(self) -> None:
        self._standing: list[tuple[Fault, Any]] = []

    def add(self, fault: Fault, snapshot: Any = None) -> None:
        """`snapshot` is the state that a stale list answers from."""
        self._standing.append((fault, snapshot))

    def clear(self) -> None:
        self._standing.clear()

    def striking(self, method: str, template: str, target: str) -> tuple[Fault, Any] | None:
        for fault, snapshot in self._standing:
            if fault.matches(method, template, target) and fault.strikes():
                return fault, snapshot
        return None

    def view(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault, _ in self._standing]
