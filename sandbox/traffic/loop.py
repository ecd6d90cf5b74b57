"""The runaway: an agent that calls itself without end, laid over whatever its key spends by itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

_RAMP = 120
_GO, _STOP = 20, 10
_COURSES: Mapping[str, Callable[[int], float]] = {
    "flat": lambda _minute: 1.0,
    "ramp": lambda minute: min((minute + 1) / _RAMP, 1.0),
    "stop and go": lambda minute: float(minute % (_GO + _STOP) < _GO),
}
COURSES: tuple[str, ...] = tuple(_COURSES)
"""How a loop burns: at once; up to its rate over two hours; twenty minutes in thirty."""


@dataclass(frozen=True)
class Loop:
    """`usd_per_hour` from the minute `start` to before `end` (None: for ever), give or take a fifth each minute."""

    usd_per_hour: float
    start: int
    end: int | None = None
    course: str = "flat"

    def minute_spend(self, minute: int) -> float:
        """USD in this epoch minute."""
        if minute < self.start or (self.end is not None and minute >= self.end):
            return 0.0
        uneven = Random(f"loop {self.start} {minute}").uniform(0.8, 1.2)
        return self.usd_per_hour / 60 * uneven * _COURSES[self.course](minute - self.start)


def loop(usd_per_hour: float, start: int, end: int | None = None, course: str = "flat") -> Loop:
    """A runaway that starts in the epoch minute `start`. `course`: one of `COURSES`."""
    return Loop(usd_per_hour, start, end, course)
