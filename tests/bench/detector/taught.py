"""What a lesson may allow, and what that costs: month-end jobs told again, beside loops at a later month's end.

After *Expected* the same job must not be told again, and it may be several times as large next month. The more a lesson
allows, the more a loop on those days may burn. `python -m tests.bench.detector.taught` prints both for several choices
of `Limits.meant`, on keys on which the lessons were made and on others.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from math import ceil
from multiprocessing import Pool
from random import Random

from sandbox.traffic import Profile
from spend_meter.days import DAY
from spend_meter.limits import LIMITS
from tests.bench.detector.attacks import FLAT, Attack
from tests.bench.detector.replay import DAYS, LEARNING, Caught, Key, Outcome, follow
from tests.bench.detector.rules import Detector

CHOICES = (0.0, 1.0, LIMITS.meant, 2.0, 3.0, 4.0)
"""Multiples of what was meant; 0: *Expected* teaches nothing."""
SETS = {"made on": range(201, 221), "judged": range(101, 121)}
"""Seeds of the keys."""
SCALES = (500.0, 5000.0)
"""USD a month."""
STARTS, RATES = 5, (100, 500)
"""Loops a key, at each rate in USD an hour."""
NEAR = 3
"""A loop begins on one of the last so many days of a later month."""
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Taught:
    """A key's sixty days under one choice. `again`: days on which its job was told after a person said *Expected*."""

    choice: float
    seeds: str
    again: int
    caught: tuple[Caught, ...]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.detector.taught", description=__doc__)
    parser.add_argument("--keys", type=int, default=20, help="keys of each set and scale (default and most: 20)")
    parser.add_argument("--choices", type=float, nargs="+", default=CHOICES, help="multiples of what was meant")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS), help="which seeds")
    parser.add_argument("--scales", type=float, nargs="+", default=SCALES, help="USD a month")
    given = parser.parse_args()
    jobs = [
        (choice, name, Key("month-end job", usd, seed, said_expected=True))
        for choice in given.choices
        for name in given.sets
        for usd in given.scales
        for seed in SETS[name][: given.keys]
    ]
    with Pool() as pool:
        print("\n".join(lines(pool.map(play, jobs, chunksize=1))))


def play(job: tuple[float, str, Key]) -> Taught:
    """One key, whose job a person explains, with loops at its last month's end."""
    choice, name, key = job
    profile = Profile(key.profile, key.monthly_usd, key.seed, key.origin)
    spend = [usd for day in range(key.origin, key.origin + DAYS + 1) for usd in profile.day(day)]
    rule = Detector(key.origin * DAY, key.budget, limits=replace(LIMITS, meant=choice))
    outcome = follow(Outcome(key, "detector", "every minute"), rule, spend, list(_loops(key)))
    told = sorted({minute // DAY for minute in (*outcome.suspected, *outcome.confirmed)})
    return Taught(choice, name, max(len(told) - 1, 0), tuple(outcome.caught))


def _loops(key: Key) -> Iterator[Attack]:
    """Flat ones on the last days of the last whole month, long after the first job was explained.

    None where the sixty days have one month's end only, or the second comes too soon.
    """
    dice = Random(f"month's end {key.name}")
    ends = [day for day in range(LEARNING + NEAR, DAYS - 1) if _is_first(key.origin + day + 1)]
    if not ends:
        return
    last = max(ends)
    starts = sorted(dice.randrange((last - NEAR + 1) * DAY, (last + 1) * DAY) for _ in range(STARTS))
    yield from (Attack(FLAT, rate, start) for start in starts for rate in RATES)


def _is_first(day: int) -> bool:
    return date.fromordinal(_EPOCH + day).day == 1


def lines(played: Sequence[Taught]) -> Iterator[str]:
    """The table, a line a choice and set."""
    yield f"{'allowed':>8}  {'keys':9}{'jobs told again':>16}" + "".join(
        f"{f'${rate}/h missed':>17}{'$ 24 h':>8}{'p95':>7}" for rate in RATES
    )
    order = sorted(played, key=lambda one: (one.choice, one.seeds))
    for (choice, seeds), some in groupby(order, key=lambda one: (one.choice, one.seeds)):
        keys = list(some)
        again = sum(one.again > 0 for one in keys)
        line = f"{choice:8.1f}  {seeds:9}{f'{again} of {len(keys)}':>16}"
        for rate in RATES:
            loops = [loop for one in keys for loop in one.caught if loop.usd_per_hour == rate]
            usd = sorted(loop.usd for loop in loops)
            missed = f"{sum(loop.missed for loop in loops)} of {len(loops)}"
            line += f"{missed:>17}{sum(usd) / len(usd):8,.0f}{usd[ceil(0.95 * len(usd)) - 1]:7,.0f}"
        yield line


if __name__ == "__main__":
    main()
