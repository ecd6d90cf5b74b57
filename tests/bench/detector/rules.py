"""The rules under test, all fed alike: the meter's detector, and the three that people write first."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from copy import deepcopy
from math import inf
from typing import Protocol, Self

from governor.policy import ExpectedSpend
from spend_meter.days import DAY
from spend_meter.declared import counted, declared_at
from spend_meter.history import History
from spend_meter.leaks import Leak, meant, watch
from spend_meter.limits import LIMITS, Allowed, Level, Limits
from spend_meter.runaway import QUIET, Facts, judge, settle

WORTH_IT = 5.0
"""USD within the judged window below which a naive rule keeps quiet: without it they cry on every idle key."""
MONTH = 30 * DAY
LARGEST_DAYS = Limits(unusual_floor=(inf,) * 4, month_share=(inf, inf))
"""The detector as it was before it knew when a key spends: its largest days alone."""


class Rule(Protocol):
    """Told of each run on which there was spend, or whenever it `needs_tick`."""

    needs_tick: bool

    @property
    def days_of_spend(self) -> int:
        """Days of spend that it knows; 0 for a rule that does not count them."""

    def tick(self, minute: int, usd: float, span: int) -> Level:
        """The level after this run, which covers the last `span` minutes."""

    def lost(self, minute: int) -> None:
        """The spend up to this minute will never be known."""

    def copy(self) -> Self:
        """The same memory, to be led along another path."""


class Detector:
    """`spend_meter`'s own, with the budget as the meter would pass it. `leaks`: what this run tells of a slow leak.

    `suspects_only`: as the sum of many keys is judged, without the rule that no single key may make up most of it.
    """

    def __init__(
        self,
        minute: int,
        budget: float | None,
        hourly: Sequence[tuple[int, float]] = (),
        limits: Limits = LIMITS,
        expect: tuple[ExpectedSpend, ...] = (),
        suspects_only: bool = False,
    ) -> None:
        self._budget, self._limits, self._expect = budget, limits, expect
        self._suspects_only = suspects_only
        self._state = QUIET
        self._history = History.empty(minute)
        self._history.learn(hourly)
        self._leak: Leak | None = None
        self.needs_tick = False
        self.told = self.leaks = ""

    @property
    def days_of_spend(self) -> int:
        return self._history.days_of_spend

    def as_of(self, minute: int) -> History:
        """What it knows of the key as it stands at this minute, not to be changed."""
        history = History.from_bytes(self._history.to_bytes())
        history.advance(minute)
        return history

    def expected(self, minute: int, usd: float, span: int) -> None:
        """A person has said that what happens now is meant, as the meter would take it."""
        self._history.record(minute, usd, span)
        self._history.meant()
        self._state, self.needs_tick = QUIET, False
        self._leak = meant(self._leak) if self._leak else None

    def tick(self, minute: int, usd: float, span: int) -> Level:
        self._history.record(minute, usd, span)
        declared = declared_at(self._expect, "UTC", minute)
        facts = Facts(minute, Allowed(self._budget), self._state, declared, self._suspects_only)
        if self._suspects_only and self._history.days_seen < self._limits.warm_days:
            self._history.teach()
            return Level.QUIET
        verdict = judge(self._history, facts, self._limits)
        settle(self._history, verdict, declared)
        self._state = verdict.next_state
        self.needs_tick = self._state.needs_tick
        self.told = verdict.reason
        spent = counted(self._history, declared)(DAY) if declared else self._history.spent(DAY)
        self._leak, news = watch(self._leak, self._history, spent, Allowed(self._budget), self._state, self._limits)
        self.leaks = news.reason if news and news.announce else ""
        return verdict.level

    def lost(self, minute: int) -> None:
        self._history.unknown(minute)

    def copy(self) -> Self:
        return deepcopy(self)


class _Naive(ABC):
    """A sliding memory and an alarm that is confirmed at once. What it says within an hour is one alarm."""

    needs_tick = False
    days_of_spend = 0

    def __init__(self, minute: int, monthly_usd: float) -> None:
        self._spend = History.empty(minute)
        self._monthly = monthly_usd

    def tick(self, minute: int, usd: float, span: int) -> Level:
        return Level.CONFIRM if self._alarmed(minute, usd, span) else Level.QUIET

    def lost(self, minute: int) -> None:
        self._spend.unknown(minute)

    def copy(self) -> Self:
        return deepcopy(self)

    @abstractmethod
    def _alarmed(self, minute: int, usd: float, span: int) -> bool:
        """Whether the rule is broken at this minute."""


class DailyMean(_Naive):
    """Today has cost three times the mean of the last 28 days (from the eighth day on)."""

    def __init__(self, minute: int, monthly_usd: float) -> None:
        super().__init__(minute, monthly_usd)
        self._days: deque[float] = deque(maxlen=28)
        self._today = minute // DAY
        self._so_far = 0.0

    def _alarmed(self, minute: int, usd: float, span: int) -> bool:
        while self._today < minute // DAY:
            self._days.append(self._so_far)
            self._today += 1
            self._so_far = 0.0
        self._so_far += usd
        return len(self._days) > 7 and self._so_far > max(3 * sum(self._days) / len(self._days), WORTH_IT)


class Ewma(_Naive):
    """A quarter of an hour six deviations above an exponentially weighted mean with a half-life of a day."""

    _KEEP = 0.5 ** (15 / DAY)

    def __init__(self, minute: int, monthly_usd: float) -> None:
        super().__init__(minute, monthly_usd)
        self._quarter = self._first = minute // 15
        self._now = self._mean = self._square = 0.0

    def _alarmed(self, minute: int, usd: float, span: int) -> bool:
        passed = minute // 15 - self._quarter
        if passed:
            fade = self._KEEP ** (passed - 1)
            self._mean = (self._mean * self._KEEP + self._now * (1 - self._KEEP)) * fade
            self._square = (self._square * self._KEEP + self._now**2 * (1 - self._KEEP)) * fade
            self._quarter = minute // 15
            self._now = 0.0
        self._now += usd
        deviation = max(self._square - self._mean**2, 0.0) ** 0.5
        self._spend.record(minute, usd, span)
        learned = self._quarter - self._first > 7 * 96
        return learned and self._spend.spent(15) > max(self._mean + 6 * deviation, WORTH_IT)


class BurnRate(_Naive):
    """The month's budget (half as much again as it usually spends) burning 14.4 times too fast over 5 min and 1 h.

    The pair of windows and the factor of Google's SRE workbook, chapter 5, for a page.
    """

    def _alarmed(self, minute: int, usd: float, span: int) -> bool:
        self._spend.record(minute, usd, span)
        allowed = 14.4 * 1.5 * self._monthly / MONTH
        hour = self._spend.spent(60)
        return hour > max(60 * allowed, WORTH_IT) and self._spend.spent(5) > 5 * allowed
