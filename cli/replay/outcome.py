"""What came of a replay, for people: per workload, and each decision to disable with its dollars. Pure.

A disable for a runaway is a **false-alarm candidate** where nobody in the account stopped the key: it is enabled today,
and spent on a later day (UTC). Whether the burn was meant, the past does not say; that nobody stopped it is a reason to
ask. One that came again, half as large or larger, is the better candidate. The same holds of what a dry run would have
disabled.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from cli.replay.history import HOUR, History
from cli.replay.play import Played, next_morning
from governor.events import DetailType, Event
from governor.events.evidence import BudgetReached, Disable, Runaway
from governor.policy import Key
from management_api import ApiKey
from spend_meter.days import DAY
from spend_meter.periods import minute_of, moment_of, period_of, starts_at

AGAIN = 0.5
"""Share of a burn from which another of the same length counts as the same again."""
WOULD = frozenset({"alert_mode", "disable"})
"""The kill switch's rules by which a key is disabled, or would be but for the dry run."""


@dataclass(frozen=True)
class Stop:
    """One decision of the kill switch. USD.

    `rule`: the kill switch's; `disable` where keys were disabled. `why`: the detector's rule, or the budget's scope.
    `lost_usd`: spent from the start of the burn until the decision, and so lost in any case; for a budget, what was
    spent beyond its threshold. `after_usd`: what the keys spent in the past from then until `until`, the time at which
    somebody is supposed to look: refused where keys were disabled, and otherwise what waiting would have cost.
    `repeats`: how often the same was decided again. `candidate`: why it may be a false alarm; empty where it is none.
    """

    subject: str
    name: str
    cause: str
    rule: str
    why: str
    started_at: datetime | None
    at: datetime
    until: datetime | None
    spent_usd: float
    lost_usd: float
    after_usd: float
    reason: str
    repeats: int = 0
    candidate: str = ""
    again: int = 0

    @property
    def disabled(self) -> bool:
        return self.rule == "disable"


@dataclass
class Summary:
    """One workload, or key that no workload claims. `alerts`: budget thresholds told. USD.

    `worst_usd`: spent on the UTC day `worst_day`, its dearest. `capped_usd`: what the policy's cap would have let
    through on that day; None where the policy gives none.
    """

    subject: str
    name: str
    declared: bool
    tier: int | None
    mode: str
    spent_usd: float
    worst_day: datetime
    worst_usd: float
    capped_usd: float | None
    alerts: int = 0
    suspicions: int = 0
    confirmed: int = 0
    stops: list[Stop] = field(default_factory=list)

    @property
    def disables(self) -> list[Stop]:
        return [one for one in self.stops if one.disabled]

    @property
    def is_news(self) -> bool:
        return bool(self.alerts or self.suspicions or self.confirmed or self.stops)


@dataclass(frozen=True)
class Outcome:
    """`summaries`: greatest first; workspaces' and members' alerts are in `others`, by subject."""

    summaries: Sequence[Summary]
    others: Sequence[Event]
    events: Sequence[Event]
    stops: Sequence[Stop]

    @property
    def candidates(self) -> list[Stop]:
        """The likeliest false alarms first."""
        found = [one for one in self.stops if one.candidate]
        return sorted(found, key=lambda one: (-one.again, -one.after_usd))

    def totals(self) -> dict[str, float]:
        """Sums over the account, by name; what knobs are compared by."""
        disables = [one for one in self.stops if one.disabled]
        held = [one for one in self.stops if not one.disabled]
        return {
            "budget_alerts": sum(one.alerts for one in self.summaries) + len(self.others),
            "suspicions": sum(one.suspicions for one in self.summaries),
            "confirmed": sum(one.confirmed for one in self.summaries),
            "disables": len(disables),
            "withheld": len(held),
            "lost_anyway_usd": round(sum(one.lost_usd for one in disables), 2),
            "refused_usd": round(sum(one.after_usd for one in disables), 2),
            "spent_while_withheld_usd": round(sum(one.after_usd for one in held), 2),
            "false_alarm_candidates": len(self.candidates),
        }


def outcome_of(played: Played, history: History) -> Outcome:
    """Sums up what was played."""
    spending = Spending(played, history)
    stops = list(_stops(played, spending))
    summaries = {subject: _summary(played, subject, spending) for subject in played.keys}
    others = []
    for event in played.events:
        summary = summaries.get(event.subject)
        match event.detail_type:
            case DetailType.BUDGET_THRESHOLD_REACHED if summary:
                summary.alerts += 1
            case DetailType.BUDGET_THRESHOLD_REACHED:
                others.append(event)
            case DetailType.RUNAWAY_SUSPECTED if summary:
                summary.suspicions += 1
    for stop in stops:
        if summary := summaries.get(stop.subject):
            summary.stops.append(stop)
    for subject, summary in summaries.items():
        summary.confirmed = len(_incidents(played, subject))
    order = sorted(summaries.values(), key=lambda one: (-len(one.stops), -one.suspicions, -one.alerts, -one.spent_usd))
    return Outcome(order, others, played.events, stops)


class Spending:
    """What subjects spent in the past, counted as the meter counts it."""

    def __init__(self, played: Played, history: History) -> None:
        self._played, self._history = played, history

    def of(self, subject: str, start: int, end: int) -> float:
        """USD of all the subject's keys from the minute `start` up to `end`."""
        total = 0.0
        for key in self._played.keys.get(subject, ()):
            credits, byok = self._history.between(key.hash, start, end)
            total += credits + (byok if self._counts_byok(subject, key) else 0.0)
        return total

    def _counts_byok(self, subject: str, key: ApiKey) -> bool:
        workload = self._played.policy.workload(subject)
        return key.include_byok_in_limit or (workload is not None and workload.key.include_byok_in_limit)


