"""Plays the past minute by minute: the meter's own `decide`, and the kill switch's steps, on the account as it stood.

Nothing of a rule is written here. What people would have done is not known; one thing is supposed: somebody looks in
the morning, finds a disabled key and gives it back (see `next_morning`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from cli.account import Account
from cli.replay.history import History
from cli.replay.past import Past
from cli.replay.stage import Stage
from governor.clock import format_instant
from governor.events import DetailType, Event
from governor.events.evidence import BudgetReached, Disable
from governor.ledger import MemoryLedger
from governor.policy import Approvals, Policy
from kill_switch.disabling import disable
from kill_switch.evidence import MORNING
from kill_switch.ports import Ports
from kill_switch.restoring import restore
from kill_switch.settings import DisableRequest, RestoreRequest, received
from kill_switch.store import KillSwitchStore
from management_api import ApiKey
from spend_meter.baselines import learn_from_analytics
from spend_meter.decide import decide
from spend_meter.detector_rows import DETECTOR, DetectorRows
from spend_meter.facts import Facts
from spend_meter.learning import due
from spend_meter.periods import minute_of, moment_of
from spend_meter.state import Caps, Guard, Layers, State
from spend_meter.subjects import LineageOf, Subjects, lineages
from spend_meter.sweep_reading import Reading

SOMEBODY = "U0MORNING"
"""Who gives keys back in the replay, where the policy names nobody who may."""
UNBOUNDED = 1e9


@dataclass(frozen=True)
class Refused:
    """What the keys of a subject were refused from a disable until they were given back, or until the end.

    `disable`: the id of the event that tells of it. `until`: None where they were not given back.
    """

    subject: str
    disable: str
    usd: float
    until: datetime | None


@dataclass
class Played:
    """What would have happened from `start` to `end`, in order. `keys`: by subject, as the account has them today."""

    policy: Policy
    start: datetime
    end: datetime
    keys: Mapping[str, Sequence[ApiKey]]
    events: list[Event] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


@dataclass
class _Disabled:
    told: Event
    evidence: Disable
    back_at: int | None


class Play:
    """One policy over one history."""

    def __init__(self, policy: Policy, account: Account, history: History, start: datetime, end: datetime) -> None:
        self._policy = policy
        self._start, self._end = minute_of(start), minute_of(end)
        self._layers = layers_of(account, self._start)
        # Nothing was deployed then, so no lineage is known: names say whose a key is, as on the first day.
        self._subjects = Subjects(policy, self._layers.workspaces)
        self._past = Past(account.keys, self._layers.workspaces, history, self._start, self._subjects.counts_byok)
        self._stage = Stage(account, self._past)
        self._ledger = MemoryLedger()
        self._disabled: list[_Disabled] = []
        self._state = State()
        self._asked = True
        """The kill switch has written since the last run."""
        self._lineage_of: tuple[int, LineageOf] = 0, lambda subject: ()
        keys: dict[str, list[ApiKey]] = {}
        for key in account.keys:
            keys.setdefault(self._subjects.of(key, key.workspace_id), []).append(key)
        self.played = Played(policy, start, end, keys)
        self._ports = Ports(
            _with_somebody(policy), KillSwitchStore(self._ledger), self._now, lambda: UNBOUNDED, _Silent()
        )

    def run(self, every: Callable[[int], object] = lambda minutes: None) -> Played:
        """All minutes. `every`: called once for each hour played, with its minutes."""
        for minute in range(self._start, self._end + 1):
            if minute > self._start:
                self._past.move_to(minute)
            self._give_back(minute)
            if not self._is_still(minute):
                self._tick(minute)
            if minute % 60 == 0:
                every(60)
        for one in self._disabled:
            self._count_refused(one, None)
        return self.played

    def _is_still(self, minute: int) -> bool:
        """Whether a run would decide nothing, and leave nothing behind but that it was: nothing was spent, nobody is
        under suspicion, nothing is asked for. Every hour has its run: periods end at its beginning."""
        state = self._state
        if self._past.stirred or self._asked or minute % 60 == 0 or state.learning or state.doubts:
            return False
        return not any(one.needs_tick for one in state.suspicions.values())

    def _tick(self, minute: int) -> None:
        state, listed = _as_of(self._state, minute - 1), self._past.listed
        rows = DetectorRows.of(self._ledger.rows(DETECTOR))
        # What was withheld is asked for again at its own minute.
        self._asked = bool(rows.due)
        lineage_of = self._lineages()
        learned = {}
        if state.learning and due(state.learning, minute):
            client, counts_byok = self._stage.as_client(), self._subjects.counts_byok
            learned = learn_from_analytics(client, state.learning, lineage_of, counts_byok, minute)
        reading = Reading(listed, self._layers)
        facts = Facts(
            state, reading, minute, self._policy, rows.rebaselines, learned, rows.expected, due=rows.due,
            seen_as=(self._subjects, lineage_of),
        )  # fmt: skip
        decision = decide(facts)
        self._state = replace(decision.state, outbox=())
        for event in decision.events:
            self.played.events.append(event)
            if _is_for_the_kill_switch(event):
                self._demand(event)

    def _lineages(self) -> LineageOf:
        """The keys by subject: made anew when a key has appeared, and not at each of forty thousand runs."""
        if self._lineage_of[0] != self._past.known:
            self._lineage_of = self._past.known, lineages(self._past.listed, self._subjects)
        return self._lineage_of[1]

    def _demand(self, event: Event) -> None:
        self._asked = True
        at = format_instant(event.occurred_at)
        envelope = {"detail-type": event.detail_type.value, "id": event.id, "time": at, "detail": event.detail()}
        request = received(envelope)
        if not isinstance(request, DisableRequest):
            raise TypeError(f"{event.detail_type.value} asks the kill switch for no disable")
        told = disable(self._ports, self._stage, request)
        self.played.events.append(told)
        if told.detail_type is DetailType.KEY_DISABLED:
            self._disabled.append(_Disabled(told, Disable.of(told), next_morning(event)))

    def _give_back(self, minute: int) -> None:
        for one in [one for one in self._disabled if one.back_at is not None and one.back_at <= minute]:
            self._disabled.remove(one)
            self._asked = True
            self._count_refused(one, moment_of(minute))
            id = f"morning {one.told.id}"
            asked = Event(DetailType.RESTORE_REQUESTED, id, one.told.subject, moment_of(minute), "", {})
            approvals = self._ports.policy.approvals
            who = approvals.approvers[0] if approvals else SOMEBODY
            request = RestoreRequest(asked, one.evidence.cause, who, proven=True)
            self.played.events.append(restore(self._ports, self._stage, request))

    def _count_refused(self, one: _Disabled, until: datetime | None) -> None:
        held = [self._past.by_hash[key.hash] for key in one.evidence.keys if key.hash in self._past.by_hash]
        usd = sum(each.refused for each in held if each.key.disabled)
        self.played.refused.append(Refused(one.told.subject, one.told.id, usd, until))

    def _now(self) -> datetime:
        return moment_of(self._past.minute)


def _as_of(state: State, minute: int) -> State:
    """The state as runs up to this minute would have left it, in which nothing happened."""
    if not state.tick or state.tick >= minute:
        return state
    places = {id: replace(one, read_at=minute) for id, one in state.places.items()}
    return replace(state, tick=minute, places=places)


def _with_somebody(policy: Policy) -> Policy:
    """The policy, with somebody who may give keys back."""
    if policy.approvals:
        return policy
    return policy.model_copy(update={"approvals": Approvals(channel="C0PLAN", approvers=(SOMEBODY,))})


class _Silent:
    """A log that nobody reads."""

    def info(self, msg: object, *, extra: object = None) -> None: ...

    warning = info


def layers_of(account: Account, minute: int) -> Layers:
    """What the meter reads every few minutes, as the account has it today."""
    return Layers(
        workspaces={one.id: (one.name, one.slug) for one in account.workspaces},
        defaults={one.id: one.default_guardrail_id for one in account.workspaces if one.default_guardrail_id},
        guards={
            one.id: Guard(one.name, one.limit_usd, one.reset_interval, one.include_byok_in_budgets)
            for one in account.guardrails
            if one.limit_usd
        },
        assignments=account.guardrail_of_key,
        members=account.guardrail_of_member,
        caps={
            id: Caps(
                {one.reset_interval or "lifetime": one.limit_usd for one in some.data},
                bool(some.include_byok_in_budgets),
            )
            for id, some in account.budgets.items()
        },
        read_at={"workspaces": minute, "layers": minute},
    )


def _is_for_the_kill_switch(event: Event) -> bool:
    """The rules of the stack's template: confirmed runaways, and budgets that have reached `disable_at`."""
    if event.detail_type is DetailType.BUDGET_THRESHOLD_REACHED:
        return event.evidence.get("disable") is True
    return event.detail_type is DetailType.RUNAWAY_CONFIRMED


def next_morning(trigger: Event) -> int | None:
    """The minute at which somebody is supposed to give the key back: the next 08:00 UTC, and for a budget the first one
    after its period has ended; None where it never ends."""
    after = trigger.occurred_at
    if trigger.detail_type is DetailType.BUDGET_THRESHOLD_REACHED:
        resets_at = BudgetReached.of(trigger).resets_at
        if resets_at is None:
            return None
        after = resets_at
    morning = after.astimezone(UTC).replace(hour=MORNING, minute=0, second=0, microsecond=0)
    return minute_of(morning if morning > after else morning + timedelta(days=1))
