"""The sums of a workspace's keys and of the account's, watched like one more subject: for loops spread over many keys.

Each key of such a loop stays within its own habit, or within what a cold key may spend; the sum does not. It is only
ever suspected, never confirmed: no key by itself is to blame. It is told, as one incident, where the increase is
spread: not where a single key makes up most of it, nor where keys do that have an incident of their own. Of the account
and a workspace of it only one is told: the account, unless one workspace makes up most of the increase. Pure.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from heapq import nlargest

from governor.events import DetailType, Event, event_id
from governor.events.evidence import Contributor, Runaway
from spend_meter.counters import Move
from spend_meter.facts import Facts as Tick
from spend_meter.habits import Habits
from spend_meter.history import History
from spend_meter.limits import LIMITS, Allowed, Level
from spend_meter.periods import moment_of
from spend_meter.runaway import QUIET, Facts, Verdict, judge, settle
from spend_meter.runaway import State as Suspicion
from spend_meter.subjects import LineageOf, Subjects

PREFIX = "fleet#"
"""Of the subjects that are sums; what follows is a workspace's id, or `account`."""
ACCOUNT = "account"
NAMED = 5
"""Contributors that an incident names."""
MOST = 0.5
"""The share of an increase that makes it one key's affair, or that of keys which have been told of."""
RECENTLY = 1440
"""Minutes for which a key that has been told of explains what it spends."""


def is_fleet(subject: str) -> bool:
    return subject.startswith(PREFIX)


def is_alive(subject: str, workspaces: Mapping[str, object]) -> bool:
    """Whether the sum is still of something: of a workspace that exists, or of the account."""
    place = subject.removeprefix(PREFIX)
    return is_fleet(subject) and (place == ACCOUNT or place in workspaces)


