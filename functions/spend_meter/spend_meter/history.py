"""A subject's spend in 900 bytes: the last hour by minute, the last day by half hours, 28 days by maxima and by hours.

A subject is one workload's lineage, or one undeclared key. Time is whole epoch minutes (UTC), money USD. The meter
keeps up to 10,000 of these, so a subject that spends nothing is neither decoded nor encoded: `advance`, however late,
gives what advancing every minute would have given.

What is learned: for each of `WINDOWS` the largest sum that ended in each of the last 28 UTC days. A day leaves half of
its maximum to the one that takes its place, so a habit seldom seen fades over months rather than vanishing overnight.
A day that could not be seen properly (unread time, a lump coarser than the window, a runaway) may raise what is known
but not lower it: what it would have pushed out stays whole. So no gap and no incident makes a habit look smaller.
Beside the maxima stand the hours of the day that bring spend, the longest burning without a pause (`Hours`), and
what a person said was meant (`Lessons`).
More than 300 lines: what is learned has files of its own, and here is the passing of time, which all of it shares.
"""

import struct
from array import array
from collections.abc import Callable, Sequence

from spend_meter import days, hours, lessons
from spend_meter.days import DAY, DAYS, WINDOWS, Days
from spend_meter.hours import STRETCHES, Hours
from spend_meter.lessons import Lessons

_HALF = 30
_HALVES = 48
_ALL = (1 << len(WINDOWS)) - 1
_DISCARDED = 1 << len(WINDOWS)
_COARSE = 3  # a lump that covers more than a third of a window says too little about its maximum
_LUMP = 20  # minutes: a lump that covers more says nothing of hours and stretches
_HIDES_A_JOB = 60  # minutes: what was not seen for longer may have held a whole job
_SAID_WITHIN = 3 * DAY  # minutes in which a person may say that a runaway was meant
_VERSION = 3
_NOTHING = bytes(4 * len(WINDOWS))
_LAYOUT = struct.Struct(
    f"<BII{4 * len(WINDOWS)}s{4 * len(WINDOWS)}s{4 * 60}s{4 * _HALVES}s{days.SIZE}s{4 * len(WINDOWS)}sI{hours.SIZE}s"
    f"{lessons.SIZE}sI"
)
"""Amounts as the bytes of their arrays, single floats: to make a number of each costs more than all else here."""
_ADDED = {1: 4 * len(WINDOWS) + 4 + hours.SIZE + lessons.SIZE + 4, 2: 4}
"""Bytes at the end that a version before did not have yet. Its second byte was `_coarse`, which the first holds now."""


