"""The runaway: an agent that calls itself without end, laid over whatever its key spends by itself."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Loop:
    """`usd_per_hour` from the minute `start` to before `end` (None: for ever), give or take a fifth each minute."""

    usd_per_hour: float
    start: int
    end: int | None = None

    def minute_spend(self, minute: int) -> float:
        """USD in this epoch minute."""
        if minute < self.start or (self.end is not None and minute >= self.end):
            return 0.0
        return self.usd_per_hour / 60 * Random(f"loop {self.start} {minute}").uniform(0.8, 1.2)


def loop(usd_per_hour: float, start: int, end: int | None = None) -> Loop:
    """A runaway that starts in the epoch minute `start`."""
    return Loop(usd_per_hour, start, end)
