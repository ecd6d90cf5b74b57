"""Runaways: judges the subjects that spent or are under suspicion, and says what is news. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from governor.events import DetailType, Event, event_id
from governor.events.evidence import ExpectedWindow, KeyReading, Runaway
from governor.policy import Workload
from spend_meter.days import DAY
from spend_meter.declared import Declared, counted, declared_at
from spend_meter.excess import explanation
from spend_meter.history import History
from spend_meter.leaks import Leak, watch
from spend_meter.limits import LIMITS, Allowed, Level
from spend_meter.needs import ran_out
from spend_meter.periods import MONTHLY, PERIODS, Period, minute_of, moment_of, starts_at
from spend_meter.runaway import QUIET, Facts, Verdict, judge, settle
from spend_meter.runaway import State as Suspicion
from spend_meter.scopes import counter
from spend_meter.state import Caps
from spend_meter.subjects import Lineage, Subjects, key_reading


@dataclass(frozen=True)
class Judged:
    """What the detector remembers from now on, and the event that is due.

    `explained`: the name of the policy's window without which this run's spend would have been over a limit.
    """

    suspicion: Suspicion
    event: Event | None
    explained: str | None = None


def judge_subject(
    subject: str,
    history: History,
    suspicion: Suspicion,
    minute: int,
    lineage: Lineage,
    subjects: Subjects,
    caps: Caps | None,
    again: bool = False,
    grew: bool = True,
) -> Judged:
    """One run of one subject. `history` stands at `minute`, and learns from this run or is kept from it.

    A subject whose policy turns the detector off is not judged, but its habits are learned for the day it is turned on.
    `caps`: the budgets of the subject's workspace. `again`: its disable was withheld and is due: a confirmed runaway
    that still burns is told now, not when the quarter of an hour is over. `grew`: see `runaway.Facts`.
    """
    rules = subjects.limits(subject).runaway
    if rules.mode == "off":
        history.teach()
        return Judged(QUIET, None)
    declared = declared_at(rules.expect, subjects.time_zone(subject), minute) if rules.expect else ()
    bounds = allowed(subjects.workload(subject), lineage, caps)
    new = history.days_seen < 2 and _is_new(subject, lineage, minute, subjects)
    run_out = ran_out(subjects.workload(subject), lineage, history, subjects)
    verdict = judge(history, Facts(minute, bounds, suspicion, declared, new=new, grew=grew, run_out=run_out))
    explained = explanation(history, declared, bounds) if declared else None
    expected = [_window(one, history) for one in declared]
    after = verdict.next_state
    if again and verdict.level == Level.CONFIRM and not verdict.announce and after.burning_minute == minute:
        verdict = replace(verdict, announce=True, next_state=replace(after, raised_minute=minute))
    settle(history, verdict, declared)
    detail_type = _news(verdict)
    if detail_type is None:
        return Judged(verdict.next_state, None, explained)
    event = _event(detail_type, subject, verdict, minute, history.recent(60), lineage, subjects, expected)
    return Judged(verdict.next_state, event, explained)


def watch_leak(
    subject: str,
    history: History,
    leak: Leak | None,
    suspicion: Suspicion,
    lineage: Lineage,
    subjects: Subjects,
    caps: Caps | None,
) -> tuple[Leak | None, Event | None]:
    """Whether the subject spends too much for days, and the event that is due. `suspicion`: after this run."""
    spent, minute = history.spent(DAY), history.minute
    rules = subjects.limits(subject).runaway
    if (leak is None and spent < LIMITS.leak_floor) or rules.mode == "off":
        return None, None
    if rules.expect:
        spent = counted(history, declared_at(rules.expect, subjects.time_zone(subject), minute))(DAY)
    bounds = allowed(subjects.workload(subject), lineage, caps)
    after, verdict = watch(leak, history, spent, bounds, suspicion)
    if verdict is None:
        return after, None
    kind = DetailType.RUNAWAY_ENDED if verdict.ended else DetailType.RUNAWAY_SUSPECTED
    return after, _event(kind, subject, verdict, minute, history.recent(60), lineage, subjects)


def restart(
    subject: str, history: History, suspicion: Suspicion, at: int, lineage: Lineage, subjects: Subjects
) -> Judged:
    """A human restored the subject at the minute `at`: what it spent before no longer counts against it."""
    recent = history.recent(60)
    history.rebaseline(at)
    if suspicion.level == Level.QUIET:
        return Judged(QUIET, None)
    verdict = Verdict(
        Level.QUIET, suspicion.window_minutes, 0.0, 0.0, 0.0, 0.0, 0.0, suspicion.started_minute,
        "Restored by a human: the incident is over, and its spend no longer counts.", QUIET,
        rule=suspicion.rule, ended=True,
    )  # fmt: skip
    event = _event(DetailType.RUNAWAY_ENDED, subject, verdict, history.minute, recent, lineage, subjects)
    return Judged(QUIET, event)


def _news(verdict: Verdict) -> DetailType | None:
    if verdict.ended:
        return DetailType.RUNAWAY_ENDED
    if not verdict.announce:
        return None
    return DetailType.RUNAWAY_CONFIRMED if verdict.level == Level.CONFIRM else DetailType.RUNAWAY_SUSPECTED


def _event(
    detail_type: DetailType,
    subject: str,
    verdict: Verdict,
    minute: int,
    recent: Sequence[float],
    lineage: Lineage,
    subjects: Subjects,
    expected: Sequence[ExpectedWindow] = (),
) -> Event:
    name = subject if subjects.workload(subject) or not lineage else lineage[0][0].name
    evidence = Runaway(
        name=name,
        window_minutes=verdict.window_minutes,
        spent_usd=round(verdict.spent_usd, 6),
        floor_usd=round(verdict.floor, 6),
        baseline_usd=round(verdict.baseline_usd, 6),
        rate_usd_per_hour=round(verdict.rate_usd_per_hour, 6),
        rule=verdict.rule,
        started_at=moment_of(verdict.started_minute),
        observed_at=moment_of(minute),
        spend_by_minute=[round(usd, 6) for usd in recent],
        expected=list(expected),
        keys=_keys(lineage, verdict.spent_usd, verdict.window_minutes, minute, subjects),
    )
    # A confirmed runaway is told again while it burns: the minute it is raised tells the tellings apart.
    raised = verdict.next_state.raised_minute if detail_type is DetailType.RUNAWAY_CONFIRMED else 0
    return Event(
        detail_type,
        event_id(detail_type, subject, verdict.started_minute, raised),
        subject,
        moment_of(minute),
        f"{name}: {verdict.reason}{_of_the_policy(expected)}",
        evidence.model_dump(mode="json"),
    )


def _is_new(subject: str, lineage: Lineage, minute: int, subjects: Subjects) -> bool:
    """Whether it is a key that no workload declares and that was made less than a day ago."""
    if subjects.workload(subject) is not None:
        return False
    return any(minute - minute_of(key.created_at) < DAY for key, _ in lineage)


def _window(declared: Declared, history: History) -> ExpectedWindow:
    return ExpectedWindow(
        name=declared.name,
        started_at=moment_of(declared.start),
        ends_at=moment_of(declared.end),
        up_to_usd=declared.up_to_usd,
        spent_usd=round(declared.spent(history), 6),
        counts=not declared.covers(history),
    )


def _of_the_policy(expected: Sequence[ExpectedWindow]) -> str:
    """What people are told of the policy's windows: what they explain, or that more was spent than they allow."""
    return "".join(
        f" In the policy's window “{one.name}” ${one.spent_usd:,.2f} was spent, "
        + (f"more than its ${one.up_to_usd:,.2f}." if one.counts else f"which its ${one.up_to_usd:,.2f} explains.")
        for one in expected
        if one.spent_usd > 0
    )


