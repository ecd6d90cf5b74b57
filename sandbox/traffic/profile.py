"""A key's own traffic: deterministic under its seed, readable at any minute, in USD."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from sandbox.traffic import rare_shapes, shapes
from sandbox.traffic.day import DAY, Day

ORIGIN = 20_458
"""Epoch day of Monday 5 January 2026: day 0 of what grows or launches, unless a profile says otherwise."""

_SHAPES: Mapping[str, Callable[[Day], None]] = {
    "steady": shapes.steady,
    "office hours": shapes.office_hours,
    "nightly batch": shapes.nightly_batch,
    "agent bursts": shapes.agent_bursts,
    "sporadic development": shapes.sporadic_development,
    "weekly job": shapes.weekly_job,
    "daily growth": shapes.daily_growth,
    "product launch": shapes.product_launch,
}
PROFILES: tuple[str, ...] = tuple(_SHAPES)
_RARE: Mapping[str, Callable[[Day], None]] = {
    "moving batch": rare_shapes.moving_batch,
    "batch over midnight": rare_shapes.batch_over_midnight,
    "queue worker": rare_shapes.queue_worker,
    "holiday silence": rare_shapes.holiday_silence,
    "CI evaluations": rare_shapes.ci_evaluations,
    "month-end job": rare_shapes.month_end_job,
    "quarter-end job": rare_shapes.quarter_end_job,
    "planned backfill": rare_shapes.planned_backfill,
    "heavy tail": rare_shapes.heavy_tail,
}
RARE_PROFILES: tuple[str, ...] = tuple(_RARE)
"""Habits on which no constant of the detector was fixed."""


@dataclass(frozen=True)
class Profile:
    """One key's habit. `monthly_usd`: what it spends in an ordinary month (before growth, before the launch).

    Raises `KeyError` at the first reading when the name is none of `PROFILES` and `RARE_PROFILES`.
    """

    name: str
    monthly_usd: float
    seed: int
    origin: int = ORIGIN

    def minute_spend(self, minute: int) -> float:
        """USD in this epoch minute."""
        return self.day(minute // DAY)[minute % DAY]

    def day(self, day: int) -> tuple[float, ...]:
        """USD in each minute of this epoch day."""
        return _day(self, day)


@lru_cache(maxsize=256)
def _day(profile: Profile, day: int) -> tuple[float, ...]:
    drawn = Day(profile.name, profile.monthly_usd, profile.seed, day, day - profile.origin)
    {**_SHAPES, **_RARE}[profile.name](drawn)
    return tuple(drawn.spend)
