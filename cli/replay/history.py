"""What each key spent, by hour, and by minute where that is known. USD; hours and minutes are whole ones since 1970.

A thousand keys and two months of hours take 11 megabytes; an hour that is known by minute, half a kilobyte more.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from zlib import crc32

from spend_meter.limits import LIMITS
from spend_meter.small_spend import LOW

HOUR = 60
MATTERS_USD = LIMITS.suspect * min(LIMITS.floor)
"""USD in an hour from which a key's minutes matter: what brings less in an hour passes no limit of a quarter of one."""
COARSE_STEP = 5
"""Minutes between the readings into which a smaller hour is spread, where its minutes are not known. Even spend that is
read every fifth minute holds the same sums in every window of the detector."""
SMALL_USD = LOW[0]
"""USD in an hour below which it is one reading: in whatever quarter of an hour it lies, the meter's own `LOW` says that
it raises no suspicion, and that no limit is higher for it. The keys are spread over the hour, because their sums are
watched, too."""


@dataclass
class KeySpend:
    """One key. `credits`, `byok`: by hour since the history's start; `byok` is empty for a key without any.

    `minutes`: hour to (credits, BYOK) of each of its 60 minutes, where they are known.
    """

    credits: array[float]
    byok: array[float]
    minutes: dict[int, tuple[array[float], array[float] | None]] = field(default_factory=dict)


class History:
    """Spend by key's hash from the hour `start` up to the hour `end`, which is not in it.

    `elsewhere`: USD of keys that the account no longer lists, by the name that analytics gives them.
    """

    def __init__(self, start: int, end: int) -> None:
        if end < start:
            raise ValueError(f"a history ends at hour {end}, before it starts at {start}")
        self.start, self.end = start, end
        self.elsewhere: dict[str, float] = {}
        self._keys: dict[str, KeySpend] = {}

    def add_hour(self, hash: str, hour: int, credits: float, byok: float = 0.0) -> None:
        """Spend of one key in one hour, added to what is there. Raises `IndexError` for an hour outside."""
        if not self.start <= hour < self.end:
            raise IndexError(f"hour {hour} is not between {self.start} and {self.end}")
        key = self._keys.get(hash)
        if key is None:
            key = self._keys[hash] = KeySpend(array("d", bytes(8 * (self.end - self.start))), array("d"))
        key.credits[hour - self.start] += credits
        if byok:
            if not key.byok:
                key.byok = array("d", bytes(8 * (self.end - self.start)))
            key.byok[hour - self.start] += byok

    def know_minutes(self, hash: str, hour: int, minutes: Iterable[tuple[int, float, float]]) -> None:
        """The minutes of an hour that was added: (minute of the hour, credits, BYOK); those left out spent nothing."""
        credits, byok = array("d", bytes(8 * HOUR)), array("d", bytes(8 * HOUR))
        for minute, usd, brought in minutes:
            credits[minute] += usd
            byok[minute] += brought
        self._keys[hash].minutes[hour] = credits, byok if any(byok) else None

    @property
    def hashes(self) -> list[str]:
        """The keys that spent anything."""
        return list(self._keys)

    def is_by_minute(self, hash: str, hour: int) -> bool:
        key = self._keys.get(hash)
        return key is not None and hour in key.minutes

    def hour(self, hash: str, hour: int) -> tuple[float, float]:
        """(credits, BYOK) of the key in the hour; nothing outside the history."""
        key = self._keys.get(hash)
        if key is None or not self.start <= hour < self.end:
            return 0.0, 0.0
        at = hour - self.start
        return key.credits[at], key.byok[at] if key.byok else 0.0

    def between(self, hash: str, start: int, end: int) -> tuple[float, float]:
        """(credits, BYOK) of the key from the minute `start` up to the minute `end`, which is not in it."""
        credits = byok = 0.0
        for hour in range(max(start // HOUR, self.start), min(-(-end // HOUR), self.end)):
            if start <= hour * HOUR and (hour + 1) * HOUR <= end:
                own, brought = self.hour(hash, hour)
                credits, byok = credits + own, byok + brought
                continue
            for minute, own, brought in self.minutes(hash, hour):
                if start <= hour * HOUR + minute < end:
                    credits, byok = credits + own, byok + brought
        return credits, byok

    def minutes(self, hash: str, hour: int) -> Iterator[tuple[int, float, float]]:
        """(minute of the hour, credits, BYOK) of the minutes with spend.

        Where only the hour is known, its spend is spread evenly: over each minute, or over every fifth one where it is
        too little to matter, or in one of these where it is less than `SMALL_USD`. That is the one assumption that
        makes no burst of it. The last minute is left out, or the
        reading at midnight would be the first to show it, when the day's counter has begun anew.
        """
        key = self._keys.get(hash)
        if key is None or not self.start <= hour < self.end:
            return
        known = key.minutes.get(hour)
        if known:
            credits, byok = known
            for minute in range(HOUR):
                if credits[minute] or (byok and byok[minute]):
                    yield minute, credits[minute], byok[minute] if byok else 0.0
            return
        own, brought = self.hour(hash, hour)
        if own or brought:
            step = 1 if own + brought >= MATTERS_USD else COARSE_STEP
            minutes = range((HOUR - 2) % step, HOUR - 1, step)
            if own + brought < SMALL_USD:
                at = crc32(hash.encode()) % len(minutes)
                minutes = minutes[at : at + 1]
            for minute in minutes:
                yield minute, own / len(minutes), brought / len(minutes)

    def last_spend(self, hash: str) -> int | None:
        """The last minute of the last hour in which the key spent."""
        key = self._keys.get(hash)
        for at in range(self.end - self.start - 1, -1, -1) if key else ():
            if key and (key.credits[at] or (key.byok and key.byok[at])):
                return (self.start + at) * HOUR + HOUR - 1
        return None
