"""From outcomes to figures: what is required, and what is shown beside it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from math import ceil, inf
from statistics import median

from spend_meter.history import DAY
from tests.bench.detector.replay import DAYS, LEARNING, LOOP_RATES, Outcome

MONTHS = (DAYS - LEARNING) / 30


@dataclass(frozen=True)
class Loops:
    """Loops of one rate. Minutes and USD are of them all: a missed one took for ever, and cost what it had by then."""

    loops: int
    missed: int
    minutes_median: float | None
    minutes_p95: float | None
    usd_median: float
    usd_p95: float


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


@dataclass(frozen=True)
class Requirement:
    """A figure that must hold."""

    name: str
    value: float | None
    at_most: float

    @property
    def holds(self) -> bool:
        return self.value is not None and self.value <= self.at_most


def row(rule: str, outcomes: Sequence[Outcome]) -> Row:
    """The figures of one rule over these outcomes."""
    keys = len(outcomes)

    def after(minutes: Callable[[Outcome], Iterable[int]]) -> tuple[int, int]:
        late = [minute >= LEARNING * DAY for outcome in outcomes for minute in minutes(outcome)]
        return sum(late), len(late) - sum(late)

    confirmed, learning_confirmed = after(lambda outcome: outcome.confirmed)
    suspected, learning_suspected = after(lambda outcome: outcome.suspected)
    return Row(
        rule,
        keys,
        confirmed,
        suspected / keys / MONTHS,
        learning_confirmed,
        learning_suspected / keys / (LEARNING / 30),
        {rate: _caught(rate, outcomes) for rate in LOOP_RATES if any(outcome.caught for outcome in outcomes)},
    )


def requirements(every_minute: Row, others: Sequence[Row]) -> list[Requirement]:
    """The issue's own: confirmed false alarms over all sixty days, and however the readings came in."""
    return [
        Requirement("confirmed false alarms", every_minute.confirmed + every_minute.learning_confirmed, 0),
        *(Requirement(f"confirmed false alarms, {o.rule}", o.confirmed + o.learning_confirmed, 0) for o in others),
        Requirement("suspected per key and month", every_minute.suspected, 0.05),
        Requirement("minutes to confirm $500 an hour, median", every_minute.caught[500].minutes_median, 4),
        Requirement("minutes to confirm $100 an hour, median", every_minute.caught[100].minutes_median, 10),
    ]


def as_json(row: Row) -> dict[str, object]:
    """For the report's file; a median of None is `never`."""
    return asdict(row)


def _caught(rate: int, outcomes: Sequence[Outcome]) -> Loops:
    loops = [loop for outcome in outcomes for loop in outcome.caught if loop.usd_per_hour == rate]
    minutes = sorted(inf if loop.minutes is None else loop.minutes for loop in loops)
    usd = sorted(loop.usd for loop in loops)
    at95 = ceil(0.95 * len(loops)) - 1
    return Loops(
        len(loops),
        sum(loop.minutes is None for loop in loops),
        _finite(median(minutes)),
        _finite(minutes[at95]),
        median(usd),
        usd[at95],
    )


def _finite(minutes: float) -> float | None:
    return None if minutes == inf else minutes
