"""Prints how the runaway detector does beside the rule that it replaced and naive ones; writes build/detector.json.

Constants were fixed on the tuned set: eight habits, seeds 1 to 5. What is required is judged on another: the same
habits under other seeds and at other times of the year, and nine habits more. Exits with 1 when a required figure is
missed. The seeds decide traffic, loops and gaps: a run can be repeated. One that was interrupted goes on where it was.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from multiprocessing import Pool
from pathlib import Path

from sandbox.traffic import PROFILES, RARE_PROFILES
from tests.bench.detector.attacks import ATTACKS, FLAT
from tests.bench.detector.figures import Requirement, Row, as_json, leaks_by_times, row, sums_by_size
from tests.bench.detector.finished import Finished, Job
from tests.bench.detector.replay import (
    DAYS,
    FLEET,
    HORIZON,
    LEARNING,
    LOOPS_PER_KEY,
    RARE_AFTER,
    Key,
    Outcome,
    Reading,
    replay,
    replay_fleet,
)
from tests.bench.detector.required import APART, CALENDAR, requirements

OUTPUT = Path("build/detector.json")
FLEETS = (600.0, 6000.0)
"""USD a month, of the keys of a fleet together."""
READINGS: tuple[Reading, ...] = ("every minute", "thinned", "gaps", "analytics")
_COLUMNS = f"  {'min':>6}{'p95':>6}{'missed':>10}{'unheard':>8}{'$ 24 h':>7}{'p95':>7}"
_HEAD = f"{'':34}{'keys':>5}{'false':>7}{'susp./':>8}  {'$100/h loop':^44}  {'$500/h loop':^44}\n" + (
    f"{'':34}{'':5}{'conf.':>7}{'key mo.':>8}" + _COLUMNS * 2
)


def main() -> int:
    """The report. 0: every required figure holds."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.detector", description=__doc__)
    parser.add_argument("--tuned", type=int, default=5, help="keys per habit and scale in the tuned set (default 5)")
    parser.add_argument("--judged", type=int, default=5, help="the same of the judged set (default 5; 20 take hours)")
    parser.add_argument("--scales", type=float, nargs="+", default=[5, 50, 500, 5000], help="USD a month")
    arguments = parser.parse_args()
    tuned = range(1, arguments.tuned + 1)
    judged = range(RARE_AFTER + 1, RARE_AFTER + 1 + arguments.judged)
    keys = [Key(name, usd, seed) for usd in arguments.scales for name in PROFILES for seed in (*tuned, *judged)]
    keys += [Key(name, usd, seed) for usd in arguments.scales for name in RARE_PROFILES for seed in judged]
    jobs = [(key, reading) for reading in READINGS for key in keys]
    jobs += [(replace(key, said_expected=True), "every minute") for key in keys if key.profile in APART]
    jobs += [(replace(key, declared=True), "every minute") for key in keys if key.profile in CALENDAR]
    fleets = [Key("fleet", usd, seed) for usd in FLEETS for seed in judged]
    started = time.monotonic()
    outcomes = _replay_all(jobs, Finished(OUTPUT))
    with Pool() as pool:
        sums = pool.map(replay_fleet, fleets)
    report = _report(outcomes, sums, arguments.scales)
    report |= {"scales": arguments.scales, "seconds": round(time.monotonic() - started, 1)}
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\n{OUTPUT} written, {report['seconds']} s")
    return 0 if report["holds"] else 1


