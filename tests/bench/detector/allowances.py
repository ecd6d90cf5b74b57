"""What an allowance costs and what it saves, by how long it covers and how much it leaves: `python -m ...allowances`.

Two things are played on the judged set, each with the detector's own judgement beside it. The meter is dead from every
second hour on, for as long as the allowance covers: a window in which the habit then asks for more than was left is
refused, and counted apart where a live meter would have suspected something. And each flat loop of $500 an hour runs
for a day, with limits renewed every ten minutes unless the key is suspected: what it costs until it is confirmed, or
has nothing left under a suspicion.
"""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from multiprocessing import Pool

from governor.keys.allowance import GRANTED, MOST
from sandbox.traffic import PROFILES, RARE_PROFILES, Profile
from spend_meter.days import DAY
from spend_meter.history import History
from spend_meter.limits import Level
from spend_meter.needs import LEAST, TIMES, need_usd
from tests.bench.detector.attacks import FLAT, Attack
from tests.bench.detector.replay import DAYS, RARE_AFTER, Key, attacks_on
from tests.bench.detector.rules import Detector

COVERS = (60, 180, 360, 720)
"""Minutes."""
LEFT = (1.0, 2.0, 2.5, TIMES)
"""Times its largest so many hours."""
EVERY, TENDED = 120, 10
RATE = 500
NO_ALLOWANCE = (0, 0.0)
CHOSEN = (360, TIMES)

type Choice = tuple[int, float]
CHOICES: tuple[Choice, ...] = (NO_ALLOWANCE, *((covers, left) for covers in COVERS for left in LEFT))


@dataclass
class Tended:
    """One key's limit, tended every ten minutes, nothing suspected: how often it was set, and minutes of refusals."""

    patches: int = 0
    refused: int = 0
    minutes: int = 0
    _spent: float = 0.0
    _limit: float | None = None

    def minute(self, i: int, usd: float, need: float | None) -> None:
        """A minute of the habit's spend. The first limit is no renewal, and is not counted."""
        self._spent += usd
        if need is None:
            return
        self.minutes += 1
        self.refused += self._limit is not None and self._spent > self._limit
        if i % TENDED == 0 and (self._limit is None or not need <= self._limit - self._spent <= MOST * need):
            self.patches += self._limit is not None
            self._limit = self._spent + GRANTED * need

    def add(self, other: "Tended") -> None:
        self.patches += other.patches
        self.refused += other.refused
        self.minutes += other.minutes


@dataclass
class Played:
    """By choice: windows, those refused though nothing was suspected, those refused besides; dollars of each loop."""

    windows: dict[Choice, int] = field(default_factory=dict)
    refused: dict[Choice, int] = field(default_factory=dict)
    suspected: dict[Choice, int] = field(default_factory=dict)
    usd: dict[Choice, list[float]] = field(default_factory=dict)
    tended: Tended = field(default_factory=Tended)

    def add(self, other: "Played") -> None:
        for mine, theirs in ((self.windows, other.windows), (self.refused, other.refused)):
            for choice, count in theirs.items():
                mine[choice] = mine.get(choice, 0) + count
        for choice, count in other.suspected.items():
            self.suspected[choice] = self.suspected.get(choice, 0) + count
        self.tended.add(other.tended)
        for choice, usd in other.usd.items():
            self.usd.setdefault(choice, []).extend(usd)


def needed(history: History, covers: int, left: float) -> float | None:
    """The need that leaves so many times the largest; None where there is no allowance."""
    usd = need_usd(history, covers) if covers else None
    return None if usd is None else max(LEAST, usd * left / TIMES)


