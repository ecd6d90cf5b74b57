"""A run of the detector: who spent is recorded, who may be burning is judged. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest

from governor.clock import parse_instant
from governor.events import DetailType, Event
from spend_meter.counters import Metered, Move
from spend_meter.days import DAY
from spend_meter.facts import Due, Facts
from spend_meter.fleet import Fleets, is_fleet
from spend_meter.habits import Habits
from spend_meter.history import History
from spend_meter.incidents import judge_subject, restart, watch_leak
from spend_meter.leaks import Leak, meant
from spend_meter.learning import Attempt
from spend_meter.periods import minute_of, moment_of, starts_at
from spend_meter.runaway import QUIET
from spend_meter.runaway import State as Suspicion
from spend_meter.state import Caps
from spend_meter.subjects import Lineage, LineageOf, Subjects
from spend_meter.woken import grew

TOP = 10
HOUR = 60


@dataclass(frozen=True)
class Judgement:
    """What came of the subjects' run. `top_spenders`: subject and USD of the last hour, greatest first.

    `asked_again`: the triggers of withheld disables that an event of this run asks again. `explained`: subject to the
    name of the policy's window that holds an alarm back.
    """

    habits: Habits
    suspicions: Mapping[str, Suspicion]
    learning: Mapping[str, Attempt]
    top_spenders: Sequence[tuple[str, float]]
    events: Sequence[Event]
    asked_again: Sequence[str]
    explained: Mapping[str, str]
    leaks: Mapping[str, Leak]


def judge_subjects(facts: "Facts", metered: Metered, subjects: Subjects, lineage_of: LineageOf) -> Judgement:
    """Records the run's moves, then judges whoever spent enough to be judged or is under suspicion."""
    state, minute = facts.state, facts.minute
    habits = Habits(state.habits, state.waiting)
    suspicions = dict(state.suspicions)
    learning = dict(state.learning)
    events = _restart(facts, habits, suspicions, subjects, lineage_of)
    asked: list[str] = []
    explained: dict[str, str] = {}

    moved = _by_subject(metered.moves, subjects)
    noted, opened = [], []
    for subject, moves in moved.items():
        if subject not in habits and _may_have_a_past(facts, subject, moved, subjects, lineage_of):
            learning[subject] = Attempt(minute, 0)
        if subject not in suspicions and _note(habits, subject, moves, minute):
            noted.append(subject)
        else:
            _record(habits, subject, moves, minute)
            opened.append(subject)
    learning |= _unlearned_workloads(facts, habits, moved, subjects, lineage_of)
    _learn_the_past(facts, habits, subjects)
    leaks = dict(state.leaks)
    _learn_what_is_meant(facts, habits, suspicions, leaks)
    for subject in [*opened, *_still_watched(opened, suspicions, leaks, minute)]:
        lineage = _lineage(subject, moved, subjects, lineage_of)
        if subject not in moved and _is_unknown(facts, subject, lineage, subjects):
            continue
        history = habits.open(subject, minute)
        history.advance(minute)
        if minute < facts.expected.get(subject, minute):
            continue
        caps = facts.reading.layers.caps.get(lineage[0][1]) if lineage else None
        owed = _owed(facts, subject)
        judged = judge_subject(
            subject, history, suspicions.pop(subject, QUIET), minute, lineage, subjects, caps, owed is not None,
            _grew(facts, subject, moved.get(subject, ()), subjects),
        )  # fmt: skip
        asked += [owed.trigger] if owed and _is_confirmed(judged.event) else []
        if judged.suspicion != QUIET:
            suspicions[subject] = judged.suspicion
        events += [judged.event] if judged.event else []
        events += _leaking(subject, history, leaks, suspicions, lineage, subjects, caps)
        if judged.explained:
            explained[subject] = judged.explained
    events += Fleets(facts, habits, suspicions, subjects, lineage_of, moved, opened).judge()
    candidates = {*opened, *state.spenders, *habits.nearest(noted, 2 * TOP)}
    return Judgement(habits, suspicions, learning, _top(habits, candidates, minute), events, asked, explained, leaks)


def _grew(facts: "Facts", subject: str, moves: Sequence[Move], subjects: Subjects) -> bool:
    """Whether the subject has spent since a reading between two minutes judged it: else this run is that one's."""
    seen = facts.woken.get(subject)
    return seen is None or grew({move.key.hash: subjects.counted(move.key) for move in moves}, seen)


def _is_unknown(facts: "Facts", subject: str, lineage: Lineage, subjects: Subjects) -> bool:
    """Whether a key of the subject, or the workspace that it may be in, could not be read: that ends no spending."""
    if not lineage and None in facts.reading.listed.values():
        return True
    hidden = facts.reading.unreadable.values()
    return any(subjects.of_hash(hash) == subject for hashes in hidden for hash in hashes)


def _restart(
    facts: "Facts", habits: Habits, suspicions: dict[str, Suspicion], subjects: Subjects, lineage_of: LineageOf
) -> list[Event]:
    """Applies re-baselines that are new, before the run's spend is recorded: that is spent after them."""
    applied = facts.state.rebaselined
    events = []
    for subject, at in sorted(facts.rebaselines.items()):
        if subject in applied and parse_instant(at) <= parse_instant(applied[subject]):
            continue
        if subject not in habits:
            continue
        since = min(minute_of(parse_instant(at)), facts.minute)
        suspicion = suspicions.pop(subject, QUIET)
        judged = restart(subject, habits.open(subject, since), suspicion, since, lineage_of(subject), subjects)
        events += [judged.event] if judged.event else []
    return events


