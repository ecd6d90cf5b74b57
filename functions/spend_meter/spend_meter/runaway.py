"""Whether a subject's spend is a runaway: facts and memory in, a verdict with its reason out. Pure; microseconds.

One beat of one subject: `history.record(...)`, `verdict = judge(history, facts)`, `settle(history, verdict)`; keep
`verdict.next_state` for the next beat. A subject with no new spend needs none of this unless its `State.needs_beat`:
then it is `advance`d and judged. A little over 300 lines: half are the reasons for the constants and what is carried.
"""

import struct
from dataclasses import dataclass, replace
from enum import IntEnum

from spend_meter.history import DAY, DAYS, WINDOWS, History


class Level(IntEnum):
    """How sure the detector is. People hear of a suspicion; only a confirmed runaway asks for the key's disabling."""

    QUIET = 0
    SUSPECT = 1
    CONFIRM = 2


@dataclass(frozen=True)
class Limits:
    """The rules' constants, each with its reason. Tuples are by window: 15 min, 1 h, 6 h, 24 h.

    A window confirms when its spend passes the greatest of these, and is suspect from `suspect` of that on:
    - `floor` (USD): less is not worth a key, or a night. $10 in a quarter of an hour lets $500 an hour be confirmed on
      its third minute and $100 an hour on its eighth; longer windows are for slower burns, a third of that rate.
    - `multiple` of the second-largest daily maximum of 28 days, and `peak` of the largest. The second-largest forgives
      one odd day in the memory, the largest one odd habit: a launch at seven times the level, the worst night's batch
      run twice, a record among heavy-tailed bursts all stay below. Long windows need more: noise that makes a short
      window's maximum large has averaged out of a day's, so the same launch is a greater multiple of it.
    - `thinness`, for fewer days of spend: what tops n days by a factor k is as likely as 1/(n k^a); for tails as heavy
      as experiments have, k must grow about as (28/n)^1.5 for records to stay as rare.
    - `burn`: the pace at which the budget would be gone in 1/6 of the month. Slower is the budget's alarm to raise.

    `still_burning`: the last twelfth of the window must burn at half its mean rate, or what it saw is over.
    `beats`: one dear request, or one late counter, is one beat; a runaway is there on the next.
    `warm_days`, `warm_days_of_spend`: two weeks show a weekly job twice; with less than a week of spending days there
    is no habit to compare with. A cold key is only ever suspected: above `cold_share` of its daily limit, or
    `cold_month_share` of its monthly budget, or `cold_floor` floors when nobody stated any.
    `idle_month_share`: a key known to lie idle, but with a budget, confirms at half a month's money in one window.
    `raise_again` (minutes): a confirmed runaway is told anew until somebody acts.
    `quiet_after` (minutes), `fallen_to`: over when the rate has been below a quarter of its highest for ten minutes.
    `lapse` (minutes): a suspicion nobody acted on for a day is the new habit. `told_for` (minutes), `told_margin`: nor
    is the same rate, give or take a half, told again for three days: a launch is suspected once, not every morning.
    """

    floor: tuple[float, ...] = (10.0, 25.0, 80.0, 200.0)
    multiple: tuple[float, ...] = (6.0, 6.8, 8.2, 10.4)
    peak: tuple[float, ...] = (4.8, 5.7, 7.2, 8.3)
    thin: float = 1.5
    burn: float = 6.0
    suspect: float = 0.6
    still_burning: float = 0.5
    beats: int = 2
    warm_days: int = 14
    warm_days_of_spend: int = 7
    cold_share: float = 0.5
    cold_month_share: float = 0.1
    cold_floor: float = 10.0
    idle_month_share: float = 0.5
    raise_again: int = 15
    quiet_after: int = 10
    fallen_to: float = 0.25
    lapse: int = DAY
    told_for: int = 3 * DAY
    told_margin: float = 1.5

    def thinness(self, days_of_spend: int) -> float:
        """The factor on `multiple` and `peak` for a memory of so few days of spend; 1 for a full one."""
        return float((DAYS / max(days_of_spend, 1)) ** self.thin)


LIMITS = Limits()
MONTH = 30 * DAY
"""Minutes in the month by which a budget's pace is reckoned."""

