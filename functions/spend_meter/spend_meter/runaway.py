"""Whether a subject's spend is a runaway: facts and memory in, a verdict with its reason out. Pure; microseconds.

One run of one subject: `history.record(...)`, `verdict = judge(history, facts)`, `settle(history, verdict)`; keep
`verdict.next_state` for the next run. A subject with no new spend needs none of this unless its `State.needs_tick`:
then it is `advance`d and judged.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from governor.events.evidence import RunawayRule as Rule
from spend_meter.days import WINDOWS
from spend_meter.declared import Declared, counted
from spend_meter.excess import find_excess
from spend_meter.history import History
from spend_meter.limits import LIMITS, UNLIMITED, Allowed, Excess, Level, Limits
from spend_meter.reasons import reason_of

_STATE = struct.Struct("<BBBBIIIIfffB")
_RULES = tuple(Rule)
AFTERWARDS = 60
"""Minutes after a declared window in which its last half hours may still be taken for a stretch of the habit's."""


@dataclass(frozen=True)
class State:
    """What one run hands to the next. Rates are USD per hour, instants whole epoch minutes, 0 where there is none.

    `suspect_ticks`, `confirm_ticks`: runs in a row over a limit. Of the open incident: `limit_usd`, which its window
    passed, by `rule`; `peak_rate`, its highest. `told_minute`, `told_rate`: the last incident people heard of.
    """

    suspect_ticks: int = 0
    confirm_ticks: int = 0
    level: Level = Level.QUIET
    window_minutes: int = 0
    started_minute: int = 0
    raised_minute: int = 0
    burning_minute: int = 0
    told_minute: int = 0
    told_rate: float = 0.0
    peak_rate: float = 0.0
    limit_usd: float = 0.0
    rule: Rule = Rule.HABIT

    @property
    def needs_tick(self) -> bool:
        """The subject must be judged on the next run even if it spends nothing."""
        return self.level != Level.QUIET or self.suspect_ticks > 0

    def to_bytes(self) -> bytes:
        """Empty for a subject with nothing to remember."""
        if self == QUIET:
            return b""
        window = WINDOWS.index(self.window_minutes) if self.window_minutes else len(WINDOWS)
        instants = (self.started_minute, self.raised_minute, self.burning_minute, self.told_minute)
        amounts = (self.told_rate, self.peak_rate, self.limit_usd)
        return _STATE.pack(
            self.suspect_ticks, self.confirm_ticks, self.level, window, *instants, *amounts, _RULES.index(self.rule)
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> "State":
        """Raises `ValueError` when the bytes are of another length. Amounts come back in single precision."""
        if not content:
            return QUIET
        if len(content) == _STATE.size - 1:
            content += bytes(1)  # the version before knew no rule but the first
        if len(content) != _STATE.size:
            raise ValueError(f"not a detector's state: {len(content)} bytes")
        ticks, confirm_ticks, level, window, started, raised, burning, told, *amounts = _STATE.unpack(content)
        told_rate, peak_rate, limit, rule = amounts
        minutes = WINDOWS[window] if window < len(WINDOWS) else 0
        instants = (started, raised, burning, told)
        return cls(ticks, confirm_ticks, Level(level), minutes, *instants, told_rate, peak_rate, limit, _RULES[rule])


QUIET = State()


@dataclass(frozen=True)
class Facts:
    """What is known of the subject besides its history, which stands at `minute`.

    `previous`: the last verdict's `next_state`. `declared`: the policy's windows of expected spend of the last day.
    `suspects_only`: what would be confirmed is suspected, and nothing less. `new`: a key made less than a day ago.
    `grew`: it has spent since the last reading that was judged. `run_out`: its allowance is used up, and OpenRouter
    refuses its requests (`needs.ran_out`): spend that is not its habit's is confirmed at once.
    """

    minute: int
    allowed: Allowed = UNLIMITED
    previous: State = QUIET
    declared: Sequence[Declared] = ()
    suspects_only: bool = False
    new: bool = False
    grew: bool = True
    run_out: bool = False


@dataclass(frozen=True)
class Verdict:
    """`level` is the open incident's on every run it is open; `announce` says on which runs people should hear of it.

    `floor`: USD that the window's spend had to pass when the incident opened; `baseline_usd`: the subject's own habit
    for that window; `multiple`: spend in baselines (infinite without a habit). `started_minute` is the incident's
    name: the same from its first run to its last. `ended`: this run closed it; `forget`: as a confirmed one.
    """

    level: Level
    window_minutes: int
    spent_usd: float
    floor: float
    baseline_usd: float
    multiple: float
    rate_usd_per_hour: float
    started_minute: int
    reason: str
    next_state: State
    announce: bool = False
    rule: Rule = Rule.HABIT
    ended: bool = False
    forget: bool = False


def judge(history: History, facts: Facts, limits: Limits = LIMITS) -> Verdict:
    """The verdict on spend up to `facts.minute`. Changes nothing: `settle` lets the history learn from it, or not."""
    state = facts.previous
    spent_in = cache(counted(history, facts.declared) if facts.declared else history.spent)  # rules share windows
    excess = find_excess(history, facts.allowed, limits, spent_in, new=facts.new)
    if excess and facts.suspects_only:
        excess = replace(excess, level=Level.SUSPECT) if excess.level == Level.CONFIRM else None
    # Only a run that spent counts: a lump stays in the windows for a while, and must not be taken for the next one.
    if excess is None:
        state = replace(state, suspect_ticks=0, confirm_ticks=0) if state.suspect_ticks else state
    elif history.spent(1) > 0 and facts.grew:
        confirm_ticks = min(state.confirm_ticks + 1, limits.ticks) if excess.level == Level.CONFIRM else 0
        state = replace(state, suspect_ticks=min(state.suspect_ticks + 1, limits.ticks), confirm_ticks=confirm_ticks)
    if facts.run_out and state.level != Level.CONFIRM and (state.level or (excess and not _is_told(history, state))):
        return _run_out(history, facts.minute, state, excess, limits)
    if state.level:
        return _go_on(history, facts, state, excess, limits)
    return _watch(history, facts.minute, state, excess, limits)


def settle(history: History, verdict: Verdict, declared: Sequence[Declared] = ()) -> None:
    """Let the history learn from this run, or see to it that it does not.

    What is suspected waits, and teaches once the suspicion ends unconfirmed; what was confirmed never teaches, unless
    a person says that it was meant (`History.meant`). What is `declared` as meant is no habit, and teaches nothing.
    """
    spent_in = counted(history, declared) if declared else None
    if any(history.minute < one.end + AFTERWARDS and one.covers(history) for one in declared):
        history.forget_stretches()
    if verdict.forget:
        history.rebaseline(history.minute)
    elif verdict.level == Level.CONFIRM:
        history.stop()
    elif verdict.level == Level.SUSPECT or verdict.next_state.suspect_ticks == 1:
        history.withhold(spent_in)
    else:
        history.teach(spent_in)


def _watch(history: History, now: int, state: State, excess: Excess | None, limits: Limits) -> Verdict:
    """No incident is open: one opens on the second run in a row over a limit."""
    if excess is None:
        if state.told_minute and now - state.told_minute > limits.told_for:
            state = QUIET
        return _quiet(state, "Spend is within its habits.")
    if state.suspect_ticks < limits.ticks:
        return _quiet(state, "Over a limit on one run: the next one decides.")
    started = _start_of_burn(history)
    rate = _rate(history, now - started + 1)
    level = Level.CONFIRM if state.confirm_ticks >= limits.ticks else Level.SUSPECT
    if level == Level.SUSPECT and state.told_minute and rate < limits.told_margin * state.told_rate:
        return _quiet(state, "A suspicion of this size was told already.")
    return _open(history, now, replace(state, started_minute=started), excess, level, rate)


def _run_out(history: History, now: int, state: State, excess: Excess | None, limits: Limits) -> Verdict:
    """What is suspected has used up its allowance: nobody renews that, and the requests that are refused need a person.

    There may be no second run, since a key that is refused spends nothing more.
    """
    if state.level == Level.QUIET:
        state = replace(state, started_minute=_start_of_burn(history))
    state = replace(state, suspect_ticks=limits.ticks, confirm_ticks=limits.ticks)
    window, limit = (excess.window, excess.limit) if excess else (state.window_minutes, state.limit_usd)
    rule = excess.rule if excess and excess.level == Level.CONFIRM else Rule.ALLOWANCE
    rate = _rate(history, now - state.started_minute + 1)
    return _open(history, now, state, Excess(Level.CONFIRM, window, limit, rule), Level.CONFIRM, rate)


def _is_told(history: History, state: State) -> bool:
    """Whether a suspicion of this size was told within the last days, so that it is no news."""
    rate = _rate(history, history.minute - _start_of_burn(history) + 1)
    return state.told_minute > 0 and rate < LIMITS.told_margin * state.told_rate


def _go_on(history: History, facts: Facts, state: State, excess: Excess | None, limits: Limits) -> Verdict:
    """An incident is open: it goes on, grows from a suspicion to a confirmed runaway, or ends.

    A confirmed one whose allowance is used up is not over because its key spends nothing: the key is refused.
    """
    now = facts.minute
    rate = _rate(history, min(now - state.started_minute + 1, 5))
    state = replace(state, peak_rate=max(state.peak_rate, rate))
    if rate >= limits.fallen_to * state.peak_rate:
        state = replace(state, burning_minute=now)
    lapsed = state.level == Level.SUSPECT and now - state.started_minute >= limits.lapse
    refused = facts.run_out and state.level == Level.CONFIRM
    if lapsed or (now - state.burning_minute >= limits.quiet_after and not refused):
        after = State(told_minute=now, told_rate=max(state.told_rate, state.peak_rate))
        over = _verdict(history, state, rate)
        forget = state.level == Level.CONFIRM
        return replace(over, level=Level.QUIET, next_state=after, ended=True, forget=forget)
    if excess and state.level == Level.SUSPECT and state.confirm_ticks >= limits.ticks:
        return _open(history, now, state, excess, Level.CONFIRM, rate)
    burns = state.level == Level.CONFIRM and state.burning_minute == now
    announce = burns and now - state.raised_minute >= limits.raise_again
    if announce:
        state = replace(state, raised_minute=now)
    return replace(_verdict(history, state, rate), announce=announce)


def _open(history: History, now: int, state: State, excess: Excess, level: Level, rate: float) -> Verdict:
    """A new incident, or a suspicion that became a confirmed one."""
    state = replace(
        state,
        level=level,
        window_minutes=excess.window,
        limit_usd=excess.limit,
        rule=excess.rule,
        raised_minute=now,
        burning_minute=now,
        peak_rate=max(state.peak_rate, rate),
    )
    return replace(_verdict(history, state, rate), announce=True)


def _verdict(history: History, state: State, rate: float) -> Verdict:
    window = state.window_minutes
    spent, baseline = history.spent(window), history.maxima(window)[1]
    multiple = spent / baseline if baseline else float("inf")
    reason = reason_of(state.rule, history, window, rate)
    return Verdict(
        state.level, window, spent, state.limit_usd, baseline, multiple, rate, state.started_minute, reason, state,
        rule=state.rule,
    )  # fmt: skip


def _quiet(state: State, reason: str) -> Verdict:
    return Verdict(Level.QUIET, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, reason, state)


def _rate(history: History, minutes: int) -> float:
    """USD per hour over the last `minutes`, a quarter of an hour at most."""
    minutes = min(max(minutes, 1), 15)
    return history.spent(minutes) / minutes * 60


def _start_of_burn(history: History) -> int:
    """The minute from which spend has been within sight of its present rate; at most an hour ago."""
    recent = history.recent(60)
    sight = max(sum(recent[-2:]) / 2, sum(recent[-15:]) / 15) / 4
    start = 59
    for i in range(59, -1, -1):
        if recent[i] >= sight:
            start = i
        elif start - i > 2:
            break
    return max(history.minute - 59 + start, history.since + 1)
