"""OpenRouter's periods: UTC day, week from Monday, month, and the whole life of a thing."""

from datetime import UTC, datetime, timedelta
from typing import Literal

Period = Literal["daily", "weekly", "monthly", "lifetime"]
PERIODS: tuple[Period, ...] = ("daily", "weekly", "monthly")
"""Those that reset, shortest first."""
MONTHLY = {"daily": 365.25 / 12, "weekly": 365.25 / 7 / 12, "monthly": 1.0}
"""How often a period comes in an average month."""


def period_of(reset_interval: str | None) -> Period:
    """The period that a `limit_reset` or `reset_interval` names; a value unknown to us never resets, as None."""
    match reset_interval:
        case "daily" | "weekly" | "monthly":
            return reset_interval
        case _:
            return "lifetime"


def starts_at(period: Period, now: datetime) -> datetime | None:
    """When the period around `now` began; None for `lifetime`."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match period:
        case "daily":
            return day
        case "weekly":
            return day - timedelta(days=day.weekday())
        case "monthly":
            return day.replace(day=1)
        case "lifetime":
            return None


def resets_at(period: Period, now: datetime) -> datetime | None:
    """When the next period begins; None for `lifetime`."""
    start = starts_at(period, now)
    if start is None:
        return None
    match period:
        case "daily":
            return start + timedelta(days=1)
        case "weekly":
            return start + timedelta(days=7)
        case _:
            return (start + timedelta(days=32)).replace(day=1)


def minute_of(moment: datetime) -> int:
    """Whole minutes since 1970-01-01T00:00Z."""
    return int(moment.timestamp()) // 60


def moment_of(minute: int) -> datetime:
    """The inverse of `minute_of`."""
    return datetime.fromtimestamp(minute * 60, UTC)
