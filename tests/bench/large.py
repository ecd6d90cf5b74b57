"""The sweep of 100,000 keys in 200 workspaces: whether it fits a run, the function's memory, and what it costs.

OpenRouter answers each request after 50 ms here. What a run takes in Lambda is reckoned from the run that asks most
(every fifth minute reads guardrails and budgets, too) by the rules of `make cost`: its processor time on the function's
share of a vCPU, S3 at 50 MB a second, and requests at the pace that docs/decisions/0059 names for such an account.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from sandbox.build import ROOT
from tests.bench.cost.__main__ import PRICES
from tests.bench.cost.bill import Prices
from tests.bench.cost.invocation import Invocation
from tests.bench.cost.stack import read
from tests.bench.far_side import START_MINUTE
from tests.bench.figures import Figure
from tests.bench.processes import Far, Worker, far_side
from tests.bench.sweep import CONCURRENCY, USUAL

KEYS, WORKSPACES = 100_000, 200
PACE = 50.0
"""Requests a second (`RequestsPerSecond`), for an account of this size."""
LATENCY = 0.05
TICKS = 6
"""One more than the minutes after which guardrails and budgets are read again, so that one of them does."""
TIMEOUT, STATE_BYTES = 55.0, 1_300.0
CALLS = {"s3:GetObject": 1.0, "s3:PutObject": 1.0, "dynamodb:Query": 1.2}


def measure(stack: Path, say: Callable[[str], None]) -> Iterator[Figure]:
    say(f"seeding the replay: {KEYS:,} keys in {WORKSPACES} workspaces")
    template, prices = read(ROOT / "template.yaml"), Prices(json.loads(PRICES.read_text()))
    memory = template.memory_mb["spend_meter"]
    with far_side(KEYS, WORKSPACES) as far, Worker.shipped("meter.py", stack) as meter:
        ticks = Ticks(far, meter)
        say("runs of one container, 50 ms a request")
        warm = [ticks.next(meter) for _ in range(TICKS)]
        say("a run of a new container")
        with Worker.shipped("meter.py", stack) as fresh:
            fresh.tell("load", content=meter.tell("save")["content"])
            fresh.tell("start", base_url=far.url, concurrency=CONCURRENCY)
            cold = ticks.next(fresh)
    named = f"{KEYS:,} keys in {WORKSPACES} workspaces"
    yield Figure(f"{named}: the longest run at 50 ms a request", max(one.seconds for one in warm), TIMEOUT, "s", 1.0)
    yield Figure(f"{named}: a run of a new container", cold.seconds, TIMEOUT, "s", 1.0)
    dearest = max((*warm, cold), key=lambda one: one.asked).invocation
    usual = min(warm, key=lambda one: one.asked).invocation
    yield Figure(
        f"{named}: the dearest run in Lambda at {PACE:g} requests a second",
        dearest.seconds(memory, PACE),
        TIMEOUT,
        "s",
        1.0,
    )
    yield Figure(f"{named}: peak memory", max(one.peak_mb for one in (*warm, cold)), memory, "MB", 1.0)
    yield Figure("what is remembered of a key", usual.kept / KEYS, STATE_BYTES, "bytes", 1.0)
    month = template.ticks("spend_meter")
    at_work = prices.line("Lambda", "lambda_gb_second", month * usual.seconds(memory, PACE) * memory / 1024)
    yield Figure(f"{named}: the meter's computing in a month, against $1", at_work.usd, 1.0, "USD")


class Tick:
    """What one run took. `seconds`: here. `asked`: requests to OpenRouter."""

    def __init__(self, told: dict[str, float], asked: int) -> None:
        self.seconds, self.peak_mb, self.asked = told["seconds"], told["peak_mb"], asked
        self.invocation = Invocation(
            cpu=told["cpu"],
            calls=CALLS,
            printed=0.0,
            lines=0.0,
            asked=asked,
            in_turn=CONCURRENCY,
            kept=told["kept_bytes"],
        )


class Ticks:
    """A month's memory of every key, and the minutes that follow."""

    def __init__(self, far: Far, meter: Worker) -> None:
        self._far, self._minute = far, START_MINUTE
        meter.tell("start", base_url=far.url, concurrency=CONCURRENCY)
        self.next(meter)
        meter.tell("ripen", minute=self._minute)
        far.latency(LATENCY)

    def next(self, worker: Worker) -> Tick:
        self._minute += 1
        self._far.move(USUAL, self._minute)
        self._far.asked()
        told = worker.tell("tick", minute=self._minute)
        assert (told["outcome"], told["keys_read"], told["api_errors"]) == ("metered", KEYS, 0), told
        return Tick(told, len(self._far.asked()[0]))
