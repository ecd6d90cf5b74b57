"""Where a run's decisions come together: the last state, a reading and the minute in, the next state and events out.

Pure: the same facts give the same decision, event ids included, however often it is made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain

from governor.events import DetailType, Event
from governor.events.evidence import KeyReading
from governor.keys.allowance import Needs
from spend_meter.blindness import watch
from spend_meter.budgets import Alerted, Crossing, asked_again, describe, judge_budget
from spend_meter.counters import Metered, meter
from spend_meter.credits import judge_credits
from spend_meter.facts import Facts
from spend_meter.fleet import is_alive
from spend_meter.habits import Habits
from spend_meter.judgement import Judgement, judge_subjects
from spend_meter.learning import attempted
from spend_meter.list_gaps import news as lists_news
from spend_meter.needs import needs_of, ran_out
from spend_meter.periods import moment_of
from spend_meter.scopes import (
    key_budgets,
    lineage_guards,
    member_budgets,
    still_there,
    workload_budgets,
    workspace_budgets,
)
from spend_meter.state import Place, State
from spend_meter.subjects import LineageOf, Subjects, key_reading, lineages
from spend_meter.sweep_reading import Reading
from spend_meter.watching import Lines, lines_of

HOUR = 60
LATELY = 5


@dataclass(frozen=True)
class Decision:
    """The next state, whose outbox holds `events`, and what to tell of the run.

    `asks`: event id to the secret of the workload whose own key can say what blocks it first.
    `lines`: what may be spent until a reading between two minutes is worth while, where that is wanted.
    `untold`: counters that shrank. `top_spenders`: subject and USD of the last hour, greatest first. `explained`: see
    `judgement.Judgement`. `needs`: of workloads with an allowance; None where the policy gives none. `used_up`: those
    of them whose requests OpenRouter refuses for their allowance.
    """

    state: State
    events: Sequence[Event]
    asks: Mapping[str, str]
    spend_usd: float
    untold: int
    top_spenders: Sequence[tuple[str, float]]
    oldest_reading_seconds: int | None
    explained: Mapping[str, str]
    lines: Lines = field(default_factory=dict)
    needs: Needs | None = None
    used_up: Sequence[str] = ()

    def completed(self, answers: Mapping[str, Mapping[str, object]]) -> "Decision":
        """The same with these fields of evidence filled in, by event id."""
        if not answers:
            return self
        events = [
            replace(event, evidence={**event.evidence, **answers[event.id]}) if event.id in answers else event
            for event in self.state.outbox
        ]
        return replace(self, state=replace(self.state, outbox=tuple(events)))


def decide(facts: Facts) -> Decision:
    """Spend, runaways, budgets and blindness of one minute."""
    state, reading, minute = facts.state, facts.reading, facts.minute
    subjects, lineage_of = facts.seen_as or _subjects(facts)
    places = _places(state, reading, minute)
    read_at = {id: place.read_at or place.known_from for id, place in places.items()}
    metered = meter(state.keys, reading.listed, minute, read_at, subjects.counts_byok, state.doubts, reading.unreadable)
    places = _spent(places, metered, reading, minute)
    judgement = judge_subjects(facts, metered, subjects, lineage_of)
    budgets, alerts, asks, asked = _budgets(facts, metered, places, subjects, lineage_of, judgement.habits)
    blind, news = watch(state.blind, places, reading.errors, minute, reading.timed_out, reading.layers.workspaces)
    purse, low = judge_credits(
        reading.credits,
        state.credits,
        facts.policy.account.credits,
        minute,
        partial(_by_name, judgement.top_spenders, lineage_of),
    )
    # What may disable a key goes first: a flood of alerts must not make it late.
    news += lists_news(state.layers, reading.layers, minute)
    events = [*judgement.events, *news, *alerts, *([low] if low else [])]
    opened = judgement.habits.opened() if facts.watched else {}
    lines = lines_of(opened, subjects, lineage_of, reading.layers.caps, minute)
    needs, used_up = _allowances(facts, judgement, subjects, lineage_of)
    habits, waiting = judgement.habits.close()
    after = replace(
        state,
        tick=minute,
        layers=reading.layers,
        places=places,
        keys=metered.known,
        doubts=metered.doubts,
        habits=habits,
        waiting=waiting,
        budgets=budgets,
        suspicions=judgement.suspicions,
        blind=blind,
        leaks=judgement.leaks,
        learning=attempted(judgement.learning, facts.learned, minute),
        rebaselined=dict(facts.rebaselines),
        credits=purse,
        asked_again=tuple(
            trigger
            for trigger in dict.fromkeys((*state.asked_again, *judgement.asked_again, *asked))
            if trigger in {due.trigger for those in facts.due.values() for due in those}
        ),
        spenders=tuple(subject for subject, _ in judgement.top_spenders),
        outbox=(*state.outbox, *events),
    )
    return Decision(
        after if minute % 60 else _pruned(after, subjects),
        events,
        asks,
        spend_usd=sum(move.spent or 0.0 for move in metered.moves),
        untold=sum(move.spent is None for move in metered.moves),
        top_spenders=judgement.top_spenders,
        oldest_reading_seconds=_oldest(places, minute),
        explained=judgement.explained,
        lines=lines,
        needs=needs,
        used_up=used_up,
    )


def _by_name(spenders: Sequence[tuple[str, float]], lineage_of: LineageOf) -> list[tuple[str, float]]:
    """Spenders by the name of their key, where they are known by its hash."""
    return [(next((key.name for key, _ in lineage_of(one)), one), usd) for one, usd in spenders if usd > 0]


def _subjects(facts: Facts) -> tuple[Subjects, LineageOf]:
    subjects = Subjects(facts.policy, facts.reading.layers.workspaces, facts.owners)
    return subjects, lineages(facts.reading.listed, subjects)


def _allowances(
    facts: Facts, judgement: Judgement, subjects: Subjects, lineage_of: LineageOf
) -> tuple[Needs | None, list[str]]:
    """What the workloads with an allowance may need, and which of them have used it up."""
    if not subjects.with_allowance:
        return None, []
    habits, minute = judgement.habits, facts.minute
    needs = needs_of(habits, judgement.suspicions, facts.expected, subjects, lineage_of, minute)
    used_up = [
        workload.name
        for workload in subjects.with_allowance
        if workload.name in needs
        and (history := habits.look(workload.name, minute))
        and ran_out(workload, lineage_of(workload.name), history, subjects)
    ]
    return Needs(minute, needs), used_up


def _places(state: State, reading: Reading, minute: int) -> dict[str, Place]:
    """The workspaces that exist. Keys of one that appears were made since the list of workspaces was read last."""
    known_from = state.layers.read_at.get("workspaces", minute)
    return {id: state.places.get(id) or Place(known_from=known_from) for id in reading.layers.workspaces}


def _spent(places: Mapping[str, Place], metered: Metered, reading: Reading, minute: int) -> dict[str, Place]:
    """The workspaces after this reading, with the last hour's spend."""
    spent: dict[str, tuple[float, int]] = {}
    for move in metered.moves:
        usd, span = spent.get(move.workspace_id, (0.0, 1))
        spent[move.workspace_id] = usd + (move.spent or 0.0), max(span, move.span)
    after = {}
    for id, place in places.items():
        recent = [entry for entry in place.spent if entry[0] > minute - HOUR]
        if id in spent:
            recent.append((minute, *spent[id]))
        usage, byok = metered.departed.get(id, (0.0, 0.0))
        after[id] = replace(
            place,
            read_at=minute if reading.listed.get(id) is not None else place.read_at,
            departed=(place.departed[0] + usage, place.departed[1] + byok),
            spent=tuple(recent),
        )
    return after


