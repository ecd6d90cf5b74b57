"""From outcomes to figures: what is required, and what is shown beside it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from math import ceil, inf
from statistics import median

from spend_meter.days import DAY
from spend_meter.limits import LIMITS
from tests.bench.detector.attacks import FLAT
from tests.bench.detector.replay import DAYS, LEARNING, Caught, Leaked, Outcome

MONTHS = (DAYS - LEARNING) / 30
KNOWN_DAYS = 14
"""Days of spend from which a key counts as known."""


@dataclass(frozen=True)
class Loops:
    """Loops of one rate. Minutes and USD are of them all: a missed one took for ever, and cost a day of itself.

    `missed`: not confirmed within 8 hours; `unheard`: neither suspected nor confirmed by then.
    """

    loops: int
    missed: int
    unheard: int
    minutes_median: float | None
    minutes_p95: float | None
    usd_median: float
    usd_p95: float
    usd_total: float


@dataclass(frozen=True)
class Row:
    """One rule over some keys. `learning_*`: before day 28, not part of the rest; suspicions are per key and month."""

    rule: str
    keys: int
    confirmed: int
    suspected: float
    learning_confirmed: int
    learning_suspected: float
    caught: dict[int, Loops]

    @property
    def ever_confirmed(self) -> int:
        return self.confirmed + self.learning_confirmed


@dataclass(frozen=True)
class Requirement:
    """A figure that must hold."""

    name: str
    value: float | None
    at_most: float

    @property
    def holds(self) -> bool:
        return self.value is not None and self.value <= self.at_most


def row(rule: str, outcomes: Sequence[Outcome], attack: str = FLAT) -> Row:
    """The figures of one rule over these outcomes, and over their loops of this kind."""
    keys = len(outcomes)

    def after(minutes: Callable[[Outcome], Iterable[int]]) -> tuple[int, int]:
        late = [minute >= LEARNING * DAY for outcome in outcomes for minute in minutes(outcome)]
        return sum(late), len(late) - sum(late)

    confirmed, learning_confirmed = after(lambda outcome: outcome.confirmed)
    suspected, learning_suspected = after(lambda outcome: outcome.suspected)
    caught = [one for outcome in outcomes for one in outcome.caught if one.attack == attack]
    return Row(
        rule,
        keys,
        confirmed,
        suspected / keys / MONTHS,
        learning_confirmed,
        learning_suspected / keys / (LEARNING / 30),
        {rate: loops([one for one in caught if one.usd_per_hour == rate]) for rate in _rates(caught)},
    )


def loops(caught: Sequence[Caught]) -> Loops:
    """The figures of these loops; there must be one at least."""
    minutes = sorted(inf if one.minutes is None else one.minutes for one in caught)
    usd = sorted(one.usd for one in caught)
    at95 = ceil(0.95 * len(caught)) - 1
    return Loops(
        len(caught),
        sum(one.missed for one in caught),
        sum(one.unheard for one in caught),
        _finite(median(minutes)),
        _finite(minutes[at95]),
        median(usd),
        usd[at95],
        sum(usd),
    )


def loops_on(outcomes: Iterable[Outcome], rate: int, monthly_usd: float | None = None) -> Loops:
    """Flat loops of a rate on keys with at least `KNOWN_DAYS` days of spend."""
    return loops(
        [
            one
            for outcome in outcomes
            if monthly_usd is None or outcome.key.monthly_usd == monthly_usd
            for one in outcome.caught
            if one.attack == FLAT and one.usd_per_hour == rate and one.days >= KNOWN_DAYS
        ]
    )


@dataclass(frozen=True)
class Leaks:
    """Slow leaks of one size. `heard`: told within their ten days. Medians of those that were heard, and of all."""

    times: float
    leaks: int
    heard: int
    hours_median: float | None
    usd_median: float


@dataclass(frozen=True)
class Sums:
    """Sums of many keys that spend as much together. `suspected`: a sum and month, from day 28 on.

    `heard`: by USD an hour of a loop spread over the keys, how many of how many were heard within 8 hours, and the
    median of their minutes (None: never).
    """

    monthly_usd: float
    sums: int
    suspected: float
    heard: dict[int, tuple[int, int, float | None]]


def sums_by_size(outcomes: Iterable[Outcome]) -> list[Sums]:
    """By what the keys spend in a month together."""
    by_size: dict[float, list[Outcome]] = {}
    for outcome in outcomes:
        by_size.setdefault(outcome.key.monthly_usd, []).append(outcome)
    figures = []
    for usd, some in sorted(by_size.items()):
        heard = {}
        for rate in _rates(one for outcome in some for one in outcome.caught):
            caught = [one for outcome in some for one in outcome.caught if one.usd_per_hour == rate]
            minutes = median(inf if one.heard is None else one.heard for one in caught)
            heard[rate] = sum(not one.unheard for one in caught), len(caught), _finite(minutes)
        figures.append(Sums(usd, len(some), row("", some).suspected, heard))
    return figures


def leaks_by_times(outcomes: Iterable[Outcome]) -> list[Leaks]:
    """By how many times the habit. A key that leaks less than the floor of a leak (`Limits.leak_floor`) is left out."""
    found: dict[float, list[Leaked]] = {}
    for outcome in outcomes:
        for one in outcome.leaked:
            if outcome.key.monthly_usd / 30 * (one.times - 1) >= LIMITS.leak_floor:
                found.setdefault(one.times, []).append(one)
    figures = []
    for times, leaks in sorted(found.items()):
        hours = [one.hours for one in leaks if one.hours is not None]
        middle = round(median(hours), 1) if hours else None
        figures.append(Leaks(times, len(leaks), len(hours), middle, median(one.usd for one in leaks)))
    return figures


def dollars(outcomes: Iterable[Outcome], rate: int) -> float:
    """USD that all flat loops of a rate cost within a day."""
    return sum(
        one.usd for outcome in outcomes for one in outcome.caught if one.attack == FLAT and one.usd_per_hour == rate
    )


def as_json(row: Row) -> dict[str, object]:
    """For the report's file; a median of None is `never`."""
    return asdict(row)


def _rates(caught: Iterable[Caught]) -> list[int]:
    return sorted({one.usd_per_hour for one in caught})


def _finite(minutes: float) -> float | None:
    return None if minutes == inf else minutes
