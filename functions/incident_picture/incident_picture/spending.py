"""Pictures of money that goes slower than a runaway's: budgets, credits, leaks, and keys that are still used."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from governor.events import DetailType, Event
from governor.events.byok_evidence import CreditsLeak
from governor.events.credits_evidence import CreditsLeft
from governor.events.evidence import BudgetReached, Drain, Runaway
from governor.slack.text import clip
from governor.slack.text import plain as one_line
from incident_picture.plot import Bar, Level, Mark, Plot, Point, dollars, moment, named, words

MOST = timedelta(days=14)
"""How far ahead a curve goes, however long the rest lasts."""
DAY = timedelta(days=1)
_BARS = 6


def budget(reached: Sequence[tuple[Event, BudgetReached]]) -> Plot:
    """What was spent when each threshold was reached, the limit, and where the present rate leads."""
    event, now = reached[-1]
    points = tuple(Point(one.occurred_at, evidence.spent_usd) for one, evidence in reached)
    rate, name = now.rate_usd_per_hour, named(now.scope_name, event.subject)
    ends = [one for one in (now.runs_out_at, now.resets_at) if one is not None and one > event.occurred_at]
    ahead, label, coming = _line(points[-1], rate, min(ends, default=None)) if rate else ((), "", "")
    if ahead and ahead[-1].at == now.runs_out_at:
        label = f"limit reached {moment(now.runs_out_at)}"
    levels = [Level(f"limit {dollars(now.limit_usd)}", now.limit_usd)]
    levels += [
        Level(f"{threshold:.0%}", now.limit_usd * threshold, "habit")
        for threshold in sorted({evidence.threshold for _, evidence in reached})
        if threshold < 1
    ]
    alt = words(
        f"Spent of the {now.period} budget of {name}: {dollars(now.spent_usd)} of {dollars(now.limit_usd)}, "
        f"{now.spent_usd / now.limit_usd:.0%}, at {moment(event.occurred_at)}."
        if now.limit_usd
        else "",
        f"Before: {_told(points[:-1])}." if points[:-1] else "",
        f"Spend runs at {dollars(rate)} an hour." if rate else "",
        f"At that rate the limit is reached at {moment(now.runs_out_at)}." if now.runs_out_at else coming,
        f"The budget begins anew at {moment(now.resets_at)}." if now.resets_at else "",
    )
    title = f"{name}: {dollars(now.spent_usd)} of {dollars(now.limit_usd)}"
    return Plot("curve", title, f"USD, {now.period}", alt, points, tuple(levels), (), ahead, label)


def credits(reached: Sequence[tuple[Event, BudgetReached]]) -> Plot:
    """What was left of the account's credits at each message, and when they are used up at the present rate."""
    points = tuple(Point(one.occurred_at, said.credits.left_usd) for one, said in reached if said.credits)
    event, now = reached[-1][0], _credits(reached[-1][1])
    ahead: tuple[Point, ...] = ()
    label = ""
    if now.hours_at_present and now.left_usd > 0 and now.present_usd_per_hour:
        end = event.occurred_at + min(timedelta(hours=now.hours_at_present), MOST)
        left = max(0.0, now.left_usd - now.present_usd_per_hour * (end - event.occurred_at).total_seconds() / 3600)
        ahead, label = (Point(end, left),), f"at {dollars(now.present_usd_per_hour)} an hour"
    levels = tuple(Level(f"alert {dollars(usd)}", usd) for usd in now.reached_usd)
    alt = words(
        f"Credits left of the account: {dollars(now.left_usd)} at {moment(event.occurred_at)}.",
        f"Before: {_told(points[:-1])}." if points[:-1] else "",
        f"They last {now.hours_at_present:,.1f} hours at the present {dollars(now.present_usd_per_hour)} an hour."
        if now.hours_at_present and now.present_usd_per_hour else "",
        f"They last {now.hours_at_usual:,.1f} hours at the usual {dollars(now.usual_usd_per_hour)} an hour."
        if now.hours_at_usual and now.usual_usd_per_hour else "",
        f"Alerts reached: {', '.join(dollars(usd) for usd in now.reached_usd)}." if now.reached_usd else "",
    )  # fmt: skip
    title = f"The account: {dollars(now.left_usd)} of credits left"
    return Plot("curve", title, "USD left", alt, points, levels, (), ahead, label)


