"""One key's sixty days through the rules, reading by reading, as the meter would: idle minutes cost nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from governor.policy import ExpectedSpend
from sandbox.traffic import PROFILES, Profile
from sandbox.traffic.profile import ORIGIN
from spend_meter.days import DAY
from spend_meter.limits import Level
from tests.bench.detector.attacks import ATTACKS, FLAT, Attack
from tests.bench.detector.rules import LARGEST_DAYS, BurnRate, DailyMean, Detector, Ewma, Rule

DAYS = 60
LEARNING = 28
"""Days at the start that are judged and printed, but apart: the detector knows nothing of the key on the first."""
HORIZON = 480
"""Minutes after which a loop that nobody confirmed counts as missed."""
LOOP_RATES = (20, 100, 500)
"""USD an hour."""
LOOPS_PER_KEY = 5
LEAK_FROM, LEAK_DAYS, LEAK_TIMES = 45, 10, (2.0, 2.5, 3.0, 4.0)
"""The day on which slow leaks begin, how long they last, and what all that a key spends is multiplied by."""
ATTACKED = 5
"""Keys of a set, per habit and scale, on which loops are tried; the others only show false alarms."""
RARE_AFTER = 100
"""Seeds above it begin at another week of the year each: month ends, quarters and clock changes fall where they may."""

Reading = Literal["every minute", "thinned", "gaps", "analytics"]


@dataclass(frozen=True)
class Key:
    """A key under a profile. Every other one has a budget; the others must do without.

    `said_expected`: a person presses *Expected* a quarter of an hour after each suspicion and each confirmation.
    `declared`: the policy declares its job (`runaway.expect`), with twice what it usually costs.
    """

    profile: str
    monthly_usd: float
    seed: int
    said_expected: bool = False
    declared: bool = False

    @property
    def expect(self) -> tuple[ExpectedSpend, ...]:
        """What its policy declares: a window from the close of business on the last working day."""
        if not self.declared:
            return ()
        calendar, share = {"month-end job": ("month_end", 0.5), "quarter-end job": ("quarter_end", 50 / 30)}[
            self.profile
        ]
        rule = {"calendar": calendar, "workday": True, "at": "17:00", "lasts": "12h"}
        return (ExpectedSpend.model_validate({"name": "close", "up_to_usd": 2 * share * self.monthly_usd, **rule}),)

    @property
    def budget(self) -> float | None:
        """USD a month, half as much again as it usually spends."""
        return self.monthly_usd * 1.5 if self.seed % 2 else None

    @property
    def is_attacked(self) -> bool:
        return self.seed % RARE_AFTER <= ATTACKED

    @property
    def is_explained(self) -> bool:
        """Whether somebody says what its jobs are, before or after."""
        return self.said_expected or self.declared

    @property
    def explained(self) -> str:
        """How, for a line of the report."""
        return ", Expected" if self.said_expected else ", declared" if self.declared else ""

    @property
    def origin(self) -> int:
        """The epoch day on which it is first seen: a Monday."""
        return ORIGIN if self.seed <= RARE_AFTER else ORIGIN + 7 * (self.seed * 11 % 52)

    @property
    def name(self) -> str:
        """What seeds its dice: the same however its dollars are written."""
        return f"{self.profile} {self.monthly_usd:g} {self.seed}"


@dataclass(frozen=True)
class Caught:
    """One loop under one rule. `minutes` till it was confirmed, `heard` till it was suspected or confirmed (None:
    never within a day); `usd`: its own cost till it was confirmed, or of a day. `days`: of spend that the rule knew.
    """

    attack: str
    usd_per_hour: int
    minutes: int | None
    heard: int | None
    usd: float
    days: int

    @property
    def missed(self) -> bool:
        return self.minutes is None or self.minutes > HORIZON

    @property
    def unheard(self) -> bool:
        return self.heard is None or self.heard > HORIZON


@dataclass(frozen=True)
class Leaked:
    """A slow leak under the detector: all that the key spends costs `times` as much, for `LEAK_DAYS`.

    `hours` till it was told, as a leak or otherwise (None: never); `usd`: what it cost by then, or in all.
    """

    times: float
    hours: float | None
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
    leaked: list[Leaked] = field(default_factory=list)


def replay(key: Key, reading: Reading) -> list[Outcome]:
    """All rules on one key. Loops only where every minute is read, and the naive rules only in the tuned set."""
    profile = Profile(key.profile, key.monthly_usd, key.seed, key.origin)
    spend = [usd for day in range(key.origin, key.origin + DAYS + 1) for usd in profile.day(day)]
    hourly = _hourly(profile) if reading == "analytics" else ()
    base = key.origin * DAY
    rules: dict[str, Rule] = {"detector": Detector(base, key.budget, hourly, expect=key.expect)}
    attacks: list[Attack] = []
    if reading == "every minute":
        rules["largest days alone"] = Detector(base, key.budget, hourly, LARGEST_DAYS)
        attacks = attacks_on(key, spend) if key.is_attacked else []
    if reading == "every minute" and key.seed <= RARE_AFTER:
        rules |= {
            "3x daily mean": DailyMean(base, key.monthly_usd),
            "EWMA": Ewma(base, key.monthly_usd),
            "burn rate": BurnRate(base, key.monthly_usd),
        }
    return [follow(Outcome(key, name, reading), rule, spend, list(attacks)) for name, rule in rules.items()]


FLEET = 12
"""Keys of a fleet: of each habit in turn, of a twelfth of its dollars."""


def replay_fleet(fleet: Key) -> Outcome:
    """The sum of many keys, judged as the meter judges a workspace's; loops as on a key, spread over all of them."""
    profiles = [
        Profile(PROFILES[i % len(PROFILES)], fleet.monthly_usd / FLEET, 1000 * fleet.seed + i, fleet.origin)
        for i in range(FLEET)
    ]
    days = range(fleet.origin, fleet.origin + DAYS + 1)
    spend = [sum(minute) for day in days for minute in zip(*(one.day(day) for one in profiles), strict=True)]
    rule = Detector(fleet.origin * DAY, None, suspects_only=True)
    attacks = [one for one in attacks_on(fleet, spend) if one.kind == FLAT]
    return follow(Outcome(fleet, "sum of keys", "every minute"), rule, spend, attacks)