def play(key: Key) -> Played:
    """One key's sixty days, and its loops."""
    profile = Profile(key.profile, key.monthly_usd, key.seed, key.origin)
    spend = [usd for day in range(key.origin, key.origin + DAYS + 1) for usd in profile.day(day)]
    loops = [one for one in attacks_on(key, spend) if one.kind == FLAT and one.usd_per_hour == RATE]
    if key.profile not in PROFILES or not key.is_attacked:
        loops = []
    base, rule, played = key.origin * DAY, Detector(key.origin * DAY, key.budget), Played()
    looks: list[tuple[int, dict[Choice, float]]] = []
    alarms: list[int] = []
    before = Level.QUIET
    for i in range(DAYS * DAY):
        while loops and loops[0].start <= i:
            loop = loops.pop(0)
            for choice in CHOICES:
                played.usd.setdefault(choice, []).append(cost(rule.copy(), spend, base, loop, choice))
        if i % EVERY == 0:
            known = rule.as_of(base + i)
            found = {choice: needed(known, *choice) for choice in CHOICES}
            looks.append((i, {choice: usd for choice, usd in found.items() if usd is not None}))
        played.tended.minute(i, spend[i], looks[-1][1].get(CHOSEN))
        if spend[i] or rule.needs_tick:
            level = rule.tick(base + i, spend[i], 1)
            if level > before:
                alarms.append(i)
            before = level
    _dead(played, spend, looks, alarms)
    return played


def _dead(
    played: Played, spend: Sequence[float], looks: Sequence[tuple[int, Mapping[Choice, float]]], alarms: Sequence[int]
) -> None:
    """What the habit asks for after each look, the meter dead from then on."""
    for i, needs in looks:
        for choice, usd in needs.items():
            covers = choice[0]
            asked = sum(spend[i : i + covers])
            if asked < LEAST / 2:
                continue
            played.windows[choice] = played.windows.get(choice, 0) + 1
            if asked > usd:
                told = any(i - DAY <= at < i + covers + 60 for at in alarms)
                counts = played.suspected if told else played.refused
                counts[choice] = counts.get(choice, 0) + 1


def cost(rule: Detector, spend: Sequence[float], base: int, attack: Attack, choice: Choice) -> float:
    """USD that the loop itself costs within a day."""
    need, total = needed(rule.as_of(base + attack.start), *choice), 0.0
    left = GRANTED * need if need is not None else float("inf")
    for i in range(attack.start, min(attack.start + DAY, len(spend))):
        usd = attack.usd(base, i, spend[i])
        served = min(1.0, left / (usd + spend[i])) if left != float("inf") else 1.0
        total += usd * served
        left -= (usd + spend[i]) * served
        level = rule.tick(base + i, (usd + spend[i]) * served, 1)
        if level == Level.CONFIRM or (level == Level.SUSPECT and left <= 0):
            break
        if i % TENDED == 0 and level == Level.QUIET and (need := needed(rule.as_of(base + i), *choice)) is not None:
            left = GRANTED * need if left < need else left
    return total


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.detector.allowances", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="keys per habit and scale (default 5)")
    parser.add_argument("--scales", type=float, nargs="+", default=[5, 50, 500, 5000], help="USD a month")
    arguments = parser.parse_args()
    seeds = range(RARE_AFTER + 1, RARE_AFTER + 1 + arguments.seeds)
    keys = [
        Key(name, usd, seed)
        for usd in sorted(arguments.scales, reverse=True)
        for name in (*PROFILES, *RARE_PROFILES)
        for seed in seeds
    ]
    together = Played()
    with Pool() as pool:
        for played in pool.imap_unordered(play, keys):
            together.add(played)
    print("\n".join(lines(together)))


def lines(played: Played) -> Iterable[str]:
    """The table, a line a choice."""
    head = f"{'covers':>8}{'times':>7}{'windows':>9}{'refused':>9}{'suspected':>11}"
    yield head + f"{'loops':>7}{'$ 24 h':>10}{'p95':>8}"
    for choice in CHOICES:
        usd = sorted(played.usd.get(choice, []))
        p95 = usd[ceil(0.95 * len(usd)) - 1] if usd else 0.0
        covers, left = choice
        counts = (played.windows.get(choice, 0), played.refused.get(choice, 0), played.suspected.get(choice, 0))
        yield (
            f"{f'{covers // 60} h' if covers else 'none':>8}{left:7.1f}{counts[0]:9}{counts[1]:9}{counts[2]:11}"
            f"{len(usd):7}{sum(usd):10.0f}{p95:8.0f}"
        )
    one, days = played.tended, max(played.tended.minutes / DAY, 1.0)
    yield (
        f"6 h, {TIMES:g} times, the meter alive: {one.patches / days:.2f} PATCHes a key and day, {one.refused} minutes "
        f"of refusals in {days:.0f} key-days"
    )


if __name__ == "__main__":
    main()