def _incidents(played: Played, subject: str) -> set[datetime]:
    """When the subject's confirmed runaways began; one is told again while it burns."""
    return {
        Runaway.of(event).started_at
        for event in played.events
        if event.subject == subject and event.detail_type is DetailType.RUNAWAY_CONFIRMED
    }


def _summary(played: Played, subject: str, spending: Spending) -> Summary:
    workload, limits = played.policy.workload(subject), played.policy.for_subject(subject)
    name = workload.name if workload else played.keys[subject][0].name
    first, end = minute_of(played.start), minute_of(played.end)
    days = {day: spending.of(subject, day, min(day + DAY, end)) for day in range(first // DAY * DAY, end, DAY)}
    worst = max(days, key=lambda day: days[day])
    return Summary(
        subject,
        name,
        workload is not None,
        workload.tier if workload else None,
        limits.runaway.mode,
        spending.of(subject, first, end),
        moment_of(worst),
        days[worst],
        _capped(workload.key, subject, worst, days[worst], spending) if workload else None,
    )


def _capped(key: Key, subject: str, day: int, usd: float, spending: Spending) -> float | None:
    """What the cap would have let through on the day, after what its period had spent before."""
    if not key.limit_usd:
        return None
    begun = starts_at(period_of(key.limit_reset), moment_of(day))
    before = spending.of(subject, minute_of(begun) if begun else 0, day)
    return min(usd, max(key.limit_usd - before, 0.0))


def _stops(played: Played, spending: Spending) -> Iterator[Stop]:
    """The kill switch's decisions, those that repeat an earlier one of the same burn counted with it."""
    told = {event.id: event for event in played.events}
    refused = {one.disable: one for one in played.refused}
    decided: dict[tuple[object, ...], list[Event]] = {}
    for event in played.events:
        if event.detail_type in (DetailType.KEY_DISABLED, DetailType.DISABLE_WITHHELD):
            evidence = Disable.of(event)
            burn = evidence.started_at or evidence.trigger
            decided.setdefault((event.subject, evidence.cause, evidence.rule, burn), []).append(event)
    for first, *again in decided.values():
        evidence = Disable.of(first)
        trigger = told.get(evidence.trigger)
        if trigger is None:
            continue
        at, morning = minute_of(first.occurred_at), next_morning(trigger)
        until = min(morning if morning is not None else minute_of(played.end), minute_of(played.end))
        after = spending.of(first.subject, at, until)
        if first.id in refused:
            after = refused[first.id].usd
        stop = Stop(
            subject=first.subject,
            name=evidence.name,
            cause=evidence.cause,
            rule=evidence.rule,
            why=_why(trigger),
            started_at=evidence.started_at,
            at=first.occurred_at,
            until=moment_of(until) if morning is not None else None,
            spent_usd=evidence.spent_usd or 0.0,
            lost_usd=_lost(trigger, evidence, first, spending),
            after_usd=after,
            reason=first.reason,
            repeats=len(again),
        )
        yield _with_candidacy(stop, played, spending)


def _why(trigger: Event) -> str:
    if trigger.detail_type is DetailType.RUNAWAY_CONFIRMED:
        return Runaway.of(trigger).rule.value
    return f"{BudgetReached.of(trigger).scope} budget"


def _lost(trigger: Event, evidence: Disable, told: Event, spending: Spending) -> float:
    if evidence.started_at:
        return spending.of(told.subject, minute_of(evidence.started_at) - 1, minute_of(told.occurred_at))
    budget = BudgetReached.of(trigger)
    return max(budget.spent_usd - budget.threshold * budget.limit_usd, 0.0)


def _with_candidacy(stop: Stop, played: Played, spending: Spending) -> Stop:
    if stop.cause != "runaway" or stop.rule not in WOULD:
        return stop
    keys = played.keys.get(stop.subject, ())
    enabled = [key for key in keys if not key.disabled]
    midnight, end = (minute_of(stop.at) // DAY + 1) * DAY, minute_of(played.end)
    later = {day: spending.of(stop.subject, day, min(day + DAY, end)) for day in range(midnight, end, DAY)}
    days = sum(usd > 0 for usd in later.values())
    if not enabled or not days:
        return stop
    again = _again(stop, played, spending)
    said = f"nobody stopped it: {enabled[0].name} is enabled today, and spent on {_days(days, 'later')}"
    if again:
        said += f"; as much was spent in as long on {_days(again, 'other')}"
    return replace(stop, candidate=said, again=again)


def _again(stop: Stop, played: Played, spending: Spending) -> int:
    """Days, before and after, on which the keys spent at least half as much in as many hours."""
    started = minute_of(stop.started_at or stop.at)
    hours = max(1, -(-(minute_of(stop.at) - started) // HOUR))
    day_of_it = minute_of(stop.at) // DAY
    needed = AGAIN * stop.lost_usd
    days = set()
    for hour in range(minute_of(played.start) // HOUR, minute_of(played.end) // HOUR - hours + 1):
        day = hour * HOUR // DAY
        if abs(day - day_of_it) < 1 or day in days:
            continue
        if spending.of(stop.subject, hour * HOUR, (hour + hours) * HOUR) >= needed:
            days.add(day)
    return len(days)


def _days(count: int, which: str) -> str:
    return f"{count} {which} day{'' if count == 1 else 's'}"