def _replay_all(jobs: Sequence[Job], finished: Finished) -> list[Outcome]:
    """All of it on all processors, the dearest keys first, with a line of progress."""
    left = sorted((job for job in jobs if job not in finished.outcomes), key=lambda job: -job[0].monthly_usd)
    shown = -1
    with Pool() as pool:
        for done, (job, outcomes) in enumerate(pool.imap_unordered(_job, left), start=len(jobs) - len(left) + 1):
            finished.add(job, outcomes)
            if done * 100 // len(jobs) > shown:
                shown = done * 100 // len(jobs)
                print(f"\r{done} of {len(jobs)} keys' {DAYS} days replayed", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return [outcome for job in jobs for outcome in finished.outcomes[job]]


def _job(job: Job) -> tuple[Job, list[Outcome]]:
    return job, replay(*job)


def _report(outcomes: Sequence[Outcome], fleets: Sequence[Outcome], scales: Sequence[float]) -> dict[str, object]:
    print(f"Days {LEARNING} to {DAYS}, a reading a minute; {LOOPS_PER_KEY} flat loops a key and rate.")
    print(f"Missed: not confirmed after {HORIZON} min. Minutes and dollars: of all loops, missed ones included.\n")
    print(_HEAD)
    sets: dict[str, list[Row]] = {}
    judged = [one for one in outcomes if one.key.seed > RARE_AFTER]
    plain = [one for one in judged if one.key.profile in PROFILES and one.reading == "every minute"]
    own = [one for one in plain if one.rule == "detector"]
    tuned = [one for one in outcomes if one.key.seed <= RARE_AFTER and one.reading == "every minute"]
    rare = [one for one in judged if one.key.profile in RARE_PROFILES and one.rule == "detector"]
    now = [one for one in rare if one.reading == "every minute"]
    sets["The tuned set"] = _by_rule(tuned)
    sets["The judged set"] = _by_rule(plain)
    sets["The detector by habit"] = [row(name, [o for o in own if o.key.profile == name]) for name in PROFILES]
    sets["by what the key spends"] = [
        row(f"${usd:,.0f} a month", [one for one in own if one.key.monthly_usd == usd]) for usd in scales
    ]
    sets["Rare habits"] = [
        row(name, [o for o in now if o.key.profile == name and not o.key.is_explained]) for name in RARE_PROFILES
    ]
    sets["the same, and a person presses Expected"] = [
        row(name, [o for o in now if o.key.profile == name and o.key.said_expected]) for name in APART
    ]
    sets["the same, declared in the policy"] = [
        row(name, [o for o in now if o.key.profile == name and o.key.declared]) for name in CALENDAR
    ]
    sets["Other loops"] = [row(kind, own, kind) for kind in ATTACKS if kind != FLAT]
    sets["Read every 5 minutes for hours; with readings missing or lost; with analytics"] = [
        row(reading, [o for o in judged if o.reading == reading and o.key.profile not in APART])
        for reading in READINGS[1:]
    ]
    for title, rows in sets.items():
        print(f"\n{title}")
        for one in rows:
            print(_line(one))
    leaks = leaks_by_times(own)
    print("\nSlow leaks on the judged set's eight habits: heard within ten days, hours and dollars at the median")
    for leak in leaks:
        print(f"  {leak.times:g} times: {leak.heard}/{leak.leaks}, {leak.hours_median} h, ${leak.usd_median:,.0f}")
    sums = sums_by_size(fleets)
    print(
        f"\nSums of {FLEET} keys, suspected only: suspicions a sum and month; spread loops heard, minutes at the median"
    )
    for one_sum in sums:
        said = ", ".join(f"${rate}/h {n}/{of} {minutes}" for rate, (n, of, minutes) in one_sum.heard.items())
        print(f"  ${one_sum.monthly_usd:,.0f} a month: {one_sum.suspected:.3f}; {said}")
    required = requirements(judged)
    required.append(Requirement("suspected a sum of keys and month", row("", fleets).suspected, 0.05))
    print()
    for figure in required:
        value = "never" if figure.value is None else round(figure.value, 3)
        print(f"{'holds ' if figure.holds else 'MISSED'} {figure.name}: {value} (at most {figure.at_most})")
    return {
        "holds": all(figure.holds for figure in required),
        "required": [asdict(figure) | {"holds": figure.holds} for figure in required],
        "sets": {title: [as_json(one) for one in rows] for title, rows in sets.items()},
        "leaks": [asdict(leak) for leak in leaks],
        "sums": [asdict(one) for one in sums],
        "alarms": _alarms(outcomes),
    }


def _by_rule(outcomes: Sequence[Outcome]) -> list[Row]:
    rules = dict.fromkeys(one.rule for one in outcomes)
    return [row(rule, [one for one in outcomes if one.rule == rule]) for rule in rules]


def _alarms(outcomes: Iterable[Outcome]) -> list[str]:
    return [
        f"{one.key.name}, {one.rule}, {one.reading}{one.key.explained}: {reason}"
        for one in outcomes
        for reason in one.reasons
    ]


def _line(one: Row) -> str:
    text = f"{one.rule:34}{one.keys:5}{one.confirmed:7}{one.suspected:8.3f}"
    for rate, caught in one.caught.items():
        if rate == 20:
            continue
        middle, late = (f"{'never' if m is None else round(m):>6}" for m in (caught.minutes_median, caught.minutes_p95))
        missed = f"{caught.missed}/{caught.loops}"
        text += f"  {middle}{late}{missed:>10}{caught.unheard:8}{caught.usd_median:7.0f}{caught.usd_p95:7.0f}"
    return text


if __name__ == "__main__":
    sys.exit(main())