_STATE = struct.Struct("<BBBBIIIIfff")
_MOMENT = (2, 5, 30, 120)  # the last twelfth of each window, in whole minutes or half hours


@dataclass(frozen=True)
class State:
    """What one beat hands to the next. Rates are USD per hour, instants whole epoch minutes, 0 where there is none.

    `suspect_beats`, `confirm_beats`: beats in a row over a limit. `limit_usd`: what the open incident's window passed.
    `peak_rate`: the open incident's highest. `told_minute`, `told_rate`: the last incident people heard of.
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
    limit_usd: float = 0.0

    @property
    def needs_beat(self) -> bool:
        """The subject must be judged on the next beat even if it spends nothing."""
        return self.level != Level.QUIET or self.suspect_beats > 0

    def to_bytes(self) -> bytes:
        """Empty for a subject with nothing to remember."""
        if self == QUIET:
            return b""
        window = WINDOWS.index(self.window_minutes) if self.window_minutes else len(WINDOWS)
        instants = (self.started_minute, self.raised_minute, self.burning_minute, self.told_minute)
        amounts = (self.told_rate, self.peak_rate, self.limit_usd)
        return _STATE.pack(self.suspect_beats, self.confirm_beats, self.level, window, *instants, *amounts)

    @classmethod
    def from_bytes(cls, content: bytes) -> "State":
        """Raises `ValueError` when the bytes are of another length. Amounts come back in single precision."""
        if not content:
            return QUIET
        if len(content) != _STATE.size:
            raise ValueError(f"not a detector's state: {len(content)} bytes")
        suspect, confirm, level, window, *rest = _STATE.unpack(content)
        return cls(suspect, confirm, Level(level), WINDOWS[window] if window < len(WINDOWS) else 0, *rest)


QUIET = State()


@dataclass(frozen=True)
class Facts:
    """What is known of the subject besides its history, which stands at `minute`.

    `previous`: the last verdict's `next_state`. `monthly_budget_usd`, `daily_limit_usd`: None where nobody set one.
    """

    minute: int
    monthly_budget_usd: float | None = None
    daily_limit_usd: float | None = None
    previous: State = QUIET


@dataclass(frozen=True)
class Verdict:
    """`level` is the open incident's on every beat it is open; `announce` says on which beats people should hear of it.

    `floor`: USD that the window's spend had to pass when the incident opened; `baseline_usd`: the subject's own habit
    for that window; `multiple`: spend in baselines (infinite without a habit). `started_minute` is the incident's
    name: the same from its first beat to its last. `ended`: this beat closed it; `forget`: as a confirmed one.
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
    window: int
    limit: float


def judge(history: History, facts: Facts, limits: Limits = LIMITS) -> Verdict:
    """The verdict on spend up to `facts.minute`. Changes nothing: `settle` lets the history learn from it, or not."""
    state = facts.previous
    excess = _excess(history, facts, limits)
    # Only a beat that spent counts: a lump stays in the windows for a while, and must not be taken for the next one.
    if excess is None:
        state = replace(state, suspect_beats=0, confirm_beats=0) if state.suspect_beats else state
    elif history.spent(1) > 0:
        confirm_beats = min(state.confirm_beats + 1, limits.beats) if excess.level == Level.CONFIRM else 0
        state = replace(state, suspect_beats=min(state.suspect_beats + 1, limits.beats), confirm_beats=confirm_beats)
    if state.level:
        return _go_on(history, facts.minute, state, excess, limits)
    return _watch(history, facts.minute, state, excess, limits)


def settle(history: History, verdict: Verdict) -> None:
    """Let the history learn from this beat, or see to it that it does not.

    What is suspected waits, and teaches once the suspicion ends unconfirmed; what was confirmed never teaches.
    """
    if verdict.forget:
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
        limit, may_confirm = _limit(history, facts, limits, i)
        level = Level.CONFIRM if may_confirm and spent >= limit else Level.SUSPECT
        if level == Level.SUSPECT:
            limit *= limits.suspect
        if spent >= limit and (found is None or level > found.level):
            found = _Excess(level, window, limit)
    return found