class History:
    """Spend of one subject up to `minute`, and the daily maxima it has taught so far. Mutable; compared by value.

    `since`: windows count what was spent after this minute, that of the last `rebaseline`.
    """

    __slots__ = (
        "_coarse", "_days", "_halves", "_hours", "_lessons", "_minutes", "_stopped", "_stopped_at", "_today",
        "_unread", "_withheld", "minute", "since",
    )  # fmt: skip

    def __init__(self, minute: int) -> None:
        self.minute = minute
        self.since = 0
        self._coarse = 0
        self._minutes = array("f", bytes(4 * 60))
        self._halves = array("f", bytes(4 * _HALVES))
        self._today = array("f", _NOTHING)
        self._withheld = array("f", _NOTHING)
        self._days = Days()
        self._stopped, self._stopped_at = array("f", _NOTHING), 0
        self._hours = Hours()
        self._lessons = Lessons()
        self._unread = 0  # a bit for each of the 28 days: some of it was not seen for so long that a job may be missing

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
        if span > _LUMP:
            self._hours.coarse_minute = minute
        self._pass(max(minute - span, self.minute))
        self._pass(minute, sum(1 << i for i, window in enumerate(WINDOWS) if span * _COARSE > window))
        share = usd / span
        self._leave_unread(span)
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
            span = minute - self.minute
            self._pass(minute, _ALL)
            self._leave_unread(span)

    def teach(self, counted: Callable[[int], float] | None = None) -> None:
        """Let the windows that end now, and those withheld so far, count towards today's maxima.

        `counted(window)`: USD of the window that teach, where some are declared as meant and do not.
        """
        if any(self._withheld):
            self._hours.burned(self._last_day())
        for i, window in enumerate(WINDOWS):
            spent = max((counted or self.spent)(window), self._withheld[i])
            if spent > self._today[i]:
                self._today[i] = spent
        self._withheld = array("f", _NOTHING)

    def withhold(self, counted: Callable[[int], float] | None = None) -> None:
        """Put the windows that end now aside: `teach` will count them, `discard` forget them. `counted`: as there."""
        for i, window in enumerate(WINDOWS):
            spent = (counted or self.spent)(window)
            if spent > self._withheld[i]:
                self._withheld[i] = spent

    def forget_stretches(self) -> None:
        """How long today burned without a pause teaches nothing: it was declared as meant."""
        self._hours.forget_today()

    def discard(self) -> None:
        """Today so far, and what was withheld, teaches nothing."""
        self._coarse = _ALL | _DISCARDED
        self._hours.forget_today()
        self._withheld = array("f", _NOTHING)
        self._today = array("f", _NOTHING)

    def stop(self) -> None:
        """A runaway is confirmed: today teaches nothing. Its windows are kept: a person may say they were meant."""
        if self.minute - self._stopped_at > _SAID_WITHIN:
            self._stopped = array("f", _NOTHING)
        self._stopped_at = self.minute
        for i, window in enumerate(WINDOWS):
            self._stopped[i] = max(self._stopped[i], self._withheld[i], self.spent(window))
        self.discard()

    def meant(self) -> None:
        """A person says that what was confirmed, what is withheld and what the windows hold now was meant."""
        if self.minute - self._stopped_at > _SAID_WITHIN:
            self._stopped = array("f", _NOTHING)
        spent = [max(self._stopped[i], self._withheld[i], self.spent(window)) for i, window in enumerate(WINDOWS)]
        self._lessons.add(self.minute, spent)
        self._stopped = array("f", _NOTHING)

    def expected(self, window: int) -> float:
        """USD that a person said this window may hold at times like the present."""
        return self._lessons.meant(WINDOWS.index(window), self.minute)

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
        self._hours.coarse_minute = min(self._hours.coarse_minute, self.minute)
        if self.minute // DAY != before // DAY:
            for i in range(len(WINDOWS)):
                self._today[i] = max(self._today[i], self._days.of(i, self.minute // DAY))

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

    def spent_between(self, window: int, start: int, end: int) -> float:
        """The part of `spent(window)` from the minute `start` to before `end`; above an hour, by half hours."""
        if window <= 60:
            first = max(start, self.minute - window + 1, self.since + 1)
            return sum(self._minutes[when % 60] for when in range(first, min(end, self.minute + 1)))
        last = self.minute // _HALF
        first = max(start // _HALF, last - min(window // _HALF, _HALVES) + 1)
        return sum(self._halves[half % _HALVES] for half in range(first, min((end - 1) // _HALF, last) + 1))

    def recent(self, minutes: int = 60) -> list[float]:
        """USD by minute, oldest first, the present minute last; at most an hour."""
        return [self._minutes[when % 60] for when in range(self.minute - minutes + 1, self.minute + 1)]

    def maxima(self, window: int) -> tuple[float, float]:
        """The largest and second-largest daily maximum of this window, USD, over the days learned (0 where none)."""
        return self._days.two_largest(WINDOWS.index(window))

    def fifth_largest_day(self) -> float:
        """USD of the fifth-largest 24 hours among the days remembered (0 with fewer): four odd days are forgiven."""
        return self._days.fifth_largest()

    def usual(self, window: int) -> float:
        """USD that clock hours like those of the window may bring (an hour's shift allowed).

        Once four weeks were seen, no more than the largest day among the like weekdays of all of them.
        """
        usual = self._hours.usual((self.minute - window + 1) // 60, self.minute // 60)
        if usual and self.days_seen == DAYS:
            i = next(i for i, one in enumerate(WINDOWS) if one >= window)
            on_such_days = self._days.largest_of_weekdays(i, (self.minute // DAY, (self.minute - window) // DAY))
            return max(min(usual, on_such_days), 0.0)
        return usual

    def tail(self, window: int) -> float:
        """How far the three largest daily maxima stand above the fourth: the mean of their logarithms, at most 1."""
        return self._days.tail(WINDOWS.index(window))

    def month(self) -> float:
        """USD: the largest 24 hours that ended in each day, together; up to twice what a month of jobs cost."""
        return self._days.together()

    def burns_on_end(self, least: float, multiple: float) -> bool:
        """Whether one of `STRETCHES` of whole half hours burns on end, up to the last complete one.

        Each half hour at least `least` USD, and `multiple` times the least of the highest stretch ever seen.
        """
        last = self.minute // _HALF - 1
        for i, count in enumerate(STRETCHES):
            low = min(self._halves[(last - back) % _HALVES] for back in range(count))
            if low >= least and low >= multiple * self._hours.stretch(i):
                return True
        return False

    def coarse(self, window: int) -> bool:
        """Whether a lump lies in the window, or in the last six hours: its spend is only known to be in its span."""
        lump = self._hours.coarse_minute
        return lump > 0 and self.minute - lump < max(window, 360)

    @property
    def days_seen(self) -> int:
        """How many of the last 28 days taught something, an idle day included."""
        return self._days.seen

    def knows_such_days(self) -> bool:
        """Whether at least two of the last four days like today, a week apart, taught what they held.

        Nothing of them, nor of the day before and after, went unseen for so long that a weekly job may be missing.
        """
        today = self.minute // DAY
        return sum(self._knows(today - 7 * weeks, today) for weeks in range(1, DAYS // 7 + 1)) >= 2

    @property
    def days_of_spend(self) -> int:
        """How many of the days remembered had any spend."""
        return self._days.with_spend

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
            if self._days.unseen(day):
                self._hours.learn(day, lambda hour: spend.get(hour, 0.0))
            self._days.learn(day, lambda hour: spend.get(hour, 0.0))

    def to_bytes(self) -> bytes:
        """The whole of it; `from_bytes` gives an equal history."""
        return _LAYOUT.pack(
            _VERSION | self._coarse << 3,
            self.minute,
            self.since,
            self._today.tobytes(),
            self._withheld.tobytes(),
            self._minutes.tobytes(),
            self._halves.tobytes(),
            self._days.to_bytes(),
            self._stopped.tobytes(),
            self._stopped_at,
            self._hours.to_bytes(),
            self._lessons.to_bytes(),
            self._unread,
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> "History":
        """Raises `ValueError` when the bytes are of another version or length. Versions before are read."""
        added = _ADDED.get(content[0], 0) if content else 0
        if added and len(content) == _LAYOUT.size + 1 - added:
            content = bytes([_VERSION | content[1] << 3]) + content[2:] + bytes(added)
        if len(content) != _LAYOUT.size or content[0] & 7 != _VERSION:
            raise ValueError(f"not a version {_VERSION} history: {len(content)} bytes, version {content[:1].hex()}")
        history = cls.__new__(cls)
        head, history.minute, history.since, today, withheld, minutes, halves, *rest = _LAYOUT.unpack(content)
        history._coarse = head >> 3
        history._today, history._withheld = array("f", today), array("f", withheld)
        history._minutes, history._halves = array("f", minutes), array("f", halves)
        learned, stopped, history._stopped_at, by_hour, taught, history._unread = rest
        history._days = Days.from_bytes(learned)
        history._stopped = array("f", stopped)
        history._hours = Hours.from_bytes(by_hour)
        history._lessons = Lessons.from_bytes(taught)
        return history

    def __eq__(self, other: object) -> bool:
        return isinstance(other, History) and self.to_bytes() == other.to_bytes()

    __hash__ = None  # type: ignore[assignment]  # mutable

    def _knows(self, day: int, today: int) -> bool:
        around = (one for one in (day - 1, day, day + 1) if one > today - DAYS)
        return not self._days.unseen(day) and not any(self._unread >> one % DAYS & 1 for one in around)

    def _leave_unread(self, minutes: int) -> None:
        """The last `minutes` were not seen one by one: of their days something may be missing."""
        if minutes > _HIDES_A_JOB:
            for day in range(max(self.minute - minutes, self.minute - DAYS * DAY) // DAY, self.minute // DAY + 1):
                self._unread |= 1 << day % DAYS

    def _last_day(self) -> list[float]:
        """USD of each complete half hour of the last 24 hours, in order."""
        last = self.minute // _HALF
        return [self._halves[half % _HALVES] for half in range(last - _HALVES + 1, last)]

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
        half = self.minute // _HALF
        if minute // _HALF == half:
            for when in range(self.minute + 1, minute + 1):
                self._minutes[when % 60] = 0.0
            self.minute = minute
            return
        today, last = self.minute // DAY, minute // DAY
        teaches = not self._coarse & _DISCARDED and not any(self._withheld)
        if teaches and self._halves[half % _HALVES]:
            self._hours.half_hour_over(lambda back: self._halves[(half - back) % _HALVES])
        if last > today:
            self._clear_rings((today + 1) * DAY - 1)
            if teaches:
                self._hours.day_over(self._halves[at] + self._halves[at + 1] for at in range(0, _HALVES, 2))
            self._hours.next_day(today, last - today)
            for i in range(len(WINDOWS)):
                self._days.close(i, today, self._today[i], bool(self._coarse & (1 << i)))
                for day in range(max(today + 1, last - DAYS), last):
                    self._days.close(i, day, 0.0, bool(coarse & (1 << i)))
            for day in range(max(today, last - DAYS) + 1, last + 1):
                self._unread &= ~(1 << day % DAYS)
            self._coarse = coarse
            self._today = array("f", _NOTHING)
        self._clear_rings(minute)
        self.minute = minute

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
