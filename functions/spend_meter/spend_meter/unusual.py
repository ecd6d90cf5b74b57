"""Evidence of when a subject spends, for what hides below the largest of its days. Pure.

A nightly job of $900 lets a loop of $500 an hour burn by day for hours before it tops the job by the factor that the
habit rule needs. But by day the subject spends next to nothing; a loop does not end where a job does; and no subject
spends a month's money in a day. Each of the three compares with whole jobs of the subject, so none can be set off by
something small. All are silent for a subject with less than a week of days of spend, where time was read in lumps, and
on days of a kind that was not seen.
"""

from collections.abc import Callable, Iterator

from governor.events.evidence import RunawayRule as Rule
from spend_meter.days import DAYS, WINDOWS
from spend_meter.history import History
from spend_meter.limits import MONTH, Allowed, Excess, Level, Limits, is_known, still_burns

_WINDOWS = ((60, 1), (180, 2), (360, 2), (1440, 3))
"""Minutes, and the index in `WINDOWS` of the daily maxima that such a window is held against."""


type SpentIn = Callable[[int], float]
"""USD of the last so many minutes that count."""


def find_unusual(history: History, allowed: Allowed, limits: Limits, spent_in: SpentIn) -> Excess | None:
    """The first rule that confirms, else the first that suspects, or None."""
    if not any(spent_in(window) >= limits.suspect * floor for (window, _), floor in _floors(limits)):
        return None
    days = history.days_of_spend
    if days < limits.warm_days_of_spend or not is_known(history, limits):
        return None
    found: Excess | None = None
    for excess in (
        *_out_of_hours(history, allowed, limits, days, spent_in),
        *_of_a_month(history, limits, spent_in),
    ):
        if excess.level == Level.CONFIRM:
            return excess
        found = found or excess
    return found


def _out_of_hours(history: History, allowed: Allowed, limits: Limits, days: int, spent_in: SpentIn) -> Iterator[Excess]:
    """Whole jobs beyond what these hours usually bring; fewer are enough for what burns longer than any job did."""
    thin = limits.thinness(days)
    on_end: bool | None = None
    for ((window, i), floor), jobs in zip(_floors(limits), limits.jobs, strict=True):
        spent = spent_in(window)
        if spent < limits.suspect * floor or history.coarse(window) or not still_burns(history, window, spent, limits):
            continue
        if spent_in(WINDOWS[i]) < limits.meant * history.expected(WINDOWS[i]):
            continue
        least = max(floor, limits.burn * (allowed.monthly_usd or 0.0) * window / MONTH)
        largest = history.maxima(WINDOWS[i])[0]
        job, less = thin * largest, thin**0.5 * largest
        # No rule below asks for less than this. The lookup of the hours is slow, and is spared.
        if spent < max(min(limits.on_end_suspect, limits.jobs_suspect) * less, limits.suspect * least):
            continue
        tail, usual = history.tail(WINDOWS[i]), limits.unusual * history.usual(window)
        confirm, suspect = usual + jobs * (1 + tail) * job, usual + limits.jobs_suspect * (1 + tail) * less
        rule = Rule.HOURS
        if window >= limits.on_end_from and spent < confirm:
            if on_end is None:
                on_end = history.burns_on_end(limits.on_end_floor, limits.on_end)
            if on_end:
                rule = Rule.ON_END
                confirm = min(confirm, limits.jobs_on_end * (1 + tail / 2) * job)
                suspect = min(suspect, limits.on_end_suspect * less)
        if spent >= max(confirm, least):
            yield Excess(Level.CONFIRM, WINDOWS[i], max(confirm, least), rule)
        elif spent >= max(suspect, limits.suspect * least):
            yield Excess(Level.SUSPECT, WINDOWS[i], max(suspect, limits.suspect * least), rule)


def _of_a_month(history: History, limits: Limits, spent_in: SpentIn) -> Iterator[Excess]:
    """In a quarter of a day, or in a day, more than the largest days of four weeks brought together."""
    if history.days_seen < DAYS:
        return
    month = history.month()
    for i, share in ((2, limits.month_share[0]), (3, limits.month_share[1])):
        spent, limit = spent_in(WINDOWS[i]), max(share * month, limits.floor[i])
        if spent < limits.meant * history.expected(WINDOWS[i]):
            continue
        if spent >= limits.suspect * limit and still_burns(history, WINDOWS[i], spent, limits):
            confirmed = spent >= limit
            level = Level.CONFIRM if confirmed else Level.SUSPECT
            yield Excess(level, WINDOWS[i], limit if confirmed else limits.suspect * limit, Rule.MONTH)


def _floors(limits: Limits) -> Iterator[tuple[tuple[int, int], float]]:
    return zip(_WINDOWS, limits.unusual_floor, strict=True)
