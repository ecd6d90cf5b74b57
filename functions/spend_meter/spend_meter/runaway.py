"""Whether a subject's spend is a runaway: facts and memory in, a verdict with its reason out. Pure; microseconds.

One beat of one subject: `history.record(...)`, `verdict = judge(history, facts)`, `settle(history, verdict)`; keep
`verdict.next_state` for the next beat. A subject with no new spend needs none of this unless its `State.needs_beat`:
then it is `advance`d and judged.
"""

import struct
from dataclasses import dataclass, replace
from enum import IntEnum

from spend_meter.history import DAY, DAYS, WINDOWS, History


class Level(IntEnum):
    """How sure the detector is. A suspicion is told to people; only a confirmed runaway asks for the key's disabling."""

    QUIET = 0
    SUSPECT = 1
    CONFIRM = 2


@dataclass(frozen=True)
class Limits:
    """The rules' constants; tuples are by window (15 min, 1 h, 6 h, 24 h). USD."""

    floor: tuple[float, ...] = (12.0, 25.0, 80.0, 200.0)
    multiple: tuple[float, ...] = (6.4, 6.8, 8.2, 10.4)
    peak: tuple[float, ...] = (5.1, 5.7, 7.2, 8.3)
    burn: float = 6.0
    suspect: float = 0.7
    still_burning: float = 0.5
    beats: int = 2
    warm_days: int = 14
    warm_days_of_spend: int = 7
    cold_share: float = 0.5
    cold_month_share: float = 0.1
    cold_floor: float = 10.0
    lapse: int = DAY
    raise_again: int = 15
    quiet_after: int = 10
    fallen_to: float = 0.25
    told_for: int = 3 * DAY
    told_margin: float = 1.5

    def thinness(self, days_of_spend: int) -> float:
        """What multiples are multiplied by when fewer days of spend are remembered than the 28 they are meant for."""
        return (DAYS / days_of_spend) ** EXPO

    @property
    def thin(self) -> float:
        return self.warm_days_of_spend * (self.thinness(self.warm_days_of_spend) - 1)


import os
EXPO=float(os.environ.get("EXPO","1.5"))
LIMITS = Limits()
MONTH = 30 * DAY
"""Minutes in the month by which a budget's pace is reckoned."""

_STATE = struct.Struct("<BBBBIIIIff")
_MOMENT = (2, 5, 30, 120)  # the last twelfth of each window; two minutes of the shortest