def attacks_on(key: Key, spend: Sequence[float]) -> list[Attack]:
    """Five flat loops a rate (one of $20), and of some keys one of each other kind."""
    rng = Random(f"loops {key.name}")
    last = DAYS * DAY - DAY
    starts = [rng.randrange(LEARNING * DAY, last) for _ in range(LOOPS_PER_KEY)]
    flat = [Attack(FLAT, rate, start) for start in starts for rate in LOOP_RATES[1:]]
    flat.append(Attack(FLAT, LOOP_RATES[0], starts[0]))
    others = [
        Attack(kind, rate, ATTACKS[kind].start(rng, spend, LEARNING * DAY, last))
        for kind in ATTACKS
        if kind != FLAT and key.seed % LOOPS_PER_KEY == 1
        for rate in ATTACKS[kind].rates
    ]
    return sorted([*flat, *others], key=lambda attack: attack.start)


def follow(outcome: Outcome, rule: Rule, spend: Sequence[float], attacks: list[Attack]) -> Outcome:
    """The rule's way along the key's spend by minute, with copies of it led along the attacks, which are in order."""
    base = outcome.key.origin * DAY
    before, last_alarm, said = Level.QUIET, -HORIZON, -1
    for i, span, lost in _readings(outcome.reading, outcome.key):
        _try(outcome, rule, spend, base + i, attacks)
        if lost:
            rule.lost(base + i)
            continue
        usd = spend[i] if span == 1 else sum(spend[i - span + 1 : i + 1])
        if not usd and not rule.needs_tick:
            continue
        if isinstance(rule, Detector) and said >= 0 and said <= i < said + 240:
            rule.expected(base + i, usd, span)
            before = Level.QUIET
            continue
        level = rule.tick(base + i, usd, span)
        if isinstance(rule, Detector) and rule.leaks:
            outcome.suspected.append(i)
            outcome.reasons.append(f"day {i // DAY}, leak: {rule.leaks}")
            said = i + 15 if outcome.key.said_expected else said
        if level > before and i - last_alarm > 60:
            (outcome.suspected if level == Level.SUSPECT else outcome.confirmed).append(i)
            if isinstance(rule, Detector):
                outcome.reasons.append(f"day {i // DAY}, {level.name.lower()}: {rule.told}")
                said = i + 15 if outcome.key.said_expected else -1
        if level and not isinstance(rule, Detector):
            last_alarm = i
        before = level
    return outcome


