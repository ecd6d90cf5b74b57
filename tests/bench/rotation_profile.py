"""Whose processor time a rotation takes, and what it would take without the simulator.

Measured: processor seconds, each by the clock of the thread that spends it: the far side (the simulator and its web
server), the local AWS, the product with its libraries, this bench. A second run under a profiler tells by files what
the product's are. OpenRouter answers without latency, one container works: nobody waits and nothing disturbs another,
so that the parts add up to the processes' whole.

Computed: `rotation_model`, with what was measured.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import reduce

from key_retirement.side_by_side import MOST
from sandbox.build import ROOT
from tests.bench.rotation_model import (
    BEAT_SECONDS,
    MEMORY_MB,
    SCRIPT_REQUESTS,
    SHARE,
    Need,
    least_at_once,
    script,
    steps,
    ticks,
    ticks_needed,
)
from tests.bench.rotation_runs import Load, Outcome, Phase, run

TARGET = ROOT / "build" / "rotations-profile.json"
COUNT, LATENCY = 1_000, 0.05
DEFAULT_AT_ONCE, MOST_AT_ONCE = 5, 100
"""`rotations.at_once`: what a policy has that does not say, and the most that it may say."""
AT_ONCE = (DEFAULT_AT_ONCE, 8, 20, 50, MOST_AT_ONCE)
AWS_SECONDS = (0.0, 0.005, 0.01)
"""Assumed: what AWS takes for a call. The bench's local AWS answers at once."""
PARTS = ("product", "far side", "local AWS", "bench", "not told")


def profile(workloads: int, say: Callable[[str], None]) -> str:
    """Measures, writes `build/rotations-profile.json`, and answers with the tables."""
    load = Load(workloads, latency=0.0, containers=1)
    plain = run(load, say, script=True)
    say("the same once more under a profiler")
    owners = _owners(run(Load(workloads, latency=0.0, containers=1, profiled=True), say))
    replaced, gone = _need(plain.phases[:1], workloads), _need(plain.phases[1:], workloads)
    rows, of_script = list(_computed(replaced, gone, plain)), plain.script_processor / workloads
    document = {
        "workloads": workloads,
        "processor_ms_a_rotation": {
            "new keys": _parts(plain.phases[:1], workloads),
            "old keys gone": _parts(plain.phases[1:], workloads),
            "processes": round(1000 * sum(map(_whole, plain.phases)) / workloads, 2),
        },
        "product_by_owner": owners,
        "requests": {"new keys": round(replaced.requests, 3), "old keys gone": round(gone.requests, 3)},
        "aws_calls": {"new keys": round(replaced.calls, 3), "old keys gone": round(gone.calls, 3)},
        "script_processor_ms": round(of_script * 1000, 2),
        "assumptions": _assumptions(),
        "computed": rows,
    }
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(document, indent=2) + "\n")
    return "\n".join([*_shares(plain, workloads), "", *_by_owner(owners), "", *_ratios(rows, replaced, of_script)])


def _assumptions() -> dict[str, float]:
    return {
        "rotations": COUNT,
        "openrouter_seconds_a_request": LATENCY,
        "memory_mb": MEMORY_MB,
        "share_of_a_processor": round(SHARE, 3),
        "seconds_of_a_tick": BEAT_SECONDS,
        "requests_of_the_script": SCRIPT_REQUESTS,
    }


def _whole(phase: Phase) -> float:
    return phase.far + phase.bench + phase.cost.process


def _parts(phases: list[Phase], workloads: int) -> dict[str, float]:
    """Processor milliseconds of one rotation by whose they are; "not told": what no thread's clock saw."""
    cost = [(one.cost.product, one.far, one.cost.aws, one.bench + one.cost.harness, _whole(one)) for one in phases]
    product, far, aws, bench, whole = (1000 * sum(part) / workloads for part in zip(*cost, strict=True))
    told = dict(zip(PARTS, (product, far, aws, bench, whole - product - far - aws - bench), strict=True))
    return {name: round(ms, 2) for name, ms in told.items()}


def _need(phases: list[Phase], workloads: int) -> Need:
    needs = [Need(one.requests, one.cost.calls, one.cost.product) for one in phases]
    total = reduce(Need.__add__, needs)
    return Need(total.requests / workloads, total.calls / workloads, total.processor / workloads)


