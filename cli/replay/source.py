"""The account's history from analytics and the cache: every key by the hour, and by the minute where minutes matter."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cli.output import Output
from cli.replay.asking import AnalyticsUnclear, Asking, Names, together
from cli.replay.cache import Cache, Kind
from cli.replay.history import HOUR, MATTERS_USD, History
from cli.replay.past import counters_needed_from
from management_api import ApiKey, Rejected
from spend_meter.days import DAY, DAYS
from spend_meter.periods import minute_of, moment_of

WINDOW = 3 * HOUR
"""Minutes that one question by minute may span."""
SETTLED = 60
"""Minutes after a day's end from which it counts as over. How fresh analytics is, no source states."""
TOLERANCE = 0.01
"""Share of an hour by which its minutes may miss its sum, and still be believed."""

HELD = 200_000
"""Rows of hours that are held at once, unless a single day has more."""
STALE = 3
"""Windows in a row without one believable minute, after which OpenRouter is taken to tell none that are older."""

type DayRows = dict[str, list[list[float]]]
"""Key's hash (or `?` and a name that no key has) to [hour or minute of the day, credits, BYOK]."""


@dataclass
class Fetched:
    """`history`, and what is to be said of it.

    `by_minute`, `by_hour`: the hours of keys in which minutes matter, by how they are known.
    """

    history: History
    queries: int = 0
    rows: int = 0
    by_minute: int = 0
    by_hour: int = 0
    notes: list[str] = field(default_factory=list)