def _learn_the_past(facts: "Facts", habits: Habits, subjects: Subjects) -> None:
    for subject, hourly in facts.learned.items():
        if hourly is not None and (subject in habits or subjects.workload(subject)):
            habits.open(subject, facts.minute).learn(hourly)


def _still_watched(
    opened: Sequence[str], suspicions: Mapping[str, Suspicion], leaks: Mapping[str, Leak], minute: int
) -> list[str]:
    """Subjects to judge though they spent next to nothing: the suspected, and once a day those over their habit."""
    suspected = [who for who, one in suspicions.items() if one.needs_tick and not is_fleet(who)]
    over = [who for who, one in leaks.items() if one.day < minute // DAY]
    if not suspected and not over:
        return []
    judged = set(opened)
    return [who for who in dict.fromkeys((*suspected, *over)) if who not in judged]


def _leaking(
    subject: str,
    history: History,
    leaks: dict[str, Leak],
    suspicions: Mapping[str, Suspicion],
    lineage: Lineage,
    subjects: Subjects,
    caps: Caps | None,
) -> list[Event]:
    leak, event = watch_leak(
        subject, history, leaks.pop(subject, None), suspicions.get(subject, QUIET), lineage, subjects, caps
    )
    if leak:
        leaks[subject] = leak
    return [event] if event else []


def _learn_what_is_meant(
    facts: "Facts", habits: Habits, suspicions: dict[str, Suspicion], leaks: dict[str, Leak]
) -> None:
    """People say *Expected* of a disabled key, too, which spends nothing meanwhile. Learned twice is learned once."""
    for subject, until in facts.expected.items():
        if facts.minute < until and subject in habits:
            history = habits.open(subject, facts.minute)
            history.advance(facts.minute)
            history.meant()
            suspicions.pop(subject, None)
            if subject in leaks:
                leaks[subject] = meant(leaks[subject])


def _owed(facts: "Facts", subject: str) -> Due | None:
    """The withheld disable that is due. One of yesterday's was about another incident."""
    due = facts.owed(subject, "runaway")
    return due if due and facts.minute - due.minute < HOUR else None


def _is_confirmed(event: Event | None) -> bool:
    return event is not None and event.detail_type is DetailType.RUNAWAY_CONFIRMED


def _by_subject(moves: Sequence[Move], subjects: Subjects) -> dict[str, list[Move]]:
    moved: dict[str, list[Move]] = {}
    for move in moves:
        moved.setdefault(subjects.of(move.key, move.workspace_id), []).append(move)
    return moved


def _note(habits: Habits, subject: str, moves: Sequence[Move], minute: int) -> bool:
    if len(moves) > 1 or moves[0].spent is None:
        return False
    return habits.note(subject, minute, moves[0].spent, moves[0].span)


def _record(habits: Habits, subject: str, moves: Sequence[Move], minute: int) -> None:
    history = habits.open(subject, min(move.still_since for move in moves))
    if any(move.spent is None for move in moves):
        history.unknown(minute)
    history.record(minute, sum(move.spent or 0.0 for move in moves), max(move.span for move in moves))


def _lineage(subject: str, moved: Mapping[str, Sequence[Move]], subjects: Subjects, lineage_of: LineageOf) -> Lineage:
    if subject in moved and subjects.workload(subject) is None:
        return [(move.key, move.workspace_id) for move in moved[subject]]  # an undeclared key is a lineage of its own
    return lineage_of(subject)


def _may_have_a_past(
    facts: "Facts", subject: str, moved: Mapping[str, Sequence[Move]], subjects: Subjects, lineage_of: LineageOf
) -> bool:
    """Whether analytics may tell of days before today: of any key of the subject, not only of those that spent now."""
    if subjects.may_miss_keys(subject, facts.reading.listed):
        return True
    today = starts_at("daily", moment_of(facts.minute))
    lineage = _lineage(subject, moved, subjects, lineage_of)
    return today is not None and any(key.created_at < today for key, _ in lineage)


def _unlearned_workloads(
    facts: "Facts", habits: Habits, moved: Mapping[str, Sequence[Move]], subjects: Subjects, lineage_of: LineageOf
) -> dict[str, Attempt]:
    """The policy's workloads that have spent nothing yet and may have a past. Each is asked about before it spends: a
    rotation deletes the key that its past is known by, and a workload without a past is never confirmed as a runaway.
    """
    return {
        workload: Attempt(facts.minute, 0)
        for workload in subjects.declared - facts.state.learning.keys()
        if workload not in habits and _may_have_a_past(facts, workload, moved, subjects, lineage_of)
    }


def _top(habits: Habits, candidates: set[str], minute: int) -> list[tuple[str, float]]:
    spent = ((subject, habits.spent(subject, minute, 60)) for subject in candidates)
    return nlargest(TOP, (one for one in spent if one[1] > 0), key=lambda one: (one[1], one[0]))
