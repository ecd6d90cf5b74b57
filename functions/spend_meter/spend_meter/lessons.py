"""What a person said was meant: this much, in this long, at this time of the month. 60 bytes of a subject's history.

A month-end job looks like a loop the first time. Once somebody presses *Expected*, as much is left alone for the three
days after it, and wherever the calendar is alike for the next thirteen months: within two days of the same day of the
month, or of the same distance from its end. So a yearly close is known after the first, and a loop of the same size is
still found on the other days.
"""

import math
import struct
from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from typing import Self

from spend_meter.days import DAY, WINDOWS

COUNT = 3
"""Lessons kept; a further one takes the place of the oldest."""
LASTS = 400
"""Days."""
AFTERWARDS = 3 * DAY
"""Minutes for which a lesson holds whatever the calendar says: a job that was stopped is run again."""
_ALIKE = 2  # days: a job moves off a weekend
_EPOCH = date(1970, 1, 1).toordinal()
_LAYOUT = struct.Struct(f"<{COUNT}I{len(WINDOWS) * COUNT}f")
SIZE = _LAYOUT.size
_NONE = bytes(SIZE)


class Lessons:
    """Up to `COUNT` lessons of (minute, USD by window). Mutable; compared by its bytes."""

    __slots__ = ("_lessons",)

    def __init__(self) -> None:
        self._lessons: list[tuple[int, tuple[float, ...]]] = []

    def add(self, minute: int, spent: Sequence[float]) -> None:
        """Spend by window that was meant, at this minute. One that continues the last is the same lesson, grown.

        What is known already takes no place.
        """
        spent = tuple(spent)
        if all(usd <= self.meant(i, minute) for i, usd in enumerate(spent)):
            return
        if self._lessons and minute - self._lessons[-1][0] < AFTERWARDS:
            first, before = self._lessons.pop()
            minute, spent = first, tuple(map(max, before, spent))
        self._lessons = [*self._lessons[-(COUNT - 1) :], (minute, spent)]

    def meant(self, i: int, minute: int) -> float:
        """USD in the window `i` that was meant at times like this minute; 0 where nobody said so.

        What was meant in one window is meant in a shorter one, too: the same job on a quiet night is done sooner. In a
        longer one it may have grown, by the power of two thirds of how much longer that is: nobody saw its end
        when it was explained.
        """
        return max((_reach(i, spent) for at, spent in self._lessons if _holds(at, minute)), default=0.0)

    def to_bytes(self) -> bytes:
        if not self._lessons:
            return _NONE
        lessons = [*self._lessons, *[(0, (0.0,) * len(WINDOWS))] * (COUNT - len(self._lessons))]
        return _LAYOUT.pack(*(at for at, _ in lessons), *(usd for _, spent in lessons for usd in spent))

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Raises `struct.error` when the bytes are of another length."""
        lessons = cls()
        if content == _NONE:
            return lessons
        values = _LAYOUT.unpack(content)
        for k in range(COUNT):
            if values[k]:
                lessons._lessons.append((values[k], values[COUNT + len(WINDOWS) * k :][: len(WINDOWS)]))
        return lessons


def _reach(i: int, spent: Sequence[float]) -> float:
    """USD that a lesson allows in the window `i`."""
    return max(usd * math.pow(max(WINDOWS[i] / window, 1.0), 2 / 3) for usd, window in zip(spent, WINDOWS, strict=True))


def _holds(at: int, minute: int) -> bool:
    if minute - at < AFTERWARDS:
        return minute >= at - DAY
    if minute - at > LASTS * DAY:
        return False
    then, now = date.fromordinal(_EPOCH + at // DAY), date.fromordinal(_EPOCH + minute // DAY)
    return abs(then.day - now.day) <= _ALIKE or abs(_from_the_end(then) - _from_the_end(now)) <= _ALIKE


def _from_the_end(day: date) -> int:
    return monthrange(day.year, day.month)[1] - day.day