@dataclass(frozen=True)
class State:
    """What one beat hands to the next. Rates are USD per hour, instants whole epoch minutes, 0 where there is none.

    `peak_rate`: the open incident's highest. `told_rate`, `told_minute`: the last suspicion's, so that the same level
    is not told twice in a few days.
    """

    suspect_beats: int = 0
    confirm_beats: int = 0
    level: Level = Level.QUIET
    window_minutes: int = 0
    started_minute: int = 0
    raised_minute: int = 0
    burning_minute: int = 0
    told_minute: int = 0
    told_rate: float = 0.0
    peak_rate: float = 0.0

    @property
    def needs_beat(self) -> bool:
        """The subject must be judged on the next beat even if it spends nothing."""
        return self.level != Level.QUIET or self.suspect_beats > 0

    def to_bytes(self) -> bytes:
        """Empty for a subject with nothing to remember."""
        if self == QUIET:
            return b""
        return _STATE.pack(
            self.suspect_beats,
            self.confirm_beats,
            self.level,
            WINDOWS.index(self.window_minutes) if self.window_minutes else len(WINDOWS),
            self.started_minute,
            self.raised_minute,
            self.burning_minute,
            self.told_minute,
            self.told_rate,
            self.peak_rate,
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> "State":
        """Raises `ValueError` when the bytes are of another length."""
        if not content:
            return QUIET
        if len(content) != _STATE.size:
            raise ValueError(f"not a detector's state: {len(content)} bytes")
        suspect, confirm, level, window, *rest = _STATE.unpack(content)
        return cls(suspect, confirm, Level(level), WINDOWS[window] if window < len(WINDOWS) else 0, *rest)


QUIET = State()


@dataclass(frozen=True)
class Facts:
    """What is known of the subject besides its history. `previous`: the last verdict's `next_state`.

    `monthly_budget_usd`, `daily_limit_usd`: None where nobody set one.
    """

    minute: int
    monthly_budget_usd: float | None = None
    daily_limit_usd: float | None = None
    previous: State = QUIET


@dataclass(frozen=True)
class Verdict:
    """`level` is the open incident's, every beat while it is open; `announce` says on which beats to publish it.

    `floor`: what the window's spend had to pass; `baseline_usd`: the subject's own habit for that window; `multiple`:
    spend in baselines (infinite where there is no habit). `started_minute` stays the same through an incident.
    `ended`: this beat closed it.
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
    ended: bool = False
    forget: bool = False


@dataclass(frozen=True)
class _Excess:
    level: Level
    index: int
    spent: float
    limit: float
    baseline: float


def judge(history: History, facts: Facts, limits: Limits = LIMITS) -> Verdict:
    """The verdict on spend recorded up to `facts.minute`. Changes nothing; `settle` then lets the history learn or not."""
    excess = _excess(history, facts, limits)
    if facts.previous.level:
        return _go_on(history, facts, excess, limits)
    if excess is None:
        state = facts.previous
        if state.suspect_beats:
            state = replace(state, suspect_beats=0, confirm_beats=0)
        if state.told_minute and facts.minute - state.told_minute > limits.told_for:
            state = QUIET
        return _quiet(state, "spend is within its habits")
    return _count(history, facts, excess, limits)


def settle(history: History, verdict: Verdict) -> None:
    """Let the history learn from this beat, or see to it that the incident's spend teaches nothing. Idempotent."""
    if verdict.ended and verdict.forget:
        history.rebaseline(history.minute)
    elif verdict.level == Level.CONFIRM:
        history.discard()
    elif verdict.level == Level.SUSPECT or verdict.next_state.suspect_beats == 1:
        history.withhold()
    else:
        history.teach()


def _excess(history: History, facts: Facts, limits: Limits) -> _Excess | None:
    """The gravest window over its limit and still burning (the shortest of equals), or None."""
    found: _Excess | None = None
    for i, window in enumerate(WINDOWS):
        spent = history.spent(window)
        if spent < limits.suspect * limits.floor[i]:
            continue
        if history.spent(_MOMENT[i]) * window < limits.still_burning * spent * _MOMENT[i]:
            continue
        limit, baseline, may_confirm = _limit(history, facts, limits, i)
        level = Level.CONFIRM if may_confirm and spent >= limit else Level.SUSPECT
        if level == Level.SUSPECT:
            limit *= limits.suspect
        if spent >= limit and (found is None or level > found.level):
            found = _Excess(level, i, spent, limit, baseline)
    return found


def _limit(history: History, facts: Facts, limits: Limits, index: int) -> tuple[float, float, bool]:
    """What a window's spend must pass to confirm, the habit it was made from, and whether it may confirm at all."""
    floor = limits.floor[index]
    largest, second = history.maxima(WINDOWS[index])
    days = history.days_of_spend
    if history.days_seen < limits.warm_days or days < limits.warm_days_of_spend:
        if facts.daily_limit_usd is not None:
            floor = max(floor, limits.cold_share * facts.daily_limit_usd)
        elif facts.monthly_budget_usd is not None:
            floor = max(floor, limits.cold_month_share * facts.monthly_budget_usd)
        else:
            floor *= limits.cold_floor
        return max(floor, limits.multiple[index] * largest), second, False
    thin = limits.thinness(days)
    habit = thin * max(limits.multiple[index] * second, limits.peak[index] * largest)
    pace = (facts.monthly_budget_usd or 0.0) * WINDOWS[index] / MONTH
    return max(floor, habit, limits.burn * pace), second, True


def _count(history: History, facts: Facts, excess: _Excess, limits: Limits) -> Verdict:
    """Over a limit with no incident open: one opens on the second such beat in a row."""
    state = facts.previous
    state = replace(
        state,
        suspect_beats=min(state.suspect_beats + 1, 255),
        confirm_beats=min(state.confirm_beats + 1, 255) if excess.level == Level.CONFIRM else 0,
    )
    if state.suspect_beats < limits.beats:
        return _quiet(state, "over a limit on one beat: waiting for the next")
    started = _start_of_burn(history)
    rate = _rate(history, started)
    level = Level.CONFIRM if state.confirm_beats >= limits.beats else Level.SUSPECT
    if level == Level.SUSPECT and state.told_minute and rate < limits.told_margin * state.told_rate:
        return _quiet(state, "a suspicion of this size was told already")
    return _open(facts, excess, replace(state, started_minute=started), level, rate)


def _go_on(history: History, facts: Facts, excess: _Excess | None, limits: Limits) -> Verdict:
    """An incident is open: it goes on, grows from a suspicion to a confirmed runaway, or ends."""
    state = facts.previous
    now = facts.minute
    rate = _rate(history, max(state.started_minute, now - 4))
    state = replace(state, peak_rate=max(state.peak_rate, rate))
    if rate >= limits.fallen_to * state.peak_rate:
        state = replace(state, burning_minute=now)
    if now - state.burning_minute >= limits.quiet_after:
        return _end(history, facts, state, rate)
    confirm_beats = state.confirm_beats + 1 if excess and excess.level == Level.CONFIRM else 0
    state = replace(state, confirm_beats=min(confirm_beats, 255))
    if excess and state.level == Level.SUSPECT and state.confirm_beats >= limits.beats:
        return _open(facts, excess, state, Level.CONFIRM, rate)
    if state.level == Level.SUSPECT and now - state.started_minute >= limits.lapse:
        return _end(history, facts, state, rate)
    again = now - state.raised_minute >= limits.raise_again and state.burning_minute == now
    if again and state.level == Level.CONFIRM:
        state = replace(state, raised_minute=now)
        return replace(_describe(history, facts, state, rate), next_state=state, announce=True)
    return replace(_describe(history, facts, state, rate), next_state=state)


def _end(history: History, facts: Facts, state: State, rate: float) -> Verdict:
    after = State(told_minute=facts.minute, told_rate=max(state.told_rate, state.peak_rate))
    return replace(
        _describe(history, facts, state, rate),
        level=Level.QUIET,
        next_state=after,
        ended=True,
        forget=state.level == Level.CONFIRM,
    )


def _open(facts: Facts, excess: _Excess, state: State, level: Level, rate: float) -> Verdict:
    now = facts.minute
    window = WINDOWS[excess.index]
    state = replace(
        state,
        level=level,
        window_minutes=window,
        raised_minute=now,
        burning_minute=now,
        peak_rate=max(state.peak_rate, rate),
        told_minute=now,
        told_rate=max(state.told_rate, rate),
    )
    return _verdict(level, window, excess.spent, excess.limit, excess.baseline, rate, state, announce=True)


def _describe(history: History, facts: Facts, state: State, rate: float) -> Verdict:
    window = state.window_minutes
    largest, second = history.maxima(window)
    i = WINDOWS.index(window)
    confirmed = state.level == Level.CONFIRM
    limit = LIMITS.floor[i]
    return _verdict(state.level, window, history.spent(window), limit, second, rate, state)


def _verdict(
    level: Level,
    window: int,
    spent: float,
    limit: float,
    baseline: float,
    rate: float,
    state: State,
    announce: bool = False,
) -> Verdict:
    multiple = spent / baseline if baseline else float("inf")
    habit = f"{multiple:,.1f} times its habit of ${baseline:,.2f}" if baseline else "and it has no such habit"
    reason = f"${spent:,.2f} in {_span(window)}, {habit}; burning ${rate:,.2f} an hour"
    return Verdict(level, window, spent, limit, baseline, multiple, rate, state.started_minute, reason, state, announce)


def _quiet(state: State, reason: str) -> Verdict:
    return Verdict(Level.QUIET, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, reason, state)


def _rate(history: History, started: int) -> float:
    """USD per hour since `started`, or in the last quarter of an hour if that is shorter."""
    minutes = min(max(history.minute - started + 1, 1), 15)
    return history.spent(minutes) / minutes * 60


def _start_of_burn(history: History) -> int:
    """The minute from which spend has been within sight of its present rate; at most an hour ago."""
    recent = history.recent(60)
    rate = max(sum(recent[-2:]) / 2, sum(recent[-15:]) / 15)
    start, idle = 59, 0
    for i in range(59, -1, -1):
        idle = 0 if recent[i] >= 0.25 * rate else idle + 1
        if idle == 0:
            start = i
        if idle >= 3:
            break
    return history.minute - 59 + start


def _span(minutes: int) -> str:
    return f"{minutes} minutes" if minutes < 60 else "an hour" if minutes == 60 else f"{minutes // 60} hours"
