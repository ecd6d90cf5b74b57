"""Whole threads as people read them: what each event adds, and how the first message reads in the end.

Where an event changes the first message, its headline stands here; the file of its kind has the rest.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from governor.events import DetailType as Type
from governor.events import Event
from notifier.decide import Decision, decide
from notifier.incident import Incident
from notifier.kinds import incident_key
from notifier.truth import Doubt
from tests.contract.slack.examples import POLICY, T0, examples, others
from tests.contract.slack.rendered import lines

THREADS: Mapping[str, Sequence[Type]] = {
    "A runaway is disabled, and an approver restores it": (
        Type.RUNAWAY_SUSPECTED, Type.RUNAWAY_CONFIRMED, Type.KEY_DISABLED, Type.KEY_RESTORED,
    ),
    "A runaway that Governor may not disable ends by itself": (
        Type.RUNAWAY_SUSPECTED, Type.RUNAWAY_CONFIRMED, Type.DISABLE_WITHHELD, Type.RUNAWAY_ENDED,
    ),
    "A suspicion that a person calls expected": (Type.RUNAWAY_SUSPECTED, Type.RUNAWAY_EXPECTED),
    "A key is replaced, and the old one is still used": (
        Type.ROTATION_STARTED, Type.KEY_ROTATED, Type.DRAIN_BLOCKED, Type.KEY_RETIRED,
    ),
    "A rotation fails": (Type.ROTATION_STARTED, Type.ROTATION_FAILED),
    "The meter is blind, and sees again": (Type.MONITOR_BLIND, Type.MONITOR_RECOVERED),
}  # fmt: skip
"""Events five minutes apart; of each type the first example."""
DOUBTS: Mapping[Doubt, str] = {
    "unrecorded": "An event that Governor's ledger does not hold",
    "older": "An event that says it is from before Governor stored them",
}


def threads() -> Iterator[str]:
    """A part of the page for each thread, then one for what comes late, and one for each doubt."""
    of = _firsts()
    for title, kinds in THREADS.items():
        subject = of[kinds[0]].subject
        events = [_at(replace(of[kind], subject=subject), 5 * number) for number, kind in enumerate(kinds)]
        assert len({incident_key(event) for event in events}) == 1, f"{title}: these events are not one thread"
        yield "\n".join(_thread(title, events))
    ended = [_at(of[kind], minutes) for kind, minutes in ((Type.RUNAWAY_SUSPECTED, 0), (Type.RUNAWAY_ENDED, 20))]
    again = [_at(replace(of[Type.RUNAWAY_CONFIRMED], id="the-next"), 60), _at(of[Type.KEY_DISABLED], 10)]
    yield "\n".join(_thread("A step of an earlier incident comes late", [*ended, *again]))
    for doubt, title in DOUBTS.items():
        event = _at(of[Type.KEY_DISABLED], 0)
        said = decide(Incident(incident_key(event)), event, POLICY, doubt).parent
        yield "\n".join([f"## {title}\n", *lines(said)])


def _firsts() -> dict[Type, Event]:
    """The first example of each type."""
    found: dict[Type, Event] = {}
    for event in (*examples(), *others()):
        found.setdefault(event.detail_type, event)
    return found


def _at(event: Event, minutes: int) -> Event:
    return replace(event, occurred_at=T0 + timedelta(minutes=minutes))


def _thread(title: str, events: Sequence[Event]) -> Iterator[str]:
    yield f"## {title}"
    incident = Incident(incident_key(events[0]))
    for event in events:
        before, decision = incident, decide(incident, event, POLICY)
        incident = decision.incident
        yield f"\n### {event.detail_type}: {_where(before, decision)}\n"
        yield from lines(decision.notice) if _is_reply(before, decision) else (f"**{decision.parent.text}** ...",)
    yield "\n### How the first message reads in the end\n"
    yield from lines(decision.parent)


def _is_reply(before: Incident, decision: Decision) -> bool:
    return before.generation == decision.incident.generation and bool(before.steps) and decision.reply


def _where(before: Incident, decision: Decision) -> str:
    if not before.steps or before.generation != decision.incident.generation:
        return "a first message"
    if not decision.reply:
        return "no reply; the first message becomes"
    return "a reply, which the channel sees too" if decision.broadcast else "a reply"
