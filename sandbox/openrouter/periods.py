"""OpenRouter's periods: UTC day, week from Monday, month. All times are epoch seconds."""

from datetime import UTC, datetime
from functools import cache
from typing import Literal

type Interval = Literal["daily", "weekly", "monthly"]

INTERVALS: tuple[Interval, ...] = ("daily", "weekly", "monthly")
DAY = 86_400


def day_of(at: float) -> int:
    """Days since the epoch."""
    return int(at // DAY)


@cache
def starts(day: int) -> dict[Interval, int]:
    """When the day, the week and the month that hold `day` began."""
    # The epoch fell on a Thursday, three days after its week's Monday.
    date = datetime.fromtimestamp(day * DAY, UTC)
    return {"daily": day * DAY, "weekly": (day - (day + 3) % 7) * DAY, "monthly": (day - date.day + 1) * DAY}


def start_of(interval: Interval, at: float) -> int:
    return starts(day_of(at))[interval]


def end_of(interval: Interval, at: float) -> int:
    """When the counters of this period fall back to zero."""
    start = start_of(interval, at)
    if interval == "daily":
        return start + DAY
    if interval == "weekly":
        return start + 7 * DAY
    return start_of("monthly", start + 32 * DAY)


def iso(at: float) -> str:
    """`2026-11-21T10:00:00.000Z`, as OpenRouter writes a time."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_or_none(at: float | None) -> str | None:
    return None if at is None else iso(at)
