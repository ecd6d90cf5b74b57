"""Loops of other kinds than the flat one: where they begin, and what they burn beside the key's own spend."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from sandbox.traffic import loop

DAY = 1440
FLAT = "flat"
_SWAP = 20  # times the price, after a model was exchanged
_STORM = 12  # every request tried so often again


@dataclass(frozen=True)
class Kind:
    """`start(dice, spend, first, last)`: its first minute. `rates`: USD an hour; 0 where it multiplies the spend."""

    start: Callable[[Random, Sequence[float], int, int], int]
    rates: tuple[int, ...]
    course: str = "flat"
    times: int = 0


def _anywhere(dice: Random, _spend: Sequence[float], first: int, last: int) -> int:
    return dice.randrange(first, last)


def _in_a_job(dice: Random, spend: Sequence[float], first: int, last: int) -> int:
    """Ten minutes into the dearest hour of a day; of the dearest of five days, since many days know no job."""
    days = [dice.randrange(first // DAY, last // DAY) * DAY for _ in range(5)]
    hours = [(sum(spend[hour : hour + 60]), hour) for day in days for hour in range(day, day + DAY, 60)]
    return min(max(hours)[1] + 10, last)


def _at_a_weekend(dice: Random, _spend: Sequence[float], first: int, last: int) -> int:
    """From Friday at 18:00 on. The days begin with a Monday."""
    weeks = range(first // (7 * DAY), last // (7 * DAY))
    return dice.choice(weeks) * 7 * DAY + 4 * DAY + 18 * 60


ATTACKS: Mapping[str, Kind] = {
    FLAT: Kind(_anywhere, (20, 100, 500)),
    "in a job": Kind(_in_a_job, (100, 500)),
    "at a weekend": Kind(_at_a_weekend, (100, 500)),
    "ramp": Kind(_anywhere, (100, 500), "ramp"),
    "stop and go": Kind(_anywhere, (100, 500), "stop and go"),
    "model swap": Kind(_anywhere, (0,), times=_SWAP),
    "retry storm": Kind(_anywhere, (0,), times=_STORM),
}


@dataclass(frozen=True)
class Attack:
    """A loop of a kind that begins at the minute `start` since the key was first seen."""

    kind: str
    usd_per_hour: int
    start: int

    def usd(self, base: int, minute: int, own: float) -> float:
        """USD that it burns in this minute, beside `own`, the key's own spend. `base`: the epoch minute of 0."""
        kind = ATTACKS[self.kind]
        if kind.times:
            return own * (kind.times - 1)
        return loop(self.usd_per_hour, base + self.start, course=kind.course).minute_spend(base + minute)
