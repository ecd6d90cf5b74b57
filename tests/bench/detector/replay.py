"""One key's sixty days through a rule, beat by beat, as the meter would: idle minutes cost nothing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from sandbox.traffic import Profile, loop
from sandbox.traffic.profile import ORIGIN
from spend_meter.history import DAY, History
from spend_meter.runaway import QUIET, Facts, Level, State, judge, settle

DAYS = 60
HORIZON = 720
RATES = (100.0, 500.0)


@dataclass(frozen=True)
class Key:
    profile: str
    monthly_usd: float
    seed: int

    @property
    def budget(self):
        return self.monthly_usd * 1.5 if self.seed % 2 else None


@dataclass
class Outcome:
    key: Key
    suspects: list = field(default_factory=list)
    confirms: list = field(default_factory=list)
    loops: dict = field(default_factory=dict)


def replay(key: Key, starts_count=6, first=28) -> Outcome:
    profile = Profile(key.profile, key.monthly_usd, key.seed)
    out = Outcome(key)
    spend = [x for d in range(ORIGIN, ORIGIN + DAYS + 1) for x in profile.day(d)]
    base = ORIGIN * DAY
    rng = Random(f"{key}")
    starts = sorted(rng.randrange(first * DAY, DAYS * DAY) for _ in range(starts_count))
    h = History.empty(base)
    state = QUIET
    nexts = list(starts)
    b = key.budget
    for i in range(DAYS * DAY):
        if nexts and nexts[0] == i:
            nexts.pop(0)
            for rate in RATES:
                out.loops.setdefault(rate, []).append(attack(h.to_bytes(), state.to_bytes(), spend, i, rate, b))
        usd = spend[i]
        if not usd and not state.needs_beat:
            continue
        m = base + i
        if usd:
            h.record(m, usd)
        else:
            h.advance(m)
        before = state.level
        v = judge(h, Facts(m, b, None, state))
        settle(h, v)
        state = v.next_state
        if v.level > before:
            (out.suspects if v.level == 1 else out.confirms).append((i, v.reason, v.window_minutes, v.floor))
    return out


def attack(hb, sb, spend, start, rate, b):
    h = History.from_bytes(hb)
    state = State.from_bytes(sb)
    base = ORIGIN * DAY
    lost = 0.0
    if state.level == 2: return (0, 0.0, 15, 0)
    run = loop(rate, base + start)
    sus = None
    for i in range(start, min(start + HORIZON, len(spend))):
        m = base + i
        x = rate / 60
        lost += x
        h.record(m, spend[i] + x)
        v = judge(h, Facts(m, b, None, state))
        settle(h, v)
        state = v.next_state
        if v.level >= 1 and sus is None: sus = i - start + 1
        if v.level == Level.CONFIRM:
            return (i - start + 1, lost, v.window_minutes, sus)
    return (None, lost, 0, sus)
