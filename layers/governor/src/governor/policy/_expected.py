"""Spend that a policy declares as meant: when it comes, and how much it may be."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from governor.policy._parts import WEEKDAYS, Duration, Part, TimeOfDay, Weekday

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

type Calendar = Literal["month_end", "quarter_end", "year_end", "weekdays"] | Weekday
LONGEST = timedelta(days=7)
"""The longest that a window may last."""
_MONTHS = {"month_end": 1, "quarter_end": 3, "year_end": 12}
_TRIED = 500
"""Times of a cron rule that are tried for overlaps when a policy is checked: a year of daily ones, and more."""
_TRIED_FROM = datetime(2024, 1, 1, tzinfo=UTC)


def _known_zone(name: str) -> str:
    from zoneinfo import ZoneInfo  # only a policy that names a zone pays for it at cold start

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"no such time zone: {name!r}; write a name of the IANA database, as Europe/Berlin") from None
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]
"""A name of the IANA time zone database."""


class ExpectedSpend(Part):
    """A window in which a workload may spend up to `up_to_usd`, however unlike its habit that is.

    One of `calendar`, `cron` and `dates` says on which days; `at` from what time on, except with `cron`, which says it
    itself. `lasts`: how long in elapsed time; without it, to the end of the local day. `workday`: the end of a month,
    quarter or year is its last Monday to Friday. Times are local: what begins in an hour that the clock skips begins at
    most an hour later, and what begins in one that it repeats begins the first time.
    """

    name: Annotated[str, Field(min_length=1, max_length=60)]
    up_to_usd: Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
    calendar: Calendar | None = None
    cron: str | None = None
    dates: tuple[date, ...] = ()
    at: TimeOfDay | None = None
    lasts: Duration | None = None
    workday: bool = False

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if [self.calendar is None, self.cron is None, not self.dates].count(False) != 1:
            raise ValueError(f"{self.name}: give exactly one of `calendar`, `cron` and `dates`")
        if self.lasts and self.lasts > LONGEST:
            raise ValueError(f"{self.name}: lasts: at most {LONGEST.days}d; for longer, set runaway.mode to alert")
        if self.workday and self.calendar not in _MONTHS:
            raise ValueError(f"{self.name}: workday: only with calendar {', '.join(_MONTHS)}; leave it out")
        if self.cron is not None:
            self._cron_can_work(self.cron)
        return self

    def _cron_can_work(self, cron: str) -> None:
        from cronsim import CronSim, CronSimError  # only a policy with a cron rule pays for it at cold start

        if self.at is not None:
            raise ValueError(f"{self.name}: at: `cron` says the time; leave `at` out")
        if self.lasts is None:
            raise ValueError(f"{self.name}: lasts: needed with `cron`, for example 6h")
        try:
            fires = [moment for moment, _ in zip(CronSim(cron, _TRIED_FROM), range(_TRIED), strict=False)]
        except CronSimError as error:
            raise ValueError(
                f"{self.name}: cron: {error}; write five fields (minute, hour, day of month, month, day of week), for "
                "example 0 17 L * *"
            ) from None
        if any(following - moment < self.lasts for moment, following in pairwise(fires)):
            raise ValueError(
                f"{self.name}: cron comes again before `lasts` is over; make `lasts` shorter, or the rule rarer"
            )

    def windows(self, zone: "ZoneInfo", first: datetime, last: datetime) -> Iterator[tuple[datetime, datetime]]:
        """(start, end), in UTC, of each window that overlaps the time from `first` to before `last`, in order."""
        for start in self._starts(zone, first - (self.lasts or timedelta(days=1, hours=3)), last):
            end = start + self.lasts if self.lasts else _next_midnight(start, zone)
            if start < last and end > first:
                yield start, end

    def _starts(self, zone: "ZoneInfo", first: datetime, last: datetime) -> Iterator[datetime]:
        """The starts around that time, in UTC: those in it, and perhaps some just outside."""
        if self.cron is not None:
            from cronsim import CronSim

            for moment in CronSim(self.cron, first.astimezone(zone) - timedelta(minutes=1)):
                if moment >= last:
                    return
                yield moment.astimezone(UTC)
            return
        day, end = first.astimezone(zone).date(), last.astimezone(zone).date()
        while day <= end:
            if self._is_on(day):
                yield datetime.combine(day, self.at or time(), zone).astimezone(UTC)
            day += timedelta(days=1)

    def _is_on(self, day: date) -> bool:
        match self.calendar:
            case None:
                return day in self.dates
            case "weekdays":
                return day.weekday() < 5
            case "month_end" | "quarter_end" | "year_end" as rule:
                return day.month % _MONTHS[rule] == 0 and day == _end_of_month(day, self.workday)
            case weekday:
                return WEEKDAYS[day.weekday()] == weekday


def _end_of_month(day: date, workday: bool) -> date:
    last = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return last - timedelta(days=max(last.weekday() - 4, 0)) if workday else last


def _next_midnight(start: datetime, zone: "ZoneInfo") -> datetime:
    return datetime.combine(start.astimezone(zone).date() + timedelta(days=1), time(), zone).astimezone(UTC)
