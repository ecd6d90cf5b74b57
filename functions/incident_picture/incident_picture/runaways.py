"""A runaway by the minute: what was spent, the habit, the detector's limit, what was decided, what would have come."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from governor.events import DetailType, Event
from governor.events.evidence import Disable, Runaway
from incident_picture.plot import Level, Mark, Plot, Point, clock, dollars, moment, named, words

MINUTE = timedelta(minutes=1)
AHEAD = 15
"""Minutes that are shown of what would have come."""
_SAID = {
    DetailType.RUNAWAY_SUSPECTED: "suspected",
    DetailType.RUNAWAY_CONFIRMED: "confirmed",
    DetailType.RUNAWAY_ENDED: "over",
    DetailType.KEY_DISABLED: "disabled",
    DetailType.DISABLE_WITHHELD: "not disabled",
    DetailType.KEY_RESTORED: "restored",
}
_MEASURED = frozenset({DetailType.RUNAWAY_SUSPECTED, DetailType.RUNAWAY_CONFIRMED, DetailType.RUNAWAY_ENDED})


def runaway(events: Sequence[Event]) -> Plot | None:
    """None where no event measured a minute. Raises `BadEvent`."""
    measured = [Runaway.of(event) for event in events if event.detail_type in _MEASURED]
    minutes: dict[datetime, float] = {}
    for one in measured:
        # The judged minute is the last. What a later reading says of a minute is the better figure.
        first = one.observed_at - MINUTE * (len(one.spend_by_minute) - 1)
        minutes |= {first + MINUTE * number: usd for number, usd in enumerate(one.spend_by_minute)}
    if not minutes:
        return None
    judged = _judged(events)
    points = tuple(Point(at, usd) for at, usd in sorted(minutes.items()))[-60:]
    habit, limit = judged.baseline_usd / judged.window_minutes, judged.floor_usd / judged.window_minutes
    levels = (Level(f"habit {dollars(habit)}", habit, "habit"), Level(f"limit {dollars(limit)}", limit))
    marks = tuple(
        Mark(f"{_SAID[event.detail_type]} {clock(event.occurred_at)}", event.occurred_at, _ends(event))
        for event in _once(events)
    )
    ahead, label, coming = _what_would_come(events, judged, points[-1].at)
    name, top = named(judged.name, events[-1].subject), max(points, key=lambda one: one.usd)
    alt = words(
        f"Spend of {name} by the minute, {len(points)} minutes to {moment(points[-1].at)}.",
        f"Most was spent at {clock(top.at)}: {dollars(top.usd)} in a minute; in all {dollars(_sum(points))}.",
        f"Its habit is {dollars(habit)} a minute, the detector's limit {dollars(limit)} a minute over "
        f"{judged.window_minutes} minutes.",
        f"Decided: {', '.join(mark.label for mark in marks)} UTC." if marks else "",
        coming,
    )
    title = f"{name}: {dollars(judged.rate_usd_per_hour)} an hour"
    return Plot("minutes", title, "USD a minute", alt, points, levels, marks, ahead, label)


def _judged(events: Sequence[Event]) -> Runaway:
    """The newest reading that was over the limit; an end does not hide what it ended."""
    kinds = (_MEASURED - {DetailType.RUNAWAY_ENDED}, _MEASURED)
    found = [[Runaway.of(one) for one in events if one.detail_type in kind] for kind in kinds]
    return (found[0] or found[1])[-1]


def _once(events: Sequence[Event]) -> list[Event]:
    """The first of each kind, and of a repeat only where something else came between."""
    kept: list[Event] = []
    for event in events:
        if event.detail_type in _SAID and (not kept or kept[-1].detail_type is not event.detail_type):
            kept.append(event)
    return kept


def _ends(event: Event) -> bool:
    return event.detail_type is DetailType.KEY_DISABLED


def _what_would_come(events: Sequence[Event], judged: Runaway, last: datetime) -> tuple[tuple[Point, ...], str, str]:
    """The minutes ahead at the present rate, what they are called, and a sentence. Nothing once it is over."""
    stopped = next((one for one in reversed(events) if one.detail_type is DetailType.KEY_DISABLED), None)
    if any(one.detail_type in (DetailType.RUNAWAY_ENDED, DetailType.KEY_RESTORED) for one in events) and not stopped:
        return (), "", ""
    hourly = judged.rate_usd_per_hour
    if hourly <= 0:
        return (), "", ""
    start = max(last, stopped.occurred_at.replace(second=0, microsecond=0)) if stopped else last
    ahead = tuple(Point(start + MINUTE * number, hourly / 60) for number in range(1, AHEAD + 1))
    if stopped is None:
        said = f"{dollars(hourly)} in the next hour at this rate"
        return ahead, said, f"If nothing stops it: {said}."
    disable = Disable.of(stopped)
    if disable.by_morning_usd is None:
        return ahead, f"{dollars(hourly)} an hour, had it gone on", f"Had it gone on: {dollars(hourly)} an hour."
    cost = f"{dollars(disable.by_morning_usd)} by the next 08:00 UTC"
    return ahead, f"{cost}, had it gone on", f"Had it gone on: {cost}."


def _sum(points: Sequence[Point]) -> float:
    return round(sum(point.usd for point in points), 6)
