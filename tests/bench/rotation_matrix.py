"""Rotations at three latencies, three paces, four sizes: against the script, and against their requests at that pace.

What takes about a minute is measured. The rest is computed by `rotation_model` from requests, calls and processor time
that were measured of `BASES` workloads: beyond a hundred each further hundred has a workspace of its own, so that a
rotation asks no more and no less. Dollars are those of the functions and of the AWS calls that they made.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.cost.bill import Prices
from tests.bench.rotation_model import Need, script, steps
from tests.bench.rotation_runs import Load, Outcome, run

SIZES, LATENCIES, PACES = (10, 100, 1_000, 10_000), (0.0, 0.05, 0.15), ((5, 2), (20, 5), (100, 20))
"""A pace, and the rotations at once that keep it busy."""
BASES = (10, 100)
MEASURED_SECONDS = 20.0
"""The most that a measured cell waits for its pace in the steps; the runs after them wait as long again."""
PRICES = Path(__file__).with_name("prices-2026-11.json")
UNITS = {"GetItem": (1, 0), "Query": (1, 0), "PutItem": (0, 2), "TransactWriteItems": (0, 8)}
"""Assumed, units of reading and writing: a row of up to 2 KB, two of them in a transaction."""
COLUMNS = (
    "workloads", "latency", "pace", "at once", "requests", "requests / pace", "new keys", "over requests / pace",
    "script", "over script", "how",
)  # fmt: skip


def lines(say: Callable[[str], None]) -> Iterator[str]:
    bases = {size: run(Load(size, latency=0.0, containers=1), say, script=True) for size in BASES}
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---" * len(COLUMNS) + "|"
    for size in SIZES:
        base = bases[min(size, max(BASES))]
        for latency in LATENCIES:
            for pace, at_once in PACES:
                yield _cell(base, Load(size, latency, pace, at_once), say)
    yield ""
    for size, base in bases.items():
        yield _needs(size, base)


def _cell(base: Outcome, load: Load, say: Callable[[str], None]) -> str:
    assert load.pace
    need = _need(base, 0, 1)
    asked, how = need.requests * load.workloads, "computed"
    seconds = max(asked / load.pace, steps(need, load.workloads, load.containers, load.latency, 0.0))
    if asked / load.pace <= MEASURED_SECONDS and load.workloads <= max(BASES):
        outcome = run(load, say)
        asked, seconds, how = outcome.requests("steps") * load.workloads, outcome.seconds["steps"], "measured"
    theirs = script(load.workloads, load.latency, base.script_processor / base.load.workloads)
    cells = (
        f"{load.workloads:,}", f"{load.latency * 1000:g} ms", f"{load.pace:g}/s", f"{load.containers}", f"{asked:,.0f}",
        f"{asked / load.pace:,.1f} s", f"{seconds:,.1f} s", f"{seconds * load.pace / asked:.2f}", f"{theirs:,.1f} s",
        f"{seconds / theirs:.2f}", how,
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _need(base: Outcome, first: int, last: int | None = None) -> Need:
    """Of one rotation, in these phases of the run."""
    phases, each = base.phases[first:last], 1 / base.load.workloads
    return Need(
        sum(one.requests for one in phases) * each,
        sum(one.cost.calls for one in phases) * each,
        sum(one.cost.product for one in phases) * each,
    )


def _needs(size: int, base: Outcome) -> str:
    replaced, gone = _need(base, 0, 1), _need(base, 1)
    dollars = ", ".join(f"${_dollars(base, latency):.6f} at {latency * 1000:g} ms" for latency in LATENCIES)
    return (
        f"A rotation of {size}: {replaced.requests:.2f} requests, {replaced.calls:.1f} AWS calls and "
        f"{replaced.processor * 1000:.0f} ms of the product's processor time until the new key is in use, "
        f"{gone.requests:.2f}, {gone.calls:.1f} and {gone.processor * 1000:.0f} until the old one is gone; the script: "
        f"2 requests and {base.script_processor * 1000 / size:.0f} ms. {dollars}."
    )


def _dollars(base: Outcome, latency: float) -> float:
    """Of one rotation, its old key's end included: memory for as long as it works alone, and calls."""
    prices, kinds = Prices(json.loads(PRICES.read_text())), Counter[str]()
    for phase in base.phases:
        kinds.update(phase.cost.kinds)
    each = 1 / base.load.workloads
    read, written = (sum(UNITS[name][place] * count for name, count in _of(kinds, "dynamodb")) for place in (0, 1))
    amounts = {
        "lambda_gb_second": _need(base, 0).seconds(latency, 0.0),  # functions of 1,024 MB: a GB
        "lambda_request": 4.0,
        "table_read_unit": read * each,
        "table_write_unit": written * each,
        "secret_call": sum(count for _, count in _of(kinds, "secrets-manager")) * each,
        "custom_event": sum(count for name, count in _of(kinds, "eventbridge") if name == "PutEvents") * each,
    }
    return sum(prices.line("", price, amount).usd for price, amount in amounts.items())


def _of(kinds: Counter[str], service: str) -> list[tuple[str, int]]:
    return [(name.partition(".")[2], count) for name, count in kinds.items() if name.startswith(f"{service}.")]