def _budgets(
    facts: Facts,
    metered: Metered,
    places: Mapping[str, Place],
    subjects: Subjects,
    lineage_of: LineageOf,
    habits: Habits,
) -> tuple[dict[str, Alerted], list[Event], dict[str, str], list[str]]:
    reading, minute, unsettled = facts.reading, facts.minute, metered.unsettled
    now = moment_of(minute)
    memory = dict(facts.state.budgets)
    events: list[Event] = []
    asks: dict[str, str] = {}
    asked: list[str] = []
    for budget in chain(
        key_budgets(reading.listed, reading.layers, subjects, memory, unsettled),
        workload_budgets(reading.listed, subjects, metered.known, minute, unsettled),
        lineage_guards(reading.listed, reading.layers, subjects, metered.known, minute, unsettled),
        () if reading.unreadable else member_budgets(reading.listed, reading.layers, subjects, unsettled),
        workspace_budgets(reading.listed, reading.layers, metered.known, places, minute, subjects, unsettled),
    ):
        alerted, crossing = judge_budget(budget, memory.get(budget.identity), now)
        if alerted is None:
            memory.pop(budget.identity, None)
        else:
            memory[budget.identity] = alerted
        owed = facts.owed(budget.subject, "budget")
        if owed and owed.trigger not in asked and (crossing is None or budget.disable_at is None):
            live = any(not key.disabled for key, _ in lineage_of(budget.subject))
            again = asked_again(budget, alerted, owed.trigger) if live else None
            if again:
                crossing = again
                asked.append(owed.trigger)
        if crossing is None:
            continue
        readings = _concerned(crossing, subjects, lineage_of)
        reason, evidence = describe(crossing, readings, _rate(crossing, places, habits, minute), now)
        events.append(
            Event(
                DetailType.BUDGET_THRESHOLD_REACHED,
                crossing.id,
                budget.subject,
                now,
                reason,
                evidence.model_dump(mode="json"),
            )
        )
        workload = subjects.workload(budget.subject)
        if workload and workload.secret:
            asks[crossing.id] = workload.secret
    return memory, events, asks, asked


