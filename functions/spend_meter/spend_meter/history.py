"""A subject's spend in under 700 bytes: the last hour by minute, the last day by half hours, 28 days by their maxima.

A subject is one workload's lineage, or one undeclared key. Time is whole epoch minutes (UTC), money USD. The meter
keeps up to 10,000 of these, so a subject that spends nothing is neither decoded nor encoded: `advance`, however late,
gives what advancing every minute would have given.

What is learned: for each of `WINDOWS` the largest sum that ended in each of the last 28 UTC days. A day leaves half of
its maximum to the one that takes its place, so a habit seldom seen fades over months rather than vanishing overnight.
A day that could not be seen properly (unread time, a lump coarser than the window, a runaway) may raise what is known
but not lower it: what it would have pushed out stays whole. So no gap and no incident makes a habit look smaller.
"""

import struct
from array import array
from collections.abc import Sequence

WINDOWS = (15, 60, 360, 1440)
"""Minutes. Up to an hour a window is exact; above, its oldest half hour counts only as far as it is complete."""

DAYS = 28
DAY = 1440
_HALF = 30
_HALVES = 48
_ALL = (1 << len(WINDOWS)) - 1
_UNSEEN = -1.0
_MOST = 65504.0  # the largest half float; above it a daily maximum saturates
_COARSE = 3  # a lump that covers more than a third of a window says too little about its maximum
_VERSION = 1
_NOTHING = bytes(4 * len(WINDOWS))
_LAYOUT = struct.Struct(f"<BBII{2 * len(WINDOWS)}f60f{_HALVES}f{DAYS * len(WINDOWS)}e")


