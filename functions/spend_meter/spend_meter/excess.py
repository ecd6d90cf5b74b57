"""Which rule a subject's spend breaks, if any. Pure.

Three rules know how much a subject spends: `habit`, against the largest of its days; `cold`, for a subject without a
habit, and `new`, for a key in its first day, which only suspect. Where none confirms, three more know when it spends
(see `unusual`): `hours`, `on_end` and `month`.
"""

from collections.abc import Callable, Sequence

from governor.events.evidence import RunawayRule as Rule
from spend_meter.days import WINDOWS
from spend_meter.declared import Declared, counted
from spend_meter.history import History
from spend_meter.limits import LIMITS, MONTH, Allowed, Excess, Level, Limits, is_known, still_burns
from spend_meter.unusual import find_unusual


def find_excess(
    history: History,
    allowed: Allowed,
    limits: Limits,
    spent_in: Callable[[int], float] | None = None,
    *,
    new: bool = False,
) -> Excess | None:
    """The gravest window over its limit and still burning (the shortest of equals), or None.

    `spent_in(window)`: USD of a window that count, where the policy declares some of it as meant. `new`: the subject is
    a key made less than a day ago.
    """
    spent_in = spent_in or history.spent
    found: Excess | None = None
    for i, window in enumerate(WINDOWS):
        spent = spent_in(window)
        if spent < limits.suspect * limits.floor[i] or not still_burns(history, window, spent, limits):
            continue
        if spent < limits.meant * history.expected(window):
            continue
        limit, rule = _limit(history, allowed, limits, i, new)
        level = Level.CONFIRM if rule is Rule.HABIT and spent >= limit else Level.SUSPECT
        if level == Level.SUSPECT:
            limit *= limits.suspect
        if spent >= limit and (found is None or level > found.level):
            found = Excess(level, window, limit, rule)
    if found is None or found.level == Level.SUSPECT:
        unusual = find_unusual(history, allowed, limits, spent_in)
        if unusual is not None and (found is None or unusual.level > found.level):
            return unusual
    return found


def explanation(
    history: History, declared: Sequence[Declared], allowed: Allowed, limits: Limits = LIMITS
) -> str | None:
    """The name of the dearest declared window that keeps this spend below the limits; None: none is needed."""
    covering = [one for one in declared if one.covers(history)]
    if not covering or find_excess(history, allowed, limits, counted(history, declared)):
        return None
    if find_excess(history, allowed, limits) is None:
        return None
    return max(covering, key=lambda one: one.spent(history)).name


def left_until(history: History, allowed: Allowed, limits: Limits) -> float:
    """USD that may yet be spent at once until a window of days' maxima confirms, or suspects where there is no habit.

    The rules of hours, stretches and the month are for slower burns, which the minute's run sees as soon.
    """
    left = []
    for i, window in enumerate(WINDOWS):
        limit, rule = _limit(history, allowed, limits, i, new=False)
        if rule is Rule.COLD:
            limit *= limits.suspect
        left.append(max(limit, limits.meant * history.expected(window)) - history.spent(window))
    return min(left)


def _limit(history: History, allowed: Allowed, limits: Limits, i: int, new: bool) -> tuple[float, Rule]:
    """What the window's spend must pass, and by which rule: `cold` and `new` may not confirm."""
    floor, budget, daily = limits.floor[i], allowed.monthly_usd, allowed.daily_usd
    largest, second = history.maxima(WINDOWS[i])
    days = history.days_of_spend
    known = is_known(history, limits)
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
        floor *= limits.new_floor if new else limits.cold_floor
    return max(floor, limits.peak[i] * largest), Rule.NEW if new else Rule.COLD
