"""When a schedule fires next: `rate(...)`, `cron(...)` and `at(...)` as EventBridge Scheduler reads them.

Six cron fields: minutes, hours, day of month, month, day of week (1 = Sunday), year; one of the two days is `?`.
Source: EventBridge Scheduler User Guide, "Schedule types".
"""

import calendar
import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
DAYS = {name: number for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], start=1)}
LAST_YEAR = 2199


class Schedule(Protocol):
    def after(self, instant: datetime) -> datetime | None:
        """The first time strictly after `instant` (UTC), or None when there is none left."""


class Rate:
    """Fires at its start and every `interval` from then on."""

    def __init__(self, interval: timedelta, start: datetime) -> None:
        self._interval, self._start = interval, start

    def after(self, instant: datetime) -> datetime | None:
        if instant < self._start:
            return self._start
        return self._start + ((instant - self._start) // self._interval + 1) * self._interval


class At:
    """Fires once."""

    def __init__(self, instant: datetime) -> None:
        self._instant = instant

    def after(self, instant: datetime) -> datetime | None:
        return self._instant if self._instant > instant else None


class Cron:
    """Fires at the minutes its six fields name, by the clock on the wall of `zone`.

    An hour that daylight saving skips does not fire; one that it repeats fires once.
    """

    def __init__(self, expression: str, zone: ZoneInfo) -> None:
        fields = expression.split()
        if len(fields) != 6:
            raise ValueError(f"cron({expression}) has {len(fields)} fields, not six")
        minutes, hours, self._day, months, self._weekday, years = fields
        if (self._day == "?") == (self._weekday == "?"):
            raise ValueError(f"cron({expression}) must have ? in exactly one of day of month and day of week")
        self._minutes = _numbers(minutes, 0, 59)
        self._hours = _numbers(hours, 0, 23)
        self._months = set(_numbers(months, 1, 12, MONTHS))
        self._years = _numbers(years, 1970, LAST_YEAR)
        self._zone = zone
        self._is_day(date(2024, 2, 29))

    def after(self, instant: datetime) -> datetime | None:
        local = instant.astimezone(self._zone)
        day, last = local.date(), self._years[-1]
        years = set(self._years)
        while day.year <= last:
            if day.year in years and day.month in self._months and self._is_day(day):
                for hour in self._hours:
                    for minute in self._minutes:
                        found = self._instant(day, hour, minute)
                        if found is not None and found > instant:
                            return found
            day += timedelta(days=1)
        return None

    def _instant(self, day: date, hour: int, minute: int) -> datetime | None:
        wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self._zone)
        found = wall.astimezone(UTC)
        return found if found.astimezone(self._zone).replace(tzinfo=None) == wall.replace(tzinfo=None) else None

    def _is_day(self, day: date) -> bool:
        if self._weekday == "?":
            return day.day in _days_of_month(self._day, day.year, day.month)
        return day.day in _weekdays(self._weekday, day.year, day.month)


def parse(expression: str, zone: str = "UTC", start: datetime | None = None) -> Schedule:
    """The schedule of an expression. A rate counts from `start` (UTC). Raises `ValueError` for anything AWS refuses."""
    if found := re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", expression):
        amount, plural = int(found[1]), bool(found[3])
        if amount < 1 or plural == (amount == 1):
            raise ValueError(f"{expression}: singular for one, plural for more")
        return Rate(timedelta(**{found[2] + "s": amount}), start or datetime.fromtimestamp(0, UTC))
    if found := re.fullmatch(r"cron\((.+)\)", expression):
        return Cron(found[1], ZoneInfo(zone))
    if found := re.fullmatch(r"at\((.+)\)", expression):
        return At(datetime.fromisoformat(found[1]).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC))
    raise ValueError(f"{expression} is neither rate(), cron() nor at()")


def _numbers(field: str, low: int, high: int, names: dict[str, int] | None = None) -> list[int]:
    found: set[int] = set()
    for part in field.upper().split(","):
        span, _, step = part.partition("/")
        first, dash, second = span.partition("-")
        start = low if first == "*" else _number(first, names or {})
        end = _number(second, names or {}) if dash else high if first == "*" or step else start
        if not low <= start <= high or not low <= end <= high or int(step or 1) < 1:
            raise ValueError(f"{part!r} is not within {low}-{high}")
        # FRI-MON goes over the end of the week.
        stretch = range(start, end + 1) if start <= end else [*range(start, high + 1), *range(low, end + 1)]
        found.update(list(stretch)[:: int(step or 1)])
    return sorted(found)


def _number(text: str, names: dict[str, int]) -> int:
    return names[text] if text in names else int(text)


@lru_cache(maxsize=256)
def _days_of_month(field: str, year: int, month: int) -> frozenset[int]:
    last = calendar.monthrange(year, month)[1]
    if field == "L" or field.startswith("L-"):
        return frozenset({last - int(field[2:] or 0)})
    if field == "LW":
        return frozenset({_nearest_weekday(year, month, last)})
    if field.endswith("W"):
        return frozenset({_nearest_weekday(year, month, min(int(field[:-1]), last))})
    return frozenset(_numbers(field, 1, 31))


@lru_cache(maxsize=256)
def _weekdays(field: str, year: int, month: int) -> frozenset[int]:
    last = calendar.monthrange(year, month)[1]

    def days(weekday: int) -> list[int]:
        return [day for day in range(1, last + 1) if date(year, month, day).isoweekday() % 7 + 1 == weekday]

    upper = field.upper()
    if "#" in upper:
        name, nth = upper.split("#")
        return frozenset(days(_number(name, DAYS))[int(nth) - 1 : int(nth)])
    if upper != "L" and upper.endswith("L"):
        return frozenset(days(_number(upper[:-1], DAYS))[-1:])
    if upper == "L":
        return frozenset(days(7))
    return frozenset(day for weekday in _numbers(upper, 1, 7, DAYS) for day in days(weekday))


def _nearest_weekday(year: int, month: int, day: int) -> int:
    last = calendar.monthrange(year, month)[1]
    weekday = date(year, month, day).isoweekday()
    if weekday == 6:
        return day - 1 if day > 1 else day + 2
    if weekday == 7:
        return day + 1 if day < last else day - 2
    return day
