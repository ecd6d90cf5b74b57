"""Whether a sharper detector could bound what a loop costs: false alarms beside the dollars of loops, in one table.

`python -m tests.bench.detector.sensitivity` plays the judged set under the detector's own limits and under smaller
ones: every multiple of a habit by which a rule confirms or suspects is taken by the same share. A flat loop of $500 an
hour is led along each, without an allowance and with one as `allowances` plays it.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import ceil
from multiprocessing import Pool

from sandbox.traffic import PROFILES, RARE_PROFILES, Profile
from spend_meter.days import DAY
from spend_meter.limits import LIMITS, Level, Limits
from tests.bench.detector.allowances import CHOSEN, NO_ALLOWANCE, RATE, cost
from tests.bench.detector.attacks import FLAT
from tests.bench.detector.replay import DAYS, HORIZON, RARE_AFTER, Key, attacks_on
from tests.bench.detector.required import APART
from tests.bench.detector.rules import Detector

SHARES = (1.0, 0.7, 0.5, 0.35, 0.25)
"""Of the detector's own multiples."""
SCALES = (5000.0, 500.0, 50.0, 5.0)
"""USD a month, the dearest to play first."""


@dataclass(frozen=True)
class Sharpened:
    """One key's sixty days under one share: its false alarms, and the USD of each loop until it was stopped."""

    share: float
    suspected: int
    confirmed: int
    alone: tuple[float, ...]
    allowed: tuple[float, ...]


def sharpened(share: float) -> Limits:
    """The detector's limits with all multiples of a habit taken by `share`; the floors in dollars stay."""
    return replace(
        LIMITS,
        multiple=tuple(share * each for each in LIMITS.multiple),
        peak=tuple(share * each for each in LIMITS.peak),
        jobs=tuple(share * each for each in LIMITS.jobs),
        month_share=tuple(share * each for each in LIMITS.month_share),
        unusual=share * LIMITS.unusual,
        jobs_on_end=share * LIMITS.jobs_on_end,
        burn=share * LIMITS.burn,
    )


def play(job: tuple[float, Key]) -> Sharpened:
    """One key, and its loops."""
    share, key = job
    profile = Profile(key.profile, key.monthly_usd, key.seed, key.origin)
    spend = [usd for day in range(key.origin, key.origin + DAYS + 1) for usd in profile.day(day)]
    loops = [one for one in attacks_on(key, spend) if one.kind == FLAT and one.usd_per_hour == RATE]
    if key.profile not in PROFILES:
        loops = []
    base = key.origin * DAY
    rule = Detector(base, key.budget, limits=sharpened(share))
    alarms, alone, allowed = {Level.SUSPECT: 0, Level.CONFIRM: 0}, [], []
    before = Level.QUIET
    for i in range(DAYS * DAY):
        while loops and loops[0].start <= i:
            loop = loops.pop(0)
            alone.append(cost(rule.copy(), spend, base, loop, NO_ALLOWANCE))
            allowed.append(cost(rule.copy(), spend, base, loop, CHOSEN))
        if spend[i] or rule.needs_tick:
            level = rule.tick(base + i, spend[i], 1)
            if level > before:
                alarms[level] += 1
            before = level
    return Sharpened(share, alarms[Level.SUSPECT], alarms[Level.CONFIRM], tuple(alone), tuple(allowed))


def lines(played: Iterable[Sharpened]) -> list[str]:
    """The table, a line a share."""
    table = [
        f"{'multiples':>9}{'keys':>6}{'suspected':>11}{'confirmed':>11}{'loops':>7}{'missed':>8}"
        f"{'$ 24 h':>10}{'p95':>7}{'with an allowance':>19}{'p95':>7}"
    ]
    order = sorted(played, key=lambda one: -one.share)
    for share, some in groupby(order, key=lambda one: one.share):
        keys = list(some)
        alone = [usd for one in keys for usd in one.alone]
        allowed = [usd for one in keys for usd in one.allowed]
        missed = sum(usd >= RATE * HORIZON / 60 for usd in alone)
        table.append(
            f"{share:9.2f}{len(keys):6}{sum(one.suspected for one in keys):11}{sum(one.confirmed for one in keys):11}"
            f"{len(alone):7}{missed:8}{sum(alone):10,.0f}{_p95(alone):7,.0f}{sum(allowed):19,.0f}{_p95(allowed):7,.0f}"
        )
    return table


def _p95(usd: Sequence[float]) -> float:
    return sorted(usd)[ceil(0.95 * len(usd)) - 1] if usd else 0.0


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.detector.sensitivity", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="keys per habit and scale (default and most: 5)")
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES, help="of the detector's own multiples")
    arguments = parser.parse_args()
    jobs = [
        (share, Key(name, usd, seed))
        for usd in SCALES
        for share in arguments.shares
        for name in (*PROFILES, *RARE_PROFILES)
        if name not in APART
        for seed in range(RARE_AFTER + 1, RARE_AFTER + 1 + arguments.seeds)
    ]
    with Pool() as pool:
        print("\n".join(lines(pool.imap_unordered(play, jobs))))


if __name__ == "__main__":
    main()
