"""At which hours a subject spends, and how long it ever burned without a pause: 122 bytes beside its daily maxima.

Money is USD, times are UTC. What is learned is kept by blocks of 28 days, the present one and the one before: an hour's
habit is known for 28 to 56 days, and then forgotten.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from math import ceil, log2

from spend_meter.days import half_float

HOURS = 24
BLOCK = 28
"""Days."""
STRETCHES = (4, 8, 12)
"""Half hours on end. Of each: the least that one of them brought, in the highest stretch of that length."""
_CENT = 0.01
_STEPS = 12  # codes to a doubling: an amount comes back at most 6 % too high, never too low
_USD = (0.0, *(_CENT * 2 ** (code / _STEPS) for code in range(255)))  # up to $23,000 an hour; above, it saturates
_LAYOUT = struct.Struct(f"<{4 * HOURS}s{3 * len(STRETCHES)}eI")
SIZE = _LAYOUT.size
_COUNT = len(STRETCHES)


class Hours:
    """What clock hours and stretches of half hours have brought. Mutable; compared by its bytes.

    `coarse_minute`: the last minute of a lump whose spend is only known to lie somewhere in its span; 0 for none.
    """

    __slots__ = ("_largest", "_stretches", "coarse_minute")

    def __init__(self) -> None:
        self.coarse_minute = 0
        self._largest = bytearray(4 * HOURS)  # by hour: this block's largest, and second; the last block's two
        self._stretches = [0.0] * (3 * _COUNT)  # today's, this block's, the last block's

    def half_hour_over(self, spent: Callable[[int], float]) -> None:
        """A half hour with spend is over. `spent(back)`: USD in the half hour that lies `back` before it."""
        low, done = spent(0), 0
        for i, count in enumerate(STRETCHES):
            low = min(low, *map(spent, range(done, count)))
            done = count
            self._stretches[i] = max(self._stretches[i], half_float(low))

    def burned(self, halves: Sequence[float]) -> None:
        """These half hours on end, USD each, were no runaway after all: their highest stretches are today's."""
        for i, count in enumerate(STRETCHES):
            best = max(min(halves[at : at + count]) for at in range(len(halves) - count + 1))
            self._stretches[i] = max(self._stretches[i], half_float(best))

    def day_over(self, hours: Iterable[float]) -> None:
        """A day that may teach is over. `hours`: USD of each of its 24."""
        for hour, usd in enumerate(hours):
            self._enter(hour, usd)
        for i in range(_COUNT):
            self._stretches[_COUNT + i] = max(self._stretches[_COUNT + i], self._stretches[i])

    def next_day(self, day: int, passed: int) -> None:
        """The epoch day `day` is over, and `passed` days are: what today's stretches held is gone, blocks may end."""
        self._stretches[:_COUNT] = [0.0] * _COUNT
        for _ in range(min((day + passed) // BLOCK - day // BLOCK, 2)):
            self._largest[2 * HOURS :] = self._largest[: 2 * HOURS]
            self._largest[: 2 * HOURS] = bytes(2 * HOURS)
            self._stretches[2 * _COUNT :] = self._stretches[_COUNT : 2 * _COUNT]
            self._stretches[_COUNT : 2 * _COUNT] = [0.0] * _COUNT

    def forget_today(self) -> None:
        """Today's stretches teach nothing: they were a runaway's."""
        self._stretches[:_COUNT] = [0.0] * _COUNT

    def learn(self, day: int, spend: Callable[[int], float]) -> None:
        """One past day from analytics. `spend(hour)`: USD in that hour since 1970."""
        for hour in range(day * HOURS, day * HOURS + HOURS):
            self._enter(hour % HOURS, spend(hour))
            for i, count in enumerate(STRETCHES):
                low = min(spend(hour - back) for back in range(count // 2))
                self._stretches[_COUNT + i] = max(self._stretches[_COUNT + i], half_float(low))

    def usual(self, first: int, last: int) -> float:
        """USD that the clock hours from `first` to `last` (since 1970) may bring together.

        Of each hour the second-largest day counts, so that one rerun by day does not blind the hour for a month; all of
        them may have moved by an hour, as a job does with daylight saving.
        """
        second = [self._second(hour % HOURS) for hour in range(first - 1, last + 2)]
        return max(sum(second[shift : shift + last - first + 1]) for shift in range(3))

    def stretch(self, i: int) -> float:
        """USD that each half hour of the highest `STRETCHES[i]` on end brought at least, today's included."""
        return max(self._stretches[i::_COUNT])

    def to_bytes(self) -> bytes:
        return _LAYOUT.pack(bytes(self._largest), *self._stretches, self.coarse_minute)

    @classmethod
    def from_bytes(cls, content: bytes) -> "Hours":
        """Raises `struct.error` when the bytes are of another length."""
        hours = cls.__new__(cls)
        largest, *stretches, hours.coarse_minute = _LAYOUT.unpack(content)
        hours._largest, hours._stretches = bytearray(largest), stretches
        return hours

    def _second(self, hour: int) -> float:
        new, newer, old, older = self._largest[hour::HOURS]  # new >= newer, old >= older
        return _USD[max(min(new, old), newer, older)]

    def _enter(self, hour: int, usd: float) -> None:
        if usd <= _CENT:
            return
        code = min(ceil(_STEPS * log2(usd / _CENT)) + 1, 255)
        first, second = self._largest[hour], self._largest[HOURS + hour]
        if code > second:
            self._largest[hour], self._largest[HOURS + hour] = max(code, first), min(code, first)