class History:
    """Spend of one subject up to `minute`, and the daily maxima it has taught so far. Mutable; compared by value.

    `since`: windows count what was spent after this minute, that of the last `rebaseline`.
    """

    __slots__ = ("_coarse", "_days", "_halves", "_minutes", "_today", "_withheld", "minute", "since")

    def __init__(self, minute: int) -> None:
        self.minute = minute
        self.since = 0
        self._coarse = 0
        self._minutes = array("f", bytes(4 * 60))
        self._halves = array("f", bytes(4 * _HALVES))
        self._today = array("f", _NOTHING)
        self._withheld = array("f", _NOTHING)
        self._days = [[_UNSEEN] * DAYS for _ in WINDOWS]

    @classmethod
    def empty(cls, minute: int) -> "History":
        """A subject first seen at this minute: nothing spent, nothing learned."""
        return cls(minute)

    def record(self, minute: int, usd: float, span: int = 1) -> None:
        """Spend seen at `minute`, which happened in the last `span` minutes; time before them is a known zero.

        A lump is spread evenly over its span: the one assumption that cannot make a burst of it. A minute already
        passed (the clock stepped back) counts as the present one.
        """
        minute = max(minute, self.minute)
        if usd <= 0:
            self._pass(minute)
            return
        if span <= 1:
            self._pass(minute)
            self._minutes[minute % 60] += usd
            self._halves[minute // _HALF % _HALVES] += usd
            return
        self._pass(max(minute - span, self.minute))
        self._pass(minute, sum(1 << i for i, window in enumerate(WINDOWS) if span * _COARSE > window))
        share = usd / span
        for when in range(max(minute - span, minute - DAY, self.since) + 1, minute + 1):
            if when > minute - 60:
                self._minutes[when % 60] += share
            if when // _HALF > minute // _HALF - _HALVES:
                self._halves[when // _HALF % _HALVES] += share

    def advance(self, minute: int) -> None:
        """Time passed up to `minute`, and it is known that nothing was spent in it."""
        if minute > self.minute:
            self._pass(minute)

    def unknown(self, minute: int) -> None:
        """Time passed up to `minute` whose spend will never be known: not zero, and nothing is learned from it.

        For a reading that merely failed, leave the history as it is: the next `record` covers it with its `span`.
        """
        if minute > self.minute:
            self._pass(minute, _ALL)

    def teach(self) -> None:
        """Let the windows that end now, and those withheld so far, count towards today's maxima."""
        for i, window in enumerate(WINDOWS):
            spent = max(self.spent(window), self._withheld[i])
            if spent > self._today[i]:
                self._today[i] = spent
        self._withheld = array("f", _NOTHING)

    def withhold(self) -> None:
        """Put the windows that end now aside: `teach` will count them, `discard` forget them."""
        for i, window in enumerate(WINDOWS):
            spent = self.spent(window)
            if spent > self._withheld[i]:
                self._withheld[i] = spent

    def discard(self) -> None:
        """Today so far, and what was withheld, teaches nothing."""
        self._coarse = _ALL
        self._withheld = array("f", _NOTHING)
        self._today = array("f", _NOTHING)

    def rebaseline(self, minute: int) -> None:
        """A runaway is over, or a human restored the key: its spend leaves every window, and never taught.

        `recent` still shows it: the messages about the incident are drawn from there.
        """
        self.advance(minute)
        self.discard()
        self.since = self.minute
        self._halves = array("f", bytes(4 * _HALVES))

    def set_back(self, minutes: int) -> None:
        """The clock was so many minutes ahead: all that is remembered happened so much earlier.

        Windows keep their sums. A day that is begun again keeps what it has taught.
        """
        before, self.minute = self.minute, max(self.minute - minutes, 0)
        self.since = max(self.since - minutes, 0)
        self._minutes = _rotated(self._minutes, before - self.minute)
        self._halves = _rotated(self._halves, before // _HALF - self.minute // _HALF)
        if self.minute // DAY != before // DAY:
            for i, row in enumerate(self._days):
                self._today[i] = max(self._today[i], row[self.minute // DAY % DAYS])

    def spent(self, window: int) -> float:
        """USD spent in the last `window` minutes (at most a day), the incident before a `rebaseline` left out."""
        if window <= 60:
            window = min(window, self.minute - self.since)
            return self._sum_minutes(window) if window > 0 else 0.0
        last = self.minute // _HALF
        count = min(window // _HALF, _HALVES)
        first = (last - count + 1) % _HALVES
        if first + count <= _HALVES:
            return sum(self._halves[first : first + count])
        return sum(self._halves[first:]) + sum(self._halves[: first + count - _HALVES])

    def recent(self, minutes: int = 60) -> list[float]:
        """USD by minute, oldest first, the present minute last; at most an hour."""
        return [self._minutes[when % 60] for when in range(self.minute - minutes + 1, self.minute + 1)]

    def maxima(self, window: int) -> tuple[float, float]:
        """The largest and second-largest daily maximum of this window, USD, over the days learned (0 where none)."""
        largest = second = 0.0
        for value in self._days[WINDOWS.index(window)]:
            if value > second:
                if value > largest:
                    largest, second = value, largest
                else:
                    second = value
        return largest, second

    @property
    def days_seen(self) -> int:
        """How many of the last 28 days taught something, an idle day included."""
        return DAYS - self._days[-1].count(_UNSEEN)

    @property
    def days_of_spend(self) -> int:
        """How many of the days remembered had any spend."""
        return self.days_seen - self._days[-1].count(0.0)

    def learn(self, hourly: Sequence[tuple[int, float]]) -> None:
        """Cold start: fill the days not seen so far from analytics: (hours since the epoch, USD), absent hours zero.

        The first day of the series is taken as the subject's first, so an hour of 0.0 may lead it. An hour's whole
        spend is taken for its busiest quarter: too large a habit delays an alarm, too small a one disables a good key.
        """
        spend = dict(hourly)
        if not spend:
            return
        today = self.minute // DAY
        for day in range(max(min(spend) // 24, today - DAYS), today):
            hours = [spend.get(hour, 0.0) for hour in range(day * 24 - 23, day * 24 + 24)]
            for i, window in enumerate(WINDOWS):
                if self._days[i][day % DAYS] == _UNSEEN:
                    count = max(window // 60, 1)
                    best = max(sum(hours[end - count + 1 : end + 1]) for end in range(23, 47))
                    self._days[i][day % DAYS] = _half_float(best)

    def to_bytes(self) -> bytes:
        """The whole of it; `from_bytes` gives an equal history."""
        days = [value for row in self._days for value in row]
        return _LAYOUT.pack(
            _VERSION,
            self._coarse,
            self.minute,
            self.since,
            *self._today,
            *self._withheld,
            *self._minutes,
            *self._halves,
            *days,
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> "History":
        """Raises `ValueError` when the bytes are of another version or length."""
        if len(content) != _LAYOUT.size or content[0] != _VERSION:
            raise ValueError(f"not a version {_VERSION} history: {len(content)} bytes, version {content[:1].hex()}")
        _, coarse, minute, since, *values = _LAYOUT.unpack(content)
        history = cls(minute)
        history._coarse, history.since = coarse, since
        count = len(WINDOWS)
        history._today = array("f", values[:count])
        history._withheld = array("f", values[count : 2 * count])
        history._minutes = array("f", values[2 * count : 2 * count + 60])
        history._halves = array("f", values[2 * count + 60 : 2 * count + 60 + _HALVES])
        days = values[2 * count + 60 + _HALVES :]
        history._days = [days[i * DAYS : (i + 1) * DAYS] for i in range(count)]
        return history

    def __eq__(self, other: object) -> bool:
        return isinstance(other, History) and self.to_bytes() == other.to_bytes()

    __hash__ = None  # type: ignore[assignment]  # mutable

    def _sum_minutes(self, window: int) -> float:
        if window >= 60:
            return sum(self._minutes)
        end = self.minute % 60 + 1
        if window <= end:
            return sum(self._minutes[end - window : end])
        return sum(self._minutes[:end]) + sum(self._minutes[end - window :])

    def _pass(self, minute: int, coarse: int = 0) -> None:
        """Time passes, too coarsely seen by the windows of these bits: rings are cleared, days that ended closed."""
        self._coarse |= coarse
        if minute == self.minute:
            return
        today, last = self.minute // DAY, minute // DAY
        if last > today:
            for i, row in enumerate(self._days):
                self._close(row, today, self._today[i], bool(self._coarse & (1 << i)))
                for day in range(max(today + 1, last - DAYS), last):
                    self._close(row, day, 0.0, bool(coarse & (1 << i)))
            self._coarse = coarse
            self._today = array("f", _NOTHING)
        self._clear_rings(minute)
        self.minute = minute

    @staticmethod
    def _close(row: list[float], day: int, maximum: float, coarse: bool) -> None:
        """The day takes its place; of the one it pushes out half is left, or all if this one was coarse."""
        left = row[day % DAYS]
        if maximum > 0 or not coarse:
            row[day % DAYS] = max(_half_float(maximum), left if coarse else _half_float(left / 2), 0.0)

    def _clear_rings(self, minute: int) -> None:
        for when in range(max(self.minute, minute - 60) + 1, minute + 1):
            self._minutes[when % 60] = 0.0
        last = minute // _HALF
        for half in range(max(self.minute // _HALF, last - _HALVES) + 1, last + 1):
            self._halves[half % _HALVES] = 0.0


def _rotated(ring: array[float], places: int) -> array[float]:
    """The ring with each value so many places earlier."""
    places %= len(ring)
    return ring[places:] + ring[:places]


def _half_float(usd: float) -> float:
    """The value as it will come back from the bytes, so that a decoded history equals the one encoded."""
    return float(struct.unpack("<e", struct.pack("<e", min(usd, _MOST)))[0])
