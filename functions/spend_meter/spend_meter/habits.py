"""The subjects that spent in a beat or are under suspicion: their histories brought up to date, judged, and put back.

Everybody else's history stays the bytes it is: at 10,000 subjects most have not moved. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from typing import TYPE_CHECKING

from governor.clock import parse_instant
from governor.events import Event

from spend_meter.counters import Metered, Move
from spend_meter.history import History
from spend_meter.incidents import judge_subject, restart
from spend_meter.periods import minute_of, moment_of, starts_at
from spend_meter.runaway import QUIET
from spend_meter.runaway import State as Suspicion
from spend_meter.state import Attempt
from spend_meter.subjects import Lineage, LineageOf, Subjects

if TYPE_CHECKING:
    from spend_meter.decide import Facts

TOP = 10


class Habits:
    """Histories by subject: decoded when asked for, encoded again only if they were changed."""

    def __init__(self, encoded: Mapping[str, bytes]) -> None:
        self._encoded = encoded
        self._open: dict[str, History] = {}

    def get(self, subject: str) -> History | None:
        """To look at."""
        if subject in self._open:
            return self._open[subject]
        encoded = self._encoded.get(subject)
        return History.from_bytes(encoded) if encoded is not None else None

    def open(self, subject: str, still_since: int) -> History:
        """To change; a subject without one has spent nothing since the minute `still_since`."""
        history = self.get(subject) or History.empty(still_since)
        self._open[subject] = history
        return history

    def spent_last_hour(self, subject: str, minute: int) -> float:
        history = self.get(subject)
        if history is None:
            return 0.0
        if subject not in self._open:
            history.advance(minute)
        return history.spent(60)

    def encoded(self) -> dict[str, bytes]:
        return {**self._encoded, **{subject: history.to_bytes() for subject, history in self._open.items()}}


@dataclass(frozen=True)
class Judgement:
    """What came of the subjects' beat."""

    habits: Habits
    suspicions: Mapping[str, Suspicion]
    learning: Mapping[str, Attempt]
    top_spenders: Sequence[tuple[str, float]]
    events: Sequence[Event] = field(default=())


def judge_subjects(facts: "Facts", metered: Metered, subjects: Subjects, lineage_of: LineageOf) -> Judgement:
    """Records the beat's moves, then judges whoever moved or is under suspicion."""
    state, minute = facts.state, facts.minute
    habits = Habits(state.habits)
    suspicions = dict(state.suspicions)
    learning = dict(state.learning)
    events = _restart(facts, habits, suspicions, subjects, lineage_of)

    moved: dict[str, list[Move]] = {}
    for move in metered.moves:
        moved.setdefault(subjects.of(move.key, move.workspace_id), []).append(move)
    for subject, moves in moved.items():
        if subject not in state.habits and _has_a_past(moves, minute):
            learning[subject] = Attempt(minute, 0)
        _record(habits.open(subject, min(move.still_since for move in moves)), moves, minute)
    for subject, hourly in facts.learned.items():
        if hourly is not None and habits.get(subject):
            habits.open(subject, minute).learn(hourly)

    for subject in [*moved, *(who for who, one in suspicions.items() if one.needs_beat and who not in moved)]:
        if subjects.limits(subject).runaway.mode == "off":
            suspicions.pop(subject, None)
            continue
        lineage = _lineage(subject, moved, subjects, lineage_of)
        if not lineage and None in facts.reading.listed.values():
            continue  # its workspace may be among those that could not be read: unknown is not an end of spending
        history = habits.open(subject, minute)
        history.advance(minute)
        caps = facts.reading.layers.caps.get(lineage[0][1]) if lineage else None
        judged = judge_subject(subject, history, suspicions.get(subject, QUIET), minute, lineage, subjects, caps)
        if judged.suspicion == QUIET:
            suspicions.pop(subject, None)
        else:
            suspicions[subject] = judged.suspicion
        if judged.event:
            events.append(judged.event)
    top = _top(habits, {*moved, *state.spenders}, minute)
    return Judgement(habits, suspicions, learning, top, events)


def _restart(
    facts: "Facts", habits: Habits, suspicions: dict[str, Suspicion], subjects: Subjects, lineage_of: LineageOf
) -> list[Event]:
    """Applies re-baselines that are new, before the beat's spend is recorded: that is spent after them."""
    applied = facts.state.rebaselined
    events = []
    for subject, at in sorted(facts.rebaselines.items()):
        if subject in applied and parse_instant(at) <= parse_instant(applied[subject]):
            continue
        if habits.get(subject) is None:
            continue
        since = min(minute_of(parse_instant(at)), facts.minute)
        suspicion = suspicions.pop(subject, QUIET)
        judged = restart(subject, habits.open(subject, since), suspicion, since, lineage_of(subject), subjects)
        if judged.event:
            events.append(judged.event)
    return events


def _record(history: History, moves: Sequence[Move], minute: int) -> None:
    if any(move.spent is None for move in moves):
        history.unknown(minute)
    history.record(minute, sum(move.spent or 0.0 for move in moves), max(move.span for move in moves))


def _lineage(subject: str, moved: Mapping[str, Sequence[Move]], subjects: Subjects, lineage_of: LineageOf) -> Lineage:
    if subject in moved and subjects.workload(subject) is None:
        return [(move.key, move.workspace_id) for move in moved[subject]]  # an undeclared key is a lineage of its own
    return lineage_of(subject)


def _has_a_past(moves: Sequence[Move], minute: int) -> bool:
    """Whether analytics can tell of days before today."""
    today = starts_at("daily", moment_of(minute))
    return today is not None and any(move.key.created_at < today for move in moves)


def _top(habits: Habits, candidates: set[str], minute: int) -> list[tuple[str, float]]:
    spent = ((subject, habits.spent_last_hour(subject, minute)) for subject in candidates)
    return nlargest(TOP, (one for one in spent if one[1] > 0), key=lambda one: (one[1], one[0]))
