"""One key's sixty days through the rules, beat by beat, as the meter would: idle minutes cost nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from sandbox.traffic import Profile, loop
from sandbox.traffic.profile import ORIGIN
from spend_meter.history import DAY
from spend_meter.runaway import Level
from tests.bench.detector.rules import BurnRate, DailyMean, Detector, Ewma, Rule

DAYS = 60
LEARNING = 28
"""Days at the start that are judged and printed, but apart: the detector knows nothing of the key on the first."""
HORIZON = 480
"""Minutes after which a loop that nobody confirmed counts as missed."""
LOOP_RATES = (100, 500)
"""USD per hour."""
LOOPS_PER_KEY = 5
BASE = ORIGIN * DAY

Reading = Literal["every minute", "thinned", "gaps", "analytics"]


@dataclass(frozen=True)
class Key:
    """A key under a profile. Every other one has a budget; the others must do without."""

    profile: str
    monthly_usd: float
    seed: int

    @property
    def budget(self) -> float | None:
        """USD a month, half as much again as it usually spends."""
        return self.monthly_usd * 1.5 if self.seed % 2 else None


@dataclass(frozen=True)
class Caught:
    """One loop under one rule. `minutes` till it was confirmed (None: missed); `usd`: its own cost till then."""

    usd_per_hour: int
    minutes: int | None
    usd: float


@dataclass
class Outcome:
    """What one rule did with one key; alarms by minute since the start."""

    key: Key
    rule: str
    reading: Reading
    suspected: list[int] = field(default_factory=list)
    confirmed: list[int] = field(default_factory=list)
    caught: list[Caught] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


def replay(key: Key, reading: Reading) -> list[Outcome]:
    """All rules on one key. Loops and the naive rules only where every minute is read."""
    profile = Profile(key.profile, key.monthly_usd, key.seed)
    spend = [usd for day in range(ORIGIN, ORIGIN + DAYS + 1) for usd in profile.day(day)]
    hourly = _hourly(profile) if reading == "analytics" else ()
    rules: dict[str, Rule] = {"detector": Detector(BASE, key.budget, hourly)}
    starts: list[int] = []
    if reading == "every minute":
        rules |= {
            "3x daily mean": DailyMean(BASE, key.monthly_usd),
            "EWMA": Ewma(BASE, key.monthly_usd),
            "burn rate": BurnRate(BASE, key.monthly_usd),
        }
        rng = Random(f"loops {key}")
        starts = sorted(rng.randrange(LEARNING * DAY, DAYS * DAY - HORIZON) for _ in range(LOOPS_PER_KEY))
    return [_run(Outcome(key, name, reading), rule, spend, list(starts)) for name, rule in rules.items()]


def _run(outcome: Outcome, rule: Rule, spend: Sequence[float], starts: list[int]) -> Outcome:
    before, last_alarm = Level.QUIET, -HORIZON
    for i, span, lost in _beats(outcome.reading, outcome.key):
        while starts and starts[0] <= i:
            start = starts.pop(0)
            outcome.caught += [_attack(rule.copy(), spend, start, rate) for rate in LOOP_RATES]
        if lost:
            rule.lost(BASE + i)
            continue
        usd = spend[i] if span == 1 else sum(spend[i - span + 1 : i + 1])
        if not usd and not rule.needs_beat:
            continue
        level = rule.beat(BASE + i, usd, span)
        if level > before and i - last_alarm > 60:
            (outcome.suspected if level == Level.SUSPECT else outcome.confirmed).append(i)
            if isinstance(rule, Detector):
                outcome.reasons.append(f"day {i // DAY}, {level.name.lower()}: {rule.told}")
        if level and not isinstance(rule, Detector):
            last_alarm = i
        before = level
    return outcome


def _attack(rule: Rule, spend: Sequence[float], start: int, usd_per_hour: int) -> Caught:
    runaway = loop(usd_per_hour, BASE + start)
    cost = 0.0
    for i in range(start, start + HORIZON):
        usd = runaway.minute_spend(BASE + i)
        cost += usd
        if rule.beat(BASE + i, spend[i] + usd, 1) == Level.CONFIRM:
            return Caught(usd_per_hour, i - start + 1, cost)
    return Caught(usd_per_hour, None, cost)


def _beats(reading: Reading, key: Key) -> Iterator[tuple[int, int, bool]]:
    """(minute, minutes it covers, whether their spend is lost for good)."""
    if reading in ("every minute", "analytics"):
        days = LEARNING if reading == "analytics" else DAYS
        yield from ((i, 1, False) for i in range(days * DAY))
        return
    rng = Random(f"{reading} {key}")
    i = 0
    while i < DAYS * DAY - 1500:
        if reading == "thinned":
            minutes = rng.randint(60, 360)
            yield from ((i + k, 1, False) for k in range(minutes))
            i += minutes
            beats = rng.randint(12, 120)
            yield from ((i + 5 * k + 4, 5, False) for k in range(beats))
            i += 5 * beats
        else:
            minutes = rng.randint(60, 720)
            yield from ((i + k, 1, False) for k in range(minutes))
            gap = rng.choice((2, 4, 7, 15, 40, 120, 360, 1500))
            i += minutes + gap
            yield i - 1, gap, rng.random() < 0.2


def _hourly(profile: Profile) -> list[tuple[int, float]]:
    """The 28 days before, as analytics gives them."""
    days = {day: profile.day(day) for day in range(ORIGIN - LEARNING, ORIGIN)}
    hours = [(day * 24 + h, sum(usd[h * 60 : h * 60 + 60])) for day, usd in days.items() for h in range(24)]
    return [hours[0], *((hour, usd) for hour, usd in hours[1:] if usd)]
