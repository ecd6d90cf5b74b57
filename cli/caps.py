"""The least cap that would not have refused anything, with a margin. Pure; USD, UTC days.

A cap is the bound on what a runaway can cost before anybody acts. OpenRouter resets limits at midnight UTC, weeks on
Monday, months on the first. A week's largest sum is taken over any seven days, which no Monday-to-Sunday week exceeds;
a month is the sum of the days that are known, stretched to 31.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

type Period = Literal["daily", "weekly", "monthly"]

PERIODS: tuple[Period, ...] = ("daily", "weekly", "monthly")
DAYS = 28
"""Complete days that are looked at, beside today."""
LEAST_DAYS = 7
"""Of a key that is younger, no cap is proposed: it has not shown a week yet."""
LEAST_USD = 1.0
"""No cap is lower: a key that spent nothing may be used tomorrow."""
MARGIN = 0.5
"""Above the largest sum seen: half as much again."""


@dataclass(frozen=True)
class Spend:
    """What the keys of one workload spent together. `since`: the first day that is known, of an older key the first of
    those looked at. `until`: today, which is not over."""

    credits: Mapping[date, float]
    byok: Mapping[date, float]
    since: date
    until: date

    def counted(self, *, include_byok: bool) -> Mapping[date, float]:
        """What counts against a cap, by day."""
        if not include_byok:
            return self.credits
        days = {*self.credits, *self.byok}
        return {day: self.credits.get(day, 0.0) + self.byok.get(day, 0.0) for day in days}

    @property
    def days(self) -> int:
        """Complete days that are known."""
        return (self.until - self.since).days


@dataclass(frozen=True)
class ProposedCap:
    """`most_usd`: the largest sum of the period that was seen, or for a month expected. `include_byok`: whether spend
    on our own provider keys counts, as it must where there is any: else no cap bounds it."""

    period: Period
    limit_usd: float
    most_usd: float
    include_byok: bool


def propose(spend: Spend, *, period: Period, margin: float = MARGIN, include_byok: bool = False) -> ProposedCap | None:
    """The cap of that period; None where less than `LEAST_DAYS` are known. Never below a sum that was seen.

    `margin`: a share, 0.5 is half as much again. `include_byok`: whether the key's limit counts BYOK spend already.
    """
    if spend.days < LEAST_DAYS:
        return None
    counts_byok = include_byok or any(spend.byok.values())
    most = _most(spend.counted(include_byok=counts_byok), spend, period)
    return ProposedCap(period, _rounded_up(max(most * (1 + margin), LEAST_USD)), most, counts_byok)


def _most(daily: Mapping[date, float], spend: Spend, period: Period) -> float:
    if period == "daily":
        return max(daily.values(), default=0.0)
    if period == "weekly":
        return max((_within(daily, day, 7) for day in daily), default=0.0)
    # Today belongs to the sum, and is not counted as a day: the stretch errs on the high side.
    return sum(daily.values()) * max(31 / spend.days, 1.0)


def _within(daily: Mapping[date, float], last: date, days: int) -> float:
    return sum(daily.get(last - timedelta(days=number), 0.0) for number in range(days))


def _rounded_up(usd: float) -> float:
    """To two significant digits, cents at the least."""
    step = max(10.0 ** (math.floor(math.log10(usd)) - 1), 0.01)
    return round(math.ceil(round(usd / step, 6)) * step, 2)