def _owners(outcome: Outcome) -> dict[str, float]:
    """Shares of the product's time by whose code it is."""
    seconds: Counter[str] = Counter()
    for phase in outcome.phases:
        seconds.update(phase.cost.owners)
    whole = seconds.total()
    return {name: round(own / whole, 3) for name, own in seconds.most_common()}


def _computed(replaced: Need, gone: Need, plain: Outcome) -> Iterator[dict[str, float]]:
    theirs = script(COUNT, LATENCY, plain.script_processor / plain.load.workloads)
    for aws in AWS_SECONDS:
        alone, retiring = (ticks(gone, COUNT, threads, LATENCY, aws) for threads in (1, MOST))
        for at_once in AT_ONCE:
            ours = steps(replaced, COUNT, at_once, LATENCY, aws)
            yield {
                "aws_ms": aws * 1000,
                "at_once": at_once,
                "new_keys_seconds": round(ours, 1),
                "requests_a_second": round(replaced.requests * COUNT / ours, 1),
                "script_seconds": round(theirs, 1),
                "new_keys_ratio": round(ours / theirs, 3),
                "ticks_seconds_in_one_thread": round(alone, 1),
                "ticks_seconds": round(retiring, 1),
                "runs": ticks_needed(retiring),
                "ticks_ratio": round(retiring / theirs, 2),
            }


def _shares(plain: Outcome, workloads: int) -> Iterator[str]:
    yield f"Measured: processor ms of one of {workloads:,} rotations, by whose it is (one container, no latency)."
    yield f"| | {' | '.join(PARTS)} | sum | processes | requests | AWS calls |"
    yield "|---" * (len(PARTS) + 5) + "|"
    named = [("new keys", plain.phases[:1]), ("old keys gone", plain.phases[1:]), ("both", plain.phases)]
    for name, phases in named:
        parts, need = _parts(phases, workloads), _need(phases, workloads)
        whole = 1000 * sum(map(_whole, phases)) / workloads
        cells = [*(f"{ms:.1f}" for ms in parts.values()), f"{sum(parts.values()):.1f}", f"{whole:.1f}"]
        yield f"| {' | '.join([name, *cells, f'{need.requests:.2f}', f'{need.calls:.1f}'])} |"
    shares = _parts(plain.phases, workloads)
    yield f"| share | {' | '.join(f'{ms / sum(shares.values()):.0%}' for ms in shares.values())} | | | | |"


def _by_owner(owners: dict[str, float]) -> Iterator[str]:
    yield "The product's part by whose code it is, from a run under a profiler (builtins count as their caller's):"
    yield ", ".join(f"{name} {share:.0%}" for name, share in owners.items()) + "."


def _ratios(rows: list[dict[str, float]], replaced: Need, of_script: float) -> Iterator[str]:
    yield (
        f"Computed for Lambda: {COUNT:,} rotations, {LATENCY * 1000:g} ms a request, no pace. Each container has "
        f"{SHARE:.2f} of a processor ({MEMORY_MB:,} MB), as fast as this machine's. The script: {SCRIPT_REQUESTS} "
        f"requests and {of_script * 1000:.1f} ms a key, on a whole processor. Old keys: one container, {MOST} threads."
    )
    columns = (
        "AWS, a call", "at once", "new keys", "requests a second", "script", "ratio",
        "old keys gone, one thread", "old keys gone", "runs filled", "ratio",
    )  # fmt: skip
    yield f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|"
    for row in rows:
        cells = (
            f"{row['aws_ms']:g} ms", f"{row['at_once']}", f"{row['new_keys_seconds']:.1f} s",
            f"{row['requests_a_second']:.0f}", f"{row['script_seconds']:.1f} s", f"{row['new_keys_ratio']:.3f}",
            f"{row['ticks_seconds_in_one_thread']:.0f} s", f"{row['ticks_seconds']:.0f} s",
            f"{row['runs']}", f"{row['ticks_ratio']:.2f}",
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"
    tenth = script(1, LATENCY, of_script) / 10
    least = {aws: least_at_once(replaced, tenth, LATENCY, aws) for aws in AWS_SECONDS}
    told = ", ".join(f"{count} where AWS takes {aws * 1000:g} ms a call" for aws, count in least.items())
    yield f"New keys are at most 0.1 of the script from so many at once on: {told}."