def _limit(history: History, facts: Facts, limits: Limits, i: int) -> tuple[float, bool]:
    """What the window's spend must pass to confirm, and whether it may confirm at all."""
    floor, budget, daily = limits.floor[i], facts.monthly_budget_usd, facts.daily_limit_usd
    largest, second = history.maxima(WINDOWS[i])
    days = history.days_of_spend
    known = history.days_seen >= limits.warm_days
    if known and days >= limits.warm_days_of_spend:
        habit = limits.thinness(days) * max(limits.multiple[i] * second, limits.peak[i] * largest)
        return max(floor, habit, limits.burn * (budget or 0.0) * WINDOWS[i] / MONTH), True
    if known and budget is not None:
        return max(floor, limits.idle_month_share * budget, limits.thinness(days) * limits.peak[i] * largest), True
    if daily is not None:
        floor = max(floor, limits.cold_share * daily)
    elif budget is not None:
        floor = max(floor, limits.cold_month_share * budget)
    else:
        floor *= limits.cold_floor
    return max(floor, limits.peak[i] * largest), False


def _watch(history: History, now: int, state: State, excess: _Excess | None, limits: Limits) -> Verdict:
    """No incident is open: one opens on the second beat in a row over a limit."""
    if excess is None:
        if state.told_minute and now - state.told_minute > limits.told_for:
            state = QUIET
        return _quiet(state, "Spend is within its habits.")
    if state.suspect_beats < limits.beats:
        return _quiet(state, "Over a limit on one beat: the next one decides.")
    started = _start_of_burn(history)
    rate = _rate(history, now - started + 1)
    level = Level.CONFIRM if state.confirm_beats >= limits.beats else Level.SUSPECT
    if level == Level.SUSPECT and state.told_minute and rate < limits.told_margin * state.told_rate:
        return _quiet(state, "A suspicion of this size was told already.")
    return _open(history, now, replace(state, started_minute=started), excess, level, rate)


def _go_on(history: History, now: int, state: State, excess: _Excess | None, limits: Limits) -> Verdict:
    """An incident is open: it goes on, grows from a suspicion to a confirmed runaway, or ends."""
    rate = _rate(history, min(now - state.started_minute + 1, 5))
    state = replace(state, peak_rate=max(state.peak_rate, rate))
    if rate >= limits.fallen_to * state.peak_rate:
        state = replace(state, burning_minute=now)
    lapsed = state.level == Level.SUSPECT and now - state.started_minute >= limits.lapse
    if lapsed or now - state.burning_minute >= limits.quiet_after:
        after = State(told_minute=now, told_rate=max(state.told_rate, state.peak_rate))
        over = _verdict(history, state, rate)
        forget = state.level == Level.CONFIRM
        return replace(over, level=Level.QUIET, next_state=after, ended=True, forget=forget)
    if excess and state.level == Level.SUSPECT and state.confirm_beats >= limits.beats:
        return _open(history, now, state, excess, Level.CONFIRM, rate)
    burns = state.level == Level.CONFIRM and state.burning_minute == now
    announce = burns and now - state.raised_minute >= limits.raise_again
    if announce:
        state = replace(state, raised_minute=now)
    return replace(_verdict(history, state, rate), announce=announce)


def _open(history: History, now: int, state: State, excess: _Excess, level: Level, rate: float) -> Verdict:
    """A new incident, or a suspicion that became a confirmed one."""
    state = replace(
        state,
        level=level,
        window_minutes=excess.window,
        limit_usd=excess.limit,
        raised_minute=now,
        burning_minute=now,
        peak_rate=max(state.peak_rate, rate),
    )
    return replace(_verdict(history, state, rate), announce=True)


def _verdict(history: History, state: State, rate: float) -> Verdict:
    window = state.window_minutes
    spent, baseline = history.spent(window), history.maxima(window)[1]
    if baseline:
        multiple, habit = spent / baseline, f"{spent / baseline:,.1f} times its habit of ${baseline:,.2f}"
    else:
        multiple, habit = float("inf"), "and it has no such habit"
    span = f"{window} minutes" if window < 60 else "an hour" if window == 60 else f"{window // 60} hours"
    reason = f"Spent ${spent:,.2f} in {span}, {habit}; now burning ${rate:,.2f} an hour."
    return Verdict(
        state.level, window, spent, state.limit_usd, baseline, multiple, rate, state.started_minute, reason, state
    )


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