def leak(event: Event, evidence: Runaway) -> Plot:
    """Days of spend beside what the habit would have been."""
    name, days = named(evidence.name, event.subject), evidence.window_minutes / 1440
    more = round(evidence.spent_usd - evidence.baseline_usd, 6)
    bars = (
        Bar("habit", evidence.baseline_usd, "habit"),
        Bar("limit", evidence.floor_usd, "limit"),
        Bar("spent", evidence.spent_usd),
    )
    over = event.detail_type is DetailType.RUNAWAY_ENDED
    alt = words(
        f"Spend of {name} in the {days:g} days to {moment(evidence.observed_at)}: {dollars(evidence.spent_usd)}.",
        f"Its habit for as long is {dollars(evidence.baseline_usd)}, the detector's limit "
        f"{dollars(evidence.floor_usd)}: {dollars(more)} more than usual.",
        "It is over." if over else f"If it goes on: as much again in {days:g} days. Nothing is disabled for this.",
    )
    title = f"{name}: {dollars(more)} more than usual in {days:g} days"
    return Plot("bars", title, f"USD in {days:g} days", alt, bars=bars)


def drain(event: Event, evidence: Drain) -> Plot | None:
    """What was paid with a key since it was replaced, by model or app; None where nobody measured it."""
    spent = evidence.spent_usd
    if spent is None:
        return None
    name = named(evidence.name, event.subject)
    by = evidence.top_models or evidence.top_apps
    bars = [Bar(clip(one_line(label), 40), usd) for label, usd in by[:_BARS]]
    rest = round(spent - sum(bar.usd for bar in bars), 6)
    if rest >= 0.005 or not bars:
        bars.append(Bar("other" if bars else "in all", rest if bars else spent))
    ends = "" if evidence.rule or evidence.behind else f"It is disabled at {moment(evidence.deadline)}, used or not."
    alt = words(
        f"Spent with the replaced key of {name} since {moment(evidence.since)}: {dollars(spent)}.",
        f"By {'model' if evidence.top_models else 'app'}: "
        f"{', '.join(f'{bar.label} {dollars(bar.usd)}' for bar in bars)}." if by else "",
        f"Last used at {moment(evidence.last_used_at)}." if evidence.last_used_at else "",
        ends,
    )  # fmt: skip
    title = f"{name}: {dollars(spent)} with the replaced key"
    return Plot("bars", title, f"USD since {moment(evidence.since)}", alt, bars=tuple(bars))


def credits_leak(events: Sequence[tuple[Event, CreditsLeak]]) -> Plot:
    """Credits spent beyond the habit since it began, and a day of it ahead."""
    event, now = events[-1]
    over, name = event.detail_type is DetailType.CREDITS_LEAK_ENDED, named(now.name, event.subject)
    points = (Point(now.started_at, 0.0), *(Point(one.observed_at, one.lost_usd) for _, one in events))
    day = round(now.rate_usd_per_hour * 24, 6)
    ahead = () if over or day <= 0 else (Point(now.observed_at + DAY, now.lost_usd + day),)
    alt = words(
        f"Credits spent by {name} beyond its habit since {moment(now.started_at)}: {dollars(now.lost_usd)} by "
        f"{moment(now.observed_at)}.",
        f"Its own keys serve {now.share:.0%} of its spend; {now.habit:.0%} is the habit.",
        f"It costs {dollars(now.rate_usd_per_hour)} an hour; in a day {dollars(day)} more." if ahead else "",
        "It is over." if over else "",
    )
    label = f"{dollars(day)} more in a day" if ahead else ""
    marks = (Mark(f"over {event.occurred_at:%H:%M}", event.occurred_at, ends=True),) if over else ()
    title = f"{name}: {dollars(now.lost_usd)} of credits beyond its habit"
    return Plot("curve", title, "USD", alt, points, (), marks, ahead, label)


def _line(last: Point, rate: float, end: datetime | None) -> tuple[tuple[Point, ...], str, str]:
    """From the last point on at a rate in USD an hour."""
    until = min(end or last.at + DAY, last.at + MOST)
    more = rate * (until - last.at).total_seconds() / 3600
    said = f"{dollars(last.usd + more)} by {moment(until)}"
    return (Point(until, round(last.usd + more, 6)),), said, f"At that rate it is {said}."


def _told(points: Sequence[Point]) -> str:
    return ", ".join(f"{dollars(point.usd)} at {moment(point.at)}" for point in points)


def _credits(evidence: BudgetReached) -> CreditsLeft:
    assert evidence.credits is not None
    return evidence.credits
