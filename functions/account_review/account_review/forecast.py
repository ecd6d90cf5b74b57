"""What the month will have cost, with an interval that was tried on the account's own past. Pure.

Each day to come is expected to cost what its weekday cost in the last two weeks on average: a week's rhythm is the one
regular thing in such spend. The same forecast is made as of every earlier day that has two weeks before it and as many
known days after it as the month has left; how far each was off, as actual / forecast, gives the interval: the second
smallest and second largest of at least ten such ratios enclose about eight of ten outcomes. With fewer there is none:
no interval is better than one that was not tried.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from account_review.costs import NOUGHT

DAY = timedelta(days=1)
PAST = 14
LEAST_TRIALS = 10
SHARE = Decimal("0.8")


@dataclass(frozen=True)
class Forecast:
    """USD of the calendar month (UTC). `so_far`: completed days. `low`, `high`: None where too little past was there.

    `trials`: forecasts of the past that the interval rests on; `held`: of them, how many came out within it.
    """

    month: date
    so_far: Decimal
    expected: Decimal
    low: Decimal | None = None
    high: Decimal | None = None
    trials: int = 0
    held: int = 0


def forecast(days: Mapping[date, Decimal], today: date) -> Forecast | None:
    """None where the last two weeks are not all known. `days`: completed days; one that is missing is unknown."""
    first = today.replace(day=1)
    end = (first + timedelta(days=32)).replace(day=1)
    left = (end - today).days
    if any(first + DAY * n not in days for n in range((today - first).days)):
        return None
    so_far = sum((usd for day, usd in days.items() if first <= day < today), NOUGHT)
    rest = _ahead(days, today, left)
    if rest is None:
        return None
    ratios = _tried(days, today, left)
    if len(ratios) < LEAST_TRIALS:
        return Forecast(first, so_far, so_far + rest, trials=len(ratios))
    cut = int(len(ratios) * (1 - SHARE) / 2)
    low, high = ratios[cut], ratios[-1 - cut]
    held = sum(low <= one <= high for one in ratios)
    return Forecast(first, so_far, so_far + rest, so_far + rest * low, so_far + rest * high, len(ratios), held)


def _ahead(days: Mapping[date, Decimal], start: date, count: int) -> Decimal | None:
    """What `count` days from `start` on will cost, as seen on that morning; None where the past is not all known."""
    past = [days.get(start - DAY * n) for n in range(1, PAST + 1)]
    known = [one for one in past if one is not None]
    if len(known) < PAST:
        return None
    total = NOUGHT
    for number in range(count):
        # past[k] is the day k + 1 days before; the same weekday is 7 - number % 7 days back, and a week more.
        back = 6 - number % 7
        total += (known[back] + known[back + 7]) / 2
    return total


def _tried(days: Mapping[date, Decimal], today: date, left: int) -> list[Decimal]:
    """actual / forecast, in order, of every earlier morning that had as many known days after it."""
    ratios = []
    for start in sorted(days):
        span = [days.get(start + DAY * n) for n in range(left)]
        known = [one for one in span if one is not None]
        expected = _ahead(days, start, left) if start + DAY * left <= today and len(known) == left else None
        if expected:
            ratios.append(sum(known, NOUGHT) / expected)
    return sorted(ratios)
