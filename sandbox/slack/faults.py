"""Faults on request: what the simulator does wrong, on which method, how often."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

Kind = Literal["fail_before", "fail_after", "rate_limited", "server_error", "slow", "refused"]
KINDS = get_args(Kind)


@dataclass
class Fault:
    """One fault. `method`: a Web API method, or `*`. `times`: how often, 0 for until cleared.

    `fail_before`: the connection breaks and nothing is done. `fail_after`: it is done and the answer is lost.
    `rate_limited`: 429 with `Retry-After: retry_after` (seconds). `server_error`: 500 without effect.
    `slow`: done, answered after `seconds`. `refused`: `{"ok": false, "error": error}` without effect.
    `skip`: calls let through first.
    """

    method: str
    kind: Kind
    times: int = 1
    skip: int = 0
    retry_after: int = 1
    seconds: float = 10.0
    error: str = "invalid_auth"
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}: one of {', '.join(KINDS)}")


class Faults:
    """The faults that stand, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._standing: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._standing.append(fault)

    def clear(self) -> None:
        self._standing.clear()

    def standing(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._standing]

    def next(self, method: str) -> Fault | None:
        """The fault that this call suffers, used up by it."""
        for fault in self._standing:
            if fault.method not in {method, "*"}:
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            if fault.times == 1:
                self._standing.remove(fault)
            elif fault.times:
                fault.times -= 1
            return fault
        return None