class Source:
    """Reads the history of `keys`. `cache`: None keeps nothing."""

    def __init__(
        self, asking: Asking, keys: Sequence[ApiKey], cache: Cache | None, out: Output, matters_usd: float = MATTERS_USD
    ) -> None:
        self._asking, self._keys, self._cache, self._out = asking, keys, cache, out
        self._matters = matters_usd
        self._stale = 0

    def fetch(self, start: datetime, end: datetime) -> Fetched:
        """What a replay from `start` to `end` needs: four weeks before it to learn from, and the counters' periods.

        `end` is a whole hour. Raises what the client raises, and `AnalyticsUnclear` where not even hours can be read.
        """
        first, last = minute_of(start), minute_of(end)
        known_from = min(first - DAYS * DAY, counters_needed_from(first)) // DAY * DAY
        fetched = Fetched(History(known_from // HOUR, last // HOUR))
        self._hours(fetched, known_from, first, last)
        self._minutes(fetched, first, last)
        fetched.queries, fetched.rows = self._asking.queries, self._asking.rows
        if self._cache and self._cache.broken:
            fetched.notes.append(f"Unusable in the cache, and asked for again: {', '.join(self._cache.broken)}.")
        return fetched

    def _hours(self, fetched: Fetched, start: int, first: int, end: int) -> None:
        days = range(start // DAY, -(-end // DAY))
        missing: list[int] = []
        for day in days:
            rows = self._cached("hours", day, end)
            if rows is None:
                missing.append(day)
            else:
                _take_hours(fetched.history, day, rows)
        with self._out.progress("reading spend by the hour", len(missing)) as advance:
            # What is only learned from may be refused; the replay's own days may not.
            learned = [day for day in missing if day < first // DAY]
            runs = (*_runs(learned, self._together()), *_runs(missing[len(learned) :], self._together()))
            refused = False
            for run in runs:
                low, high = run[0] * DAY, min((run[-1] + 1) * DAY, end)
                if refused and high <= first:
                    continue
                try:
                    by_day = self._rows_by_day(low, high, together(self._keys), advance)
                except Rejected as error:
                    if high > first:
                        raise
                    fetched.notes.append(f"OpenRouter tells no hours before the replay ({error}): nothing is learned.")
                    refused = True
                    continue
                for day in run:
                    rows = by_day.get(day, {})
                    _take_hours(fetched.history, day, rows)
                    self._keep("hours", day, rows, end)

    def _together(self) -> int:
        """Days that are asked for and held at once: their rows take a hundred times what is kept of them."""
        return max(1, HELD // (24 * max(len(self._keys), 1)))

    def _minutes(self, fetched: Fetched, start: int, end: int) -> None:
        """Three hours at a time, of the keys that spent enough in one of them for its minutes to matter.

        The newest first: how long OpenRouter tells minutes, no source states. Where it tells none any more, nothing
        older is asked for.
        """
        windows = self._windows(fetched.history, start, end)
        told = True
        with self._out.progress("reading spend by the minute", sum(map(len, windows.values()))) as advance:
            for day in sorted(windows, reverse=True):
                rows = self._cached("minutes", day, end)
                if rows is None and told:
                    rows, told = self._ask_minutes(fetched, windows[day], end)
                    if told:
                        self._keep("minutes", day, rows, end)
                for low, hot in windows[day].items():
                    self._take_minutes(fetched, low, hot, rows or {})
                advance(len(windows[day]))

    def _windows(self, history: History, start: int, end: int) -> dict[int, dict[int, list[str]]]:
        """Day to the first minute of each window that matters to the hashes of the keys to which it does."""
        known = {key.hash for key in self._keys}
        found: dict[int, dict[int, list[str]]] = defaultdict(dict)
        for low in range(start // WINDOW * WINDOW, end, WINDOW):
            hot = [hash for hash in history.hashes if hash in known and self._hot_hours(history, hash, low)]
            if hot:
                found[low // DAY][low] = hot
        return found

    def _ask_minutes(self, fetched: Fetched, windows: dict[int, list[str]], end: int) -> tuple[DayRows, bool]:
        """A day's minutes, and whether OpenRouter still tells them."""
        by_hash = {key.hash: key for key in self._keys}
        found: DayRows = defaultdict(list)
        for low in sorted(windows, reverse=True):
            try:
                for names in together((by_hash[hash] for hash in windows[low]), filtered=True):
                    for row in self._asking.spend("minute", low, min(low + WINDOW, end), names, lambda minutes: None):
                        found[row.hash].append([row.minute % DAY, row.credits, row.byok])
            except (AnalyticsUnclear, Rejected) as error:
                fetched.notes.append(f"Minutes before {_when(low + WINDOW)} are not known: {error}.")
                return found, False
            credible = any(
                _is_credible(_within(found.get(hash, ()), hour), fetched.history.hour(hash, hour))
                for hash in windows[low]
                for hour in self._hot_hours(fetched.history, hash, low)
            )
            self._stale = 0 if credible else self._stale + 1
            if self._stale == STALE:
                fetched.notes.append(f"OpenRouter tells no minutes before {_when(low + STALE * WINDOW)}.")
                return found, False
        return found, True

    def _take_minutes(self, fetched: Fetched, low: int, hot: Sequence[str], rows: DayRows) -> None:
        for hash in hot:
            for hour in self._hot_hours(fetched.history, hash, low):
                minutes = _within(rows.get(hash, ()), hour)
                if _is_credible(minutes, fetched.history.hour(hash, hour)):
                    fetched.history.know_minutes(hash, hour, minutes)
                    fetched.by_minute += 1
                else:
                    fetched.by_hour += 1

    def _hot_hours(self, history: History, hash: str, low: int) -> list[int]:
        """The hours of the window in which the key's minutes matter."""
        hours = range(low // HOUR, (low + WINDOW) // HOUR)
        return [hour for hour in hours if (spent := sum(history.hour(hash, hour))) > 0 and spent >= self._matters]

    def _rows_by_day(
        self, start: int, end: int, groups: Iterable[Names], advance: Callable[[int], object]
    ) -> dict[int, DayRows]:
        by_day: dict[int, DayRows] = defaultdict(lambda: defaultdict(list))
        done = 0

        def covered(minutes: int) -> None:
            nonlocal done
            before, done = done, done + minutes
            if first:
                advance(done // DAY - before // DAY)

        first = True
        for names in groups:
            for row in self._asking.spend("hour", start, end, names, covered):
                subject = row.hash or f"?{row.name}"
                by_day[row.minute // DAY][subject].append([row.minute % DAY // HOUR, row.credits, row.byok])
            first = False
        return by_day

    def _cached(self, kind: Kind, day: int, end: int) -> DayRows | None:
        return self._cache.get(kind, day) if self._cache and _is_over(day, end) else None

    def _keep(self, kind: Kind, day: int, rows: DayRows, end: int) -> None:
        if self._cache and _is_over(day, end):
            self._cache.put(kind, day, rows)


def _is_over(day: int, now: int) -> bool:
    return (day + 1) * DAY + SETTLED <= now


def _take_hours(history: History, day: int, rows: DayRows) -> None:
    for subject, hours in rows.items():
        for hour, credits, byok in hours:
            at = day * 24 + int(hour)
            if not history.start <= at < history.end:
                continue
            if subject.startswith("?"):
                history.elsewhere[subject[1:]] = history.elsewhere.get(subject[1:], 0.0) + credits + byok
            else:
                history.add_hour(subject, at, credits, byok)


def _within(minutes: Sequence[list[float]], hour: int) -> list[tuple[int, float, float]]:
    """(minute of the hour, credits, BYOK) out of a day's."""
    first = hour * HOUR % DAY
    return [(int(at) - first, credits, byok) for at, credits, byok in minutes if first <= at < first + HOUR]


def _when(minute: int) -> str:
    return f"{moment_of(minute):%Y-%m-%d %H:%M} UTC"


def _is_credible(minutes: Sequence[tuple[int, float, float]], hour: tuple[float, float]) -> bool:
    """Whether the minutes tell where in the hour its spend lies: they add up to it, and are not an hour in disguise.

    Spend that lies in the first minute alone is taken for an hour's sum: data that is kept by the hour looks so.
    """
    spent, total = sum(credits + byok for _, credits, byok in minutes), sum(hour)
    if abs(spent - total) > TOLERANCE * total + TOLERANCE:
        return False
    return total == 0 or any(minute for minute, credits, byok in minutes if credits or byok)


def _runs(days: Sequence[int], most: int) -> list[list[int]]:
    """Days that follow one another, together, `most` at once."""
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1 and len(runs[-1]) < most:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs
