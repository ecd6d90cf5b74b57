"""Slow leaks: a subject that spends two to three times its habit for days, which no window shows as a runaway. Pure.

A forgotten retry, a prompt that has doubled, an expensive fallback: too little for an alarm at night, and a month's
budget twice over. It is told once, as a suspicion with its dollars, on the third day in a row; nothing is ever disabled
for it. Only subjects that are over their habit are remembered here.
"""

from dataclasses import dataclass, replace

from governor.events.evidence import RunawayRule
from spend_meter.days import DAY
from spend_meter.history import History
from spend_meter.limits import LIMITS, Allowed, Level, Limits
from spend_meter.runaway import State as Suspicion
from spend_meter.runaway import Verdict

DAYS = 3
"""Days that a leak lasts when it is told: for two of them its last 24 hours have been over the habit."""
ACCEPTED = 14
"""Days after which what is told and goes on is the habit."""
MONTH = 30


@dataclass(frozen=True)
class Leak:
    """A subject over its habit. `habit`: USD a day, as it was before. `began`: the minute when it was first over it.

    `day`: the epoch day looked at last, and `peak` the largest 24 hours that ended in it, USD. `usd`: of the days
    before it. `told`: the minute when people were told, or 0. `silent`: it is no news: a person said that it is meant,
    or an incident of its own has told it.
    """

    habit: float
    began: int
    day: int
    peak: float
    usd: float = 0.0
    told: int = 0
    silent: bool = False


def watch(
    leak: Leak | None, history: History, spent: float, allowed: Allowed, suspicion: Suspicion, limits: Limits = LIMITS
) -> tuple[Leak | None, Verdict | None]:
    """The leak after this run, and a verdict where people are to hear of it: that it is one, or that it has ended.

    `spent`: USD of the last 24 hours that count.
    """
    today = history.minute // DAY
    if leak is None:
        return _begun(history, spent, today, limits), None
    if today != leak.day:
        ended = today > leak.day + 1 or leak.peak < _least(leak, limits) or today - leak.began // DAY >= ACCEPTED
        if ended:
            return None, _verdict(leak, spent, limits, ended=True) if leak.told else None
        leak = replace(leak, day=today, usd=leak.usd + leak.peak, peak=0.0)
    leak = replace(leak, peak=max(leak.peak, spent), silent=leak.silent or (not leak.told and _is_told(suspicion)))
    if leak.told or leak.silent:
        return leak, None
    if leak.peak > limits.leak_most * leak.habit:
        return replace(leak, silent=True), None  # a launch, or a loop that other rules judge
    over = spent >= limits.leak * leak.habit and history.minute - leak.began >= (DAYS - 1) * DAY
    if not over or _is_covered(leak, allowed):
        return leak, None
    leak = replace(leak, told=history.minute)
    return leak, _verdict(leak, spent, limits, ended=False)


def meant(leak: Leak) -> Leak:
    """A person said that it is: nothing more is told of it, and after its time it is the habit."""
    return replace(leak, silent=True, told=0)


def _begun(history: History, spent: float, today: int, limits: Limits) -> Leak | None:
    if spent < limits.leak_floor:
        return None
    habit = history.fifth_largest_day()
    if spent < limits.leak * habit or spent - habit < limits.leak_floor:
        return None
    if history.days_seen < limits.warm_days or history.days_of_spend < limits.warm_days_of_spend or habit <= 0:
        return None
    return Leak(habit, history.minute, today, spent)


def _least(leak: Leak, limits: Limits) -> float:
    """USD of a day below which it is over: once told, it must be well back."""
    return (limits.leak_back if leak.told or leak.silent else limits.leak) * leak.habit


def _is_told(suspicion: Suspicion) -> bool:
    return suspicion.level != Level.QUIET or suspicion.told_minute > 0


def _is_covered(leak: Leak, allowed: Allowed) -> bool:
    """Whether the budget covers growth at this pace: then it is the budget's alerts to tell of."""
    days = leak.day - leak.began // DAY + 1
    return allowed.monthly_usd is not None and (leak.usd + leak.peak) / days * MONTH <= allowed.monthly_usd


def _verdict(leak: Leak, spent: float, limits: Limits, *, ended: bool) -> Verdict:
    days = leak.day - leak.began // DAY + 1
    total = leak.usd + leak.peak
    usual = leak.habit * days
    if ended:
        lasted = "goes on, and is taken for the habit now" if leak.peak >= _least(leak, limits) else "is over"
        said = f"A leak of ${total - usual:,.2f} in {days} days beyond the habit of ${leak.habit:,.2f} a day {lasted}."
    else:
        said = (
            f"Spent ${total:,.2f} in {days} days, {total / usual:,.1f} times its habit of ${leak.habit:,.2f} a day: "
            f"${total - usual:,.2f} more than usual, ${(total - usual) / days * MONTH:,.2f} in a month at this pace."
        )
    return Verdict(
        Level.QUIET if ended else Level.SUSPECT,
        days * DAY,
        total,
        limits.leak * usual,
        usual,
        total / usual,
        spent / 24,
        leak.began,
        said,
        Suspicion(),
        announce=not ended,
        rule=RunawayRule.LEAK,
        ended=ended,
    )
