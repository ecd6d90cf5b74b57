"""Which rule a subject's spend breaks, if any. Pure.

Two rules know how much a subject spends: `habit`, against the largest of its days, and `cold`, for a subject without a
habit, which only suspects. Where neither confirms, three more know when it spends (see `unusual`): `hours`, `on_end`
and `month`.
"""

from governor.evidence import RunawayRule as Rule
from spend_meter.days import WINDOWS
from spend_meter.history import History
from spend_meter.limits import MONTH, Allowed, Excess, Level, Limits, still_burns
from spend_meter.unusual import find_unusual


def find_excess(history: History, allowed: Allowed, limits: Limits) -> Excess | None:
    """The gravest window over its limit and still burning (the shortest of equals), or None."""
    found: Excess | None = None
    for i, window in enumerate(WINDOWS):
        spent = history.spent(window)
        if spent < limits.suspect * limits.floor[i] or not still_burns(history, window, spent, limits):
            continue
        if spent < limits.meant * history.expected(window):
            continue
        limit, rule = _limit(history, allowed, limits, i)
        level = Level.CONFIRM if rule is Rule.HABIT and spent >= limit else Level.SUSPECT
        if level == Level.SUSPECT:
            limit *= limits.suspect
        if spent >= limit and (found is None or level > found.level):
            found = Excess(level, window, limit, rule)
    if found is None or found.level == Level.SUSPECT:
        unusual = find_unusual(history, allowed, limits)
        if unusual is not None and (found is None or unusual.level > found.level):
            return unusual
    return found


def left_until(history: History, allowed: Allowed, limits: Limits) -> float:
    """USD that may yet be spent at once until a window of days' maxima confirms, or suspects where there is no habit.

    The rules of hours, stretches and the month are for slower burns, which the minute's beat sees as soon.
    """
    left = []
    for i, window in enumerate(WINDOWS):
        limit, rule = _limit(history, allowed, limits, i)
        if rule is Rule.COLD:
            limit *= limits.suspect
        left.append(max(limit, limits.meant * history.expected(window)) - history.spent(window))
    return min(left)


def _limit(history: History, allowed: Allowed, limits: Limits, i: int) -> tuple[float, Rule]:
    """What the window's spend must pass, and by which rule: `cold` may not confirm."""
    floor, budget, daily = limits.floor[i], allowed.monthly_usd, allowed.daily_usd
    largest, second = history.maxima(WINDOWS[i])
    days = history.days_of_spend
    known = history.days_seen >= limits.warm_days
    if known and days >= limits.warm_days_of_spend:
        habit = limits.thinness(days) * max(limits.multiple[i] * second, limits.peak[i] * largest)
        return max(floor, habit, limits.burn * (budget or 0.0) * WINDOWS[i] / MONTH), Rule.HABIT
    if known and budget is not None:
        idle = max(floor, limits.idle_month_share * budget, limits.thinness(days) * limits.peak[i] * largest)
        return idle, Rule.HABIT
    if daily is not None:
        floor = max(floor, limits.cold_share * daily)
    elif budget is not None:
        floor = max(floor, limits.cold_month_share * budget)
    else:
        floor *= limits.cold_floor
    return max(floor, limits.peak[i] * largest), Rule.COLD