def _try(outcome: Outcome, rule: Rule, spend: Sequence[float], minute: int, attacks: list[Attack]) -> None:
    """Leads copies of the rule along the loops and leaks that begin now."""
    base = outcome.key.origin * DAY
    while attacks and attacks[0].start <= minute - base:
        outcome.caught.append(_attack(rule.copy(), spend, base, attacks.pop(0)))
    tried = outcome.key.is_attacked and outcome.reading == "every minute" and outcome.rule == "detector"
    if tried and minute - base == LEAK_FROM * DAY and isinstance(rule, Detector):
        outcome.leaked = [_leak(rule.copy(), spend, base, times) for times in LEAK_TIMES]


def _attack(rule: Rule, spend: Sequence[float], base: int, attack: Attack) -> Caught:
    days = rule.days_of_spend
    cost, heard = 0.0, None
    for i in range(attack.start, min(attack.start + DAY, len(spend))):
        usd = attack.usd(base, i, spend[i])
        cost += usd
        level = rule.tick(base + i, spend[i] + usd, 1)
        if level and heard is None:
            heard = i - attack.start + 1
        if level == Level.CONFIRM:
            return Caught(attack.kind, attack.usd_per_hour, i - attack.start + 1, heard, cost, days)
    return Caught(attack.kind, attack.usd_per_hour, None, heard, cost, days)


def _leak(rule: Detector, spend: Sequence[float], base: int, times: float) -> Leaked:
    cost, first = 0.0, LEAK_FROM * DAY
    for i in range(first, first + LEAK_DAYS * DAY):
        if spend[i] or rule.needs_tick:
            cost += spend[i] * (times - 1)
            if rule.tick(base + i, spend[i] * times, 1) or rule.leaks:
                return Leaked(times, (i - first) / 60, cost)
    return Leaked(times, None, cost)


def _readings(reading: Reading, key: Key) -> Iterator[tuple[int, int, bool]]:
    """(minute, minutes it covers, whether their spend is lost for good)."""
    if reading in ("every minute", "analytics"):
        days = LEARNING if reading == "analytics" else DAYS
        yield from ((i, 1, False) for i in range(days * DAY))
        return
    rng = Random(f"{reading} {key.name}")
    i = 0
    while i < DAYS * DAY - 1500:
        if reading == "thinned":
            minutes = rng.randint(60, 360)
            yield from ((i + k, 1, False) for k in range(minutes))
            i += minutes
            readings = rng.randint(12, 120)
            yield from ((i + 5 * k + 4, 5, False) for k in range(readings))
            i += 5 * readings
        else:
            minutes = rng.randint(60, 720)
            yield from ((i + k, 1, False) for k in range(minutes))
            gap = rng.choice((2, 4, 7, 15, 40, 120, 360, 1500))
            i += minutes + gap
            yield i - 1, gap, rng.random() < 0.2


def _hourly(profile: Profile) -> list[tuple[int, float]]:
    """The 28 days before, as analytics gives them."""
    days = {day: profile.day(day) for day in range(profile.origin - LEARNING, profile.origin)}
    hours = [(day * 24 + h, sum(usd[h * 60 : h * 60 + 60])) for day, usd in days.items() for h in range(24)]
    return [hours[0], *((hour, usd) for hour, usd in hours[1:] if usd)]
