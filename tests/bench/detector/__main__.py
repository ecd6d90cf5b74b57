"""Prints how the runaway detector does against eight habits, beside the naive rules, and writes build/detector.json.

Exits with 1 when a required figure is missed. The seeds decide traffic, loops and gaps: a run can be repeated.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from multiprocessing import Pool
from pathlib import Path

from sandbox.traffic import PROFILES
from tests.bench.detector.figures import Row, as_json, requirements, row
from tests.bench.detector.replay import DAYS, HORIZON, LEARNING, LOOPS_PER_KEY, Key, Outcome, Reading, replay

OUTPUT = Path("build/detector.json")
READINGS: tuple[Reading, ...] = ("every minute", "thinned", "gaps", "analytics")
_HEAD = f"{'':34}{'keys':>5}{'false':>7}{'susp./':>8}  {'$100/h loop':^35}  {'$500/h loop':^35}\n" + (
    f"{'':34}{'':5}{'conf.':>7}{'key mo.':>8}" + f"  {'min':>6}{'p95':>6}{'missed':>9}{'$ lost':>7}{'p95':>7}" * 2
)


def main() -> int:
    """The report. 0: every required figure holds."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.detector", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="keys per profile and scale (default 5)")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--scales", type=float, nargs="+", default=[5, 50, 500, 5000], help="USD a month")
    arguments = parser.parse_args()
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    keys = [Key(profile, usd, seed) for usd in arguments.scales for profile in PROFILES for seed in seeds]
    started = time.monotonic()
    outcomes = _replay_all([(key, reading) for reading in READINGS for key in keys])
    report = _report(outcomes, arguments.scales)
    report |= {"seeds": list(seeds), "scales": arguments.scales, "seconds": round(time.monotonic() - started, 1)}
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\n{OUTPUT} written, {report['seconds']} s")
    return 0 if report["holds"] else 1


def _replay_all(jobs: Sequence[tuple[Key, Reading]]) -> list[Outcome]:
    """All of it on all processors, the dearest keys first, with a line of progress."""
    outcomes: list[Outcome] = []
    jobs = sorted(jobs, key=lambda job: -job[0].monthly_usd)
    shown = 0
    with Pool() as pool:
        for done, some in enumerate(pool.imap_unordered(_job, jobs), start=1):
            outcomes += some
            if done * 20 // len(jobs) > shown:
                shown = done * 20 // len(jobs)
                print(f"\r{done} of {len(jobs)} keys' {DAYS} days replayed", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return outcomes


def _job(job: tuple[Key, Reading]) -> list[Outcome]:
    return replay(*job)


def _report(outcomes: Sequence[Outcome], scales: Sequence[float]) -> dict[str, object]:
    minutely = [one for one in outcomes if one.reading == "every minute"]
    own = [one for one in minutely if one.rule == "detector"]
    rules = [
        row(rule, [one for one in minutely if one.rule == rule]) for rule in dict.fromkeys(o.rule for o in minutely)
    ]
    by_profile = [row(name, [one for one in own if one.key.profile == name]) for name in PROFILES]
    by_scale = [row(f"${usd:,.0f} a month", [one for one in own if one.key.monthly_usd == usd]) for usd in scales]
    readings = [row(reading, [one for one in outcomes if one.reading == reading]) for reading in READINGS[1:]]
    print(
        f"Days {LEARNING} to {DAYS}, a beat a minute; {LOOPS_PER_KEY} loops a key and rate, missed after {HORIZON} min."
    )
    print("Minutes and dollars: median and 95th percentile of all loops, missed ones included.\n")
    print(_HEAD)
    for title, rows in (("", rules), ("The detector by profile", by_profile), ("by what the key spends", by_scale)):
        print(f"\n{title}" if title else "", end="\n" if title else "")
        for one in rows:
            print(_line(one))
    print("\nThe same keys, read every 5 minutes for hours; with readings missing or lost")
    for one in readings[:-1]:
        print(_line(one))
    first = rules[0]
    known = readings[-1].learning_suspected
    print(f"\nThe first {LEARNING} days, knowing nothing: {first.learning_confirmed} confirmed,", end=" ")
    print(f"{first.learning_suspected:.3f} suspected a key and month; with analytics {known:.3f}\n")
    required = requirements(first, readings)
    for figure in required:
        value = "never" if figure.value is None else round(figure.value, 3)
        print(f"{'holds ' if figure.holds else 'MISSED'} {figure.name}: {value} (at most {figure.at_most})")
    return {
        "holds": all(figure.holds for figure in required),
        "required": [asdict(figure) | {"holds": figure.holds} for figure in required],
        "rules": [as_json(one) for one in rules],
        "detector_by_profile": [as_json(one) for one in by_profile],
        "detector_by_scale": [as_json(one) for one in by_scale],
        "detector_by_reading": [as_json(one) for one in readings],
        "alarms": [
            f"{one.key.profile}, ${one.key.monthly_usd:,.0f} a month, seed {one.key.seed}, {one.reading}: {reason}"
            for one in outcomes
            for reason in one.reasons
        ],
    }


def _line(one: Row) -> str:
    text = f"{one.rule:34}{one.keys:5}{one.confirmed:7}{one.suspected:8.3f}"
    for caught in one.caught.values():
        middle, late = (f"{'never' if m is None else round(m):>6}" for m in (caught.minutes_median, caught.minutes_p95))
        text += f"  {middle}{late}{caught.missed:5}/{caught.loops:<4}{caught.usd_median:6.0f}{caught.usd_p95:7.0f}"
    return text


if __name__ == "__main__":
    sys.exit(main())
