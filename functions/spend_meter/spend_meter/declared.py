"""Windows in which the policy says that a workload's spend is meant (`runaway.expect`). Pure.

While what was spent in a window is at most its ceiling, none of it counts against the workload's habit, and none of it
is learned. Beyond the ceiling all of it counts, as if nothing had been declared.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

from governor.policy import ExpectedSpend
from spend_meter.days import DAY
from spend_meter.history import History
from spend_meter.periods import minute_of, moment_of

_HOUR = 60


@dataclass(frozen=True)
class Declared:
    """A window: from the minute `start` to before `end`, up to `up_to_usd`, of those 24 hours at most."""

    name: str
    start: int
    end: int
    up_to_usd: float

    def spent(self, history: History) -> float:
        """USD that the last 24 hours brought in this window."""
        return history.spent_between(DAY, self.start, self.end)

    def covers(self, history: History) -> bool:
        """Whether what was spent in it is meant."""
        return self.spent(history) <= self.up_to_usd


def counted(history: History, declared: Sequence[Declared]) -> Callable[[int], float]:
    """USD of a window of so many minutes that counts against the habit: all but what is declared as meant."""
    covered = [one for one in declared if one.covers(history)]
    if not covered:
        return history.spent

    def count(window: int) -> float:
        meant = sum(history.spent_between(window, one.start, one.end) for one in covered)
        return max(history.spent(window) - meant, 0.0)

    return count


def declared_at(rules: tuple[ExpectedSpend, ...], zone: str, minute: int) -> tuple[Declared, ...]:
    """The windows that have begun and of which the last 24 hours hold a part, in order.

    Of windows that overlap, the highest ceiling counts for all that they cover together.
    """
    if not rules:
        return ()
    around = _around(rules, zone, minute // _HOUR)
    return _together(one for one in around if one.start <= minute and one.end > minute - DAY)


@lru_cache(maxsize=4096)
def _around(rules: tuple[ExpectedSpend, ...], zone: str, hour: int) -> tuple[Declared, ...]:
    """The windows that overlap this hour (since 1970) or the day before it. Kept: a calendar is slow to read."""
    last = moment_of((hour + 1) * _HOUR)
    first = moment_of(hour * _HOUR - DAY)
    found = [
        Declared(rule.name, minute_of(start), minute_of(end), rule.up_to_usd)
        for rule in rules
        for start, end in rule.windows(ZoneInfo(zone), first, last)
    ]
    return tuple(sorted(found, key=lambda one: (one.start, one.end)))


def _together(windows: Iterable[Declared]) -> tuple[Declared, ...]:
    merged: list[Declared] = []
    for one in windows:
        if merged and one.start < merged[-1].end:
            before = merged.pop()
            highest = max(before, one, key=lambda window: window.up_to_usd)
            one = Declared(highest.name, before.start, max(before.end, one.end), highest.up_to_usd)
        merged.append(one)
    return tuple(merged)
