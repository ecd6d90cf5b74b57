"""The largest spend of each window in each of the last 28 UTC days; USD."""

import struct
from collections.abc import Callable, Iterable
from itertools import chain
from math import log
from typing import Self

WINDOWS = (15, 60, 360, 1440)
"""Minutes. Up to an hour a window is exact; above, its oldest half hour counts only as far as it is complete."""
DAYS = 28
DAY = 1440
_UNSEEN = -1.0
_MOST = 65504.0  # the largest half float; above it a daily maximum saturates
_LAYOUT = struct.Struct(f"<{DAYS * len(WINDOWS)}e")
SIZE = _LAYOUT.size


class Days:
    """Daily maxima by window, in a ring of 28 days. Mutable; compared by its bytes.

    Bytes are decoded when a maximum is first asked for: of most subjects none is before the day ends.
    """

    __slots__ = ("_decoded", "_packed")

    def __init__(self) -> None:
        self._packed = b""
        self._decoded: list[list[float]] | None = [[_UNSEEN] * DAYS for _ in WINDOWS]

    @property
    def seen(self) -> int:
        """How many of the last 28 days taught something, an idle day included."""
        return DAYS - self._rows[-1].count(_UNSEEN)

    @property
    def with_spend(self) -> int:
        """How many of the days remembered had any spend."""
        return self.seen - self._rows[-1].count(0.0)

    def close(self, i: int, day: int, maximum: float, coarse: bool) -> None:
        """The day takes its place; of the one it pushes out half is left, or all if this one was coarse."""
        row = self._rows[i]
        left = row[day % DAYS]
        if maximum > 0 or not coarse:
            row[day % DAYS] = max(half_float(maximum), left if coarse else half_float(left / 2), 0.0)

    def of(self, i: int, day: int) -> float:
        """The maximum of this window on the epoch day, below 0 where it was not seen."""
        return self._rows[i][day % DAYS]

    def unseen(self, day: int) -> bool:
        return self._rows[-1][day % DAYS] == _UNSEEN

    def learn(self, day: int, spend: Callable[[int], float]) -> None:
        """A day not seen so far, from hours. `spend(hour)`: USD in that hour since 1970, the day before's included."""
        hours = [spend(hour) for hour in range(day * 24 - 23, day * 24 + 24)]
        for i, window in enumerate(WINDOWS):
            if self._rows[i][day % DAYS] == _UNSEEN:
                count = max(window // 60, 1)
                best = max(sum(hours[end - count + 1 : end + 1]) for end in range(23, 47))
                self._rows[i][day % DAYS] = half_float(best)

    def two_largest(self, i: int) -> tuple[float, float]:
        """The largest and second-largest maximum of this window (0 where none)."""
        largest = second = 0.0
        for value in self._rows[i]:
            if value > second:
                if value > largest:
                    largest, second = value, largest
                else:
                    second = value
        return largest, second

    def fifth_largest(self) -> float:
        """The fifth-largest maximum of the longest window (0 where none)."""
        return max(sorted(self._rows[-1])[-5], 0.0)

    def largest_of_weekdays(self, i: int, days: Iterable[int]) -> float:
        """The largest maximum among the four like weekdays of each of these epoch days."""
        row = self._rows[i]
        return max(row[(day + 7 * week) % DAYS] for day in days for week in range(DAYS // 7))

    def tail(self, i: int) -> float:
        """How far the three largest maxima stand above the fourth: the mean of their logarithms, at most 1."""
        row = sorted(self._rows[i], reverse=True)
        return min(log(row[0] * row[1] * row[2] / row[3] ** 3) / 3, 1.0) if row[3] > 0 else 1.0

    def together(self) -> float:
        """The largest 24 hours that ended in each day, summed: up to twice what a month of jobs cost."""
        return sum(value for value in self._rows[-1] if value > 0)

    def to_bytes(self) -> bytes:
        if self._decoded is None:
            return self._packed
        return _LAYOUT.pack(*chain.from_iterable(self._decoded))

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Raises `ValueError` when the bytes are of another length."""
        if len(content) != SIZE:
            raise ValueError(f"not the maxima of {DAYS} days: {len(content)} bytes, and should be {SIZE}")
        days = cls.__new__(cls)
        days._packed, days._decoded = content, None
        return days

    @property
    def _rows(self) -> list[list[float]]:
        """By window, then by day."""
        if self._decoded is None:
            values = _LAYOUT.unpack(self._packed)
            self._decoded = [list(values[i : i + DAYS]) for i in range(0, len(values), DAYS)]
        return self._decoded


def half_float(usd: float) -> float:
    """The value as it will come back from the bytes, so that a decoded history equals the one encoded."""
    return float(struct.unpack("<e", struct.pack("<e", min(usd, _MOST)))[0])