def _concerned(crossing: Crossing, subjects: Subjects, lineage_of: LineageOf) -> list[KeyReading]:
    """The key that its own or its guardrail's budget is about, or the workload's; a workspace's is about all."""
    budget = crossing.budget
    if budget.scope == "workload" or (budget.scope == "guardrail" and not budget.hash):
        return [key_reading(key, place, subjects) for key, place in lineage_of(budget.subject)]
    keys = lineage_of(budget.subject) if budget.hash else ()
    return [key_reading(key, place, subjects) for key, place in keys if key.hash == budget.hash]


def _rate(crossing: Crossing, places: Mapping[str, Place], habits: Habits, minute: int) -> float:
    """USD an hour, of the subject or of the workspace.

    Of the last hour, or of its last minutes where those were faster: a loop that has just begun is no trickle. Of a
    member it is not kept: 0.
    """
    budget = crossing.budget
    if budget.scope == "member":
        return 0.0
    if budget.scope != "workspace":
        return max(habits.spent(budget.subject, minute, window) * HOUR / window for window in (HOUR, LATELY))
    return max(_within(places[budget.scope_id], minute, window) * HOUR / window for window in (HOUR, LATELY))


def _within(place: Place, minute: int, window: int) -> float:
    """A lump read after a gap counts only as far as it lies in the window."""
    return sum(
        usd * min(span, window - (minute - when)) / span for when, usd, span in place.spent if minute - when < window
    )


def _oldest(places: Mapping[str, Place], minute: int) -> int | None:
    ages = [minute - (place.read_at or place.known_from) for place in places.values()]
    return max(ages) * 60 if ages else None


def _pruned(state: State, subjects: Subjects) -> State:
    """Without what is remembered of keys and workspaces that are no more: hourly, because it looks at everything."""
    hashes = {hash for keys in state.keys.values() for hash in keys}

    def alive(subject: str) -> bool:
        return subject in hashes or subjects.workload(subject) is not None or is_alive(subject, state.places)

    return replace(
        state,
        habits={subject: habit for subject, habit in state.habits.items() if alive(subject)},
        waiting={subject: notes for subject, notes in state.waiting.items() if alive(subject)},
        suspicions={subject: suspicion for subject, suspicion in state.suspicions.items() if alive(subject)},
        leaks={subject: leak for subject, leak in state.leaks.items() if alive(subject)},
        learning={subject: attempt for subject, attempt in state.learning.items() if alive(subject)},
        doubts={hash: doubt for hash, doubt in state.doubts.items() if hash in hashes},
        budgets={id: one for id, one in state.budgets.items() if still_there(id, hashes, set(state.places), subjects)},
    )