@dataclass
class Fleets:
    """The sums of one run. `moved`: the moves of each subject; `opened`: the subjects of which the history was needed.

    `suspicions`: of subjects and sums; those of sums are judged here, and changed.
    """

    tick: Tick
    habits: Habits
    suspicions: MutableMapping[str, Suspicion]
    subjects: Subjects
    lineage_of: LineageOf
    moved: Mapping[str, Sequence[Move]]
    opened: Sequence[str]

    def judge(self) -> list[Event]:
        """Records the sums of this run, judges those that spent or are suspected, and says what is news."""
        sums = self._sums()
        opened = [fleet for fleet, (usd, span, since) in sums.items() if self._record(fleet, usd, span, since)]
        if None not in self.tick.reading.listed.values():  # what could not be read may still burn
            opened += [
                who for who, one in self.suspicions.items() if is_fleet(who) and one.needs_tick and who not in sums
            ]
        # The account first: where it is told, no workspace of it is.
        return [
            event for fleet in sorted(opened, key=lambda one: one != PREFIX + ACCOUNT) for event in self._judge(fleet)
        ]

    def _record(self, fleet: str, usd: float, span: int, still_since: int) -> bool:
        """Whether it must be judged: False where its spend is so small that a note of it is enough."""
        if fleet not in self.suspicions and self.habits.note(fleet, self.tick.minute, usd, span):
            return False
        self.habits.open(fleet, still_since).record(self.tick.minute, usd, span)
        return True

    def _sums(self) -> dict[str, tuple[float, int, int]]:
        """(USD, the longest span, the minute since which nothing was spent) of each sum.

        What a confirmed runaway spends is none's. An account with one workspace has one sum.
        """
        found: dict[str, list[Move]] = {}
        confirmed = {who for who, one in self.suspicions.items() if one.level == Level.CONFIRM}
        for subject, moves in self.moved.items():
            if subject not in confirmed:
                for move in moves:
                    found.setdefault(move.workspace_id, []).append(move)
        if not found:
            return {}
        sums = {place: _sum(moves) for place, moves in found.items()}
        usds, spans, sinces = zip(*sums.values(), strict=True)
        apart = sums if len(self.tick.reading.layers.workspaces) > 1 else {}
        return {PREFIX + ACCOUNT: (sum(usds), max(spans), min(sinces))} | {
            PREFIX + place: one for place, one in apart.items()
        }

    def _judge(self, fleet: str) -> list[Event]:
        place, history = fleet.removeprefix(PREFIX), self.habits.open(fleet, self.tick.minute)
        history.advance(self.tick.minute)
        known = history.days_seen >= LIMITS.warm_days and history.days_of_spend >= LIMITS.warm_days_of_spend
        if not known or self.subjects.defaults.runaway.mode == "off":
            history.teach()
            return []
        caps = self.tick.reading.layers.caps.get(place)
        allowed = Allowed(caps.limits.get("monthly") if caps else None)
        before = self.suspicions.pop(fleet, QUIET)
        verdict = judge(history, Facts(self.tick.minute, allowed, before, suspects_only=True))
        if verdict.announce and not (self._is_spread(place, verdict) and self._is_told_here(place, verdict)):
            self._keep(fleet, before)
            history.withhold()
            return []
        self._keep(fleet, verdict.next_state)
        recent = history.recent(60)
        settle(history, verdict)
        if verdict.announce or verdict.ended:
            return [self._event(place, verdict, recent, history)]
        return []

    def _keep(self, fleet: str, suspicion: Suspicion) -> None:
        if suspicion != QUIET:
            self.suspicions[fleet] = suspicion

    def _is_spread(self, place: str, verdict: Verdict) -> bool:
        """Whether most of the increase is of several keys of which nobody has been told."""
        increase = verdict.spent_usd - verdict.baseline_usd
        beyond = {
            one: max(history.spent(verdict.window_minutes) - history.maxima(verdict.window_minutes)[1], 0.0)
            for one, history in self._histories(place)
        }
        told = sum(usd for one, usd in beyond.items() if self._is_told(one))
        return max(beyond.values(), default=0.0) <= MOST * increase and told <= MOST * increase

    def _is_told_here(self, place: str, verdict: Verdict) -> bool:
        """Whether it is this sum's to tell: the account's, or a workspace's which makes up most of the account's."""
        if place != ACCOUNT:
            return not self._has_incident(PREFIX + ACCOUNT)
        increase = verdict.spent_usd - verdict.baseline_usd
        for workspace_id in self.tick.reading.layers.workspaces:
            if PREFIX + workspace_id in self.habits:
                history = self.habits.open(PREFIX + workspace_id, self.tick.minute)
                history.advance(self.tick.minute)
                window = verdict.window_minutes
                if history.spent(window) - history.maxima(window)[1] > MOST * increase:
                    return False
        return True

    def _is_told(self, subject: str) -> bool:
        """Or is about to be: whether the next run decides."""
        return self._has_incident(subject) or self.suspicions.get(subject, QUIET).suspect_ticks > 0

    def _has_incident(self, subject: str) -> bool:
        state = self.suspicions.get(subject, QUIET)
        recently = state.told_minute > 0 and self.tick.minute - state.told_minute < RECENTLY
        return state.level != Level.QUIET or recently

    def _histories(self, place: str) -> list[tuple[str, History]]:
        """Of the subjects that spend there enough to have been opened in this run."""
        return [
            (subject, self.habits.open(subject, self.tick.minute))
            for subject in self.opened
            if place == ACCOUNT or any(move.workspace_id == place for move in self.moved[subject])
        ]

    def _event(self, place: str, verdict: Verdict, recent: Sequence[float], history: History) -> Event:
        kind = DetailType.RUNAWAY_ENDED if verdict.ended else DetailType.RUNAWAY_SUSPECTED
        window = verdict.window_minutes
        largest = nlargest(NAMED, self._histories(place), key=lambda one: one[1].spent(window))
        workspace = self.tick.reading.layers.workspaces.get(place)
        evidence = Runaway(
            scope="workspace" if workspace else "account",
            name=workspace[0] if workspace else ACCOUNT,
            window_minutes=window,
            spent_usd=round(verdict.spent_usd, 6),
            floor_usd=round(verdict.floor, 6),
            baseline_usd=round(verdict.baseline_usd, 6),
            rate_usd_per_hour=round(verdict.rate_usd_per_hour, 6),
            rule=verdict.rule,
            started_at=moment_of(verdict.started_minute),
            observed_at=moment_of(self.tick.minute),
            spend_by_minute=[round(usd, 6) for usd in recent],
            contributors=[self._contributor(*one, window) for one in largest],
            keys=[],
        )
        described = f"workspace {evidence.name}" if workspace else "the account"
        return Event(
            kind,
            event_id(kind, place, verdict.started_minute, 0),
            place,
            moment_of(self.tick.minute),
            f"All keys of {described} together: {verdict.reason}",
            evidence.model_dump(mode="json"),
        )

    def _contributor(self, subject: str, history: History, window: int) -> Contributor:
        lineage = self.lineage_of(subject)
        declared = self.subjects.workload(subject) is not None
        return Contributor(
            subject=subject,
            name=subject if declared or not lineage else lineage[0][0].name,
            spent_usd=round(history.spent(window), 6),
            usual_usd=round(history.maxima(window)[1], 6),
        )


def _sum(moves: Sequence[Move]) -> tuple[float, int, int]:
    return (
        sum(move.spent for move in moves if move.spent is not None),
        max(move.span for move in moves),
        min(move.still_since for move in moves),
    )