def _keys(lineage: Lineage, spent: float, window_minutes: int, minute: int, subjects: Subjects) -> list[KeyReading]:
    """The lineage as evidence. The window's spend is known of all together; the counters that cover it divide it.

    No key is said to have spent more than its own counter shows: the kill switch holds the one against the other.
    """
    opened = moment_of(minute - window_minutes)
    covering: Period = "lifetime"
    for period in PERIODS:
        start = starts_at(period, moment_of(minute))
        if start and start <= opened:
            covering = period
            break
    counters = [counter(key, covering, subjects.counts_byok(key)) for key, _ in lineage]
    total = sum(counters)
    readings = []
    for (key, workspace_id), counter_usd in zip(lineage, counters, strict=True):
        part = min(counter_usd, spent * counter_usd / total) if total else 0.0
        readings.append(key_reading(key, workspace_id, subjects, subjects.counted(key) - part))
    return readings


def allowed(workload: Workload | None, lineage: Lineage, caps: Caps | None) -> Allowed:
    """What somebody allowed the subject: the policy, else its keys, else its workspace."""
    amount: float | None
    reset: str | None
    if workload and workload.key.limit_usd:
        amount, reset = workload.key.limit_usd, workload.key.limit_reset
    else:
        amount, reset = next(((key.limit, key.limit_reset) for key, _ in lineage if key.limit), (None, None))
    if amount and reset in MONTHLY:
        return Allowed(amount * MONTHLY[reset], amount if reset == "daily" else None)
    return Allowed(caps.limits.get("monthly") if caps else None)
