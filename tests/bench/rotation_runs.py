"""Rotations in bulk, end to end, against a script on the vendor's SDK that creates and deletes, one after another.

End to end: Secrets Manager's four steps for each, and, a day and a week of OpenRouter's time later, the runs that
disable, detach and delete the old keys. The shipped functions run over the simulator; AWS answers without latency. The
workloads are as Governor has run them for a while: each has its row and its key, with a cap and a guardrail.
"""

import multiprocessing
import re
import time
from collections import Counter, deque
from collections.abc import Callable
from ctypes import c_double
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.openrouter.simulator import Simulator
from tests.bench.figures import Figure
from tests.bench.rotation_containers import CAP, Cost, Declared, Share, consume

MANAGEMENT_KEY = "sk-or-v1-fake-bench"
START = datetime(2026, 5, 11, 2, 0, tzinfo=UTC)
LEAST = (
    "lower the old key's limit",
    "POST the new key",
    "assign its guardrail",
    "GET /key with it",
    "disable the old key",
    "unassign its guardrail",
    "DELETE it",
    "give the new key the whole cap",
)
"""What no rotation that keeps cap and guardrail can do without, one request each and nothing read back."""
TAIL = (timedelta(hours=26), timedelta(hours=2), timedelta(days=8), timedelta(days=30))
"""The time that passes before each run."""
_STEPS, ALL = "steps", "all"


@dataclass(frozen=True)
class Load:
    """What is rotated, and how. `latency`: seconds that OpenRouter takes to answer, beside its processor time.

    `spent`: USD of the month's cap that each key has spent. `containers`: rotations at once. `pace`: requests a second
    (None: no limit); then all containers are one process, since the local AWS, and in it the account's pace, is a
    process's own.
    """

    workloads: int
    latency: float = 0.05
    pace: float | None = None
    containers: int = 8
    spent: float = 0.0
    profiled: bool = False

    @property
    def processes(self) -> int:
        return 1 if self.pace or self.containers < 4 else 4

    @property
    def workspaces(self) -> int:
        return max(1, self.workloads // 100)

    def __str__(self) -> str:
        pace = f"{self.pace:g} a second" if self.pace else "no pace"
        spent = f", ${self.spent:g} spent" if self.spent else ""
        return f"{self.workloads:,} workloads, {self.latency * 1000:g} ms, {pace}, {self.containers} at once{spent}"


@dataclass
class Phase:
    """The steps, or one run. `far`: processor seconds of the simulator and its web server; `bench`: of what tells the
    containers what to do."""

    far: float
    bench: float
    requests: int
    cost: Cost


@dataclass
class Outcome:
    """Seconds until every workload had its new key (`steps`) and until every old key was gone (`all`); requests by kind
    and processor seconds likewise."""

    load: Load
    seconds: dict[str, float] = field(default_factory=lambda: {_STEPS: 0.0, ALL: 0.0})
    asked: dict[str, Counter[str]] = field(default_factory=lambda: {_STEPS: Counter(), ALL: Counter()})
    simulator: float = 0.0
    product: float = 0.0
    aws: float = 0.0
    script: float = 0.0
    script_processor: float = 0.0
    phases: list[Phase] = field(default_factory=list)

    def requests(self, part: str = ALL) -> float:
        """Of one rotation."""
        return self.asked[part].total() / self.load.workloads

    @property
    def bound(self) -> float:
        """Seconds below which the steps cannot be at this pace; without one, at this latency and so many at once."""
        asked = self.asked[_STEPS].total()
        return asked / self.load.pace if self.load.pace else asked * self.load.latency / self.load.containers

    def row(self) -> str:
        each = 1000 / self.load.workloads
        cells = [
            f"{self.load.workloads:,}{' spent' if self.load.spent else ''}",
            f"{self.load.latency * 1000:g} ms",
            f"{self.load.pace:g}/s" if self.load.pace else "none",
            f"{self.load.containers}",
            f"{self.requests(_STEPS):.2f}",
            f"{self.requests():.2f}",
            f"{self.seconds[_STEPS]:.1f}",
            f"{self.bound:.1f}",
            f"{self.seconds[ALL]:.1f}",
            f"{self.script:.1f}" if self.script else "",
            f"{self.product * each:.0f}",
            f"{self.aws * each:.0f}",
            f"{self.simulator * each:.0f}",
        ]
        return f"| {' | '.join(cells)} |"


COLUMNS = (
    "workloads", "latency", "pace", "at once", "requests, steps", "requests, all", "seconds, steps", "bound",
    "seconds, all", "script", "ms product", "ms local AWS", "ms simulator",
)  # fmt: skip
HEADER = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|"


def measure(say: Callable[[str], None]) -> list[Figure]:
    """The script's ratios are shown and have no limit: the script keeps no cap, no guardrail and no overlap.

    Requests are those of the load with a pace, which one retirement tends, as in AWS: where four processes share the
    work, each reads the lists.
    """
    fast, paced = run(Load(1_000), say, script=True), run(Load(100, pace=20, containers=5), say)
    return [
        Figure("1,000 rotations: new keys / the script", fast.seconds[_STEPS], fast.script, "s"),
        Figure("1,000 rotations: old keys gone too / the script", fast.seconds[ALL], fast.script, "s"),
        Figure("requests a rotation in bulk / the least", paced.requests(), len(LEAST), "requests", 12 / len(LEAST)),
        Figure("seconds at 20 a second / requests at that pace", paced.seconds[_STEPS], paced.bound, "s", 1.15),
    ]


def run(load: Load, say: Callable[[str], None], *, script: bool = False) -> Outcome:
    """Rotates them all, and, where asked, has the script create and delete as many keys afterwards."""
    offset = multiprocessing.get_context("spawn").Value(c_double, START.timestamp() - time.time())
    simulator = Simulator(MANAGEMENT_KEY, clock=lambda: time.time() + offset.value, credits=1e9)
    outcome = Outcome(load)
    with simulator.serve() as base_url:
        simulator.requests = deque()  # without the usual bound: all are counted
        declared = _founded(simulator, load)
        say(f"{load} rotated")
        _rotated(simulator, base_url, declared, offset, outcome)
        left = [key for key in simulator.organization.keys if key.name.startswith("prod-")]
        assert len(left) == load.workloads, f"{len(left)} keys are left"
        assert all(key.limit == CAP for key in left), "a cap is not whole"
        if script:
            say(f"{load.workloads:,} keys created and deleted by a script on the vendor's SDK")
            outcome.script, outcome.script_processor = _script(simulator, base_url, load.latency)
    return outcome


def _founded(simulator: Simulator, load: Load) -> list[Declared]:
    """The workloads by workspace, each with a key under a guardrail."""
    organization, declared = simulator.organization, []
    for place in range(load.workspaces):
        slug = f"team-{place}"
        organization.create_workspace(slug, slug)
        guardrail = organization.create_guardrail("production", slug, limit_usd=CAP, reset_interval="monthly")
        for number in range(place, load.workloads, load.workspaces):
            name = f"prod-agent-{number}"
            key, plaintext = simulator.create_key(name, workspace=slug, limit=CAP, limit_reset="monthly")
            organization.assign(guardrail, [key.hash])
            if load.spent:
                simulator.spend(key.hash, load.spent)
            declared.append(Declared(name, slug, key.hash, plaintext))
    return declared


def _rotated(simulator: Simulator, base_url: str, declared: list[Declared], offset: Any, outcome: Outcome) -> None:
    load, context = outcome.load, multiprocessing.get_context("spawn")
    consumers: list[tuple[Any, Any]] = []
    size = -(-len(declared) // load.processes)
    for start in range(0, len(declared), size):
        ours, theirs = context.Pipe()
        containers = max(1, load.containers // load.processes)
        share = Share(
            base_url, MANAGEMENT_KEY, tuple(declared[start : start + size]), containers, load.pace, load.profiled
        )
        consumer = context.Process(target=consume, args=(theirs, share, offset), daemon=True)
        consumer.start()
        theirs.close()  # so that a consumer that died is an end of its pipe, and not a wait
        consumers.append((consumer, ours))
    for _, pipe in consumers:
        assert pipe.recv() == "ready"
    simulator.latency = load.latency
    for number, later in enumerate((timedelta(), *TAIL)):
        offset.value += later.total_seconds()
        simulator.requests.clear()
        began, used, own = time.monotonic(), time.process_time(), time.thread_time()
        for _, pipe in consumers:
            pipe.send("tend" if number else "rotate")
        costs = [pipe.recv() for _, pipe in consumers]
        seconds, asked = time.monotonic() - began, Counter(map(_kind, simulator.requests))
        own = time.thread_time() - own
        far = time.process_time() - used - own
        outcome.phases += [Phase(far, own, asked.total(), costs[0])] if len(costs) == 1 else []
        outcome.simulator += far + own
        outcome.product += sum(cost.process - cost.aws for cost in costs)
        outcome.aws += sum(cost.aws for cost in costs)
        for part in (_STEPS, ALL)[min(number, 1) :]:
            outcome.seconds[part] += seconds
            outcome.asked[part] += asked
    simulator.latency = 0.0
    for consumer, pipe in consumers:
        pipe.send("end")
        consumer.join()
        pipe.close()


def _kind(request: Any) -> str:
    """Method and path, ids left out."""
    path = request.path.partition("?")[0].removeprefix("/api/v1")
    return f"{request.method} {re.sub(r'/([0-9a-f]{64}|[0-9a-f]{8}-[0-9a-f-]{27})', '/{id}', path)}"


def _script(simulator: Simulator, base_url: str, latency: float) -> tuple[float, float]:
    """Seconds, its own processor's too, of what a short script would do: no cap, no guardrail, no proof, no overlap."""
    from openrouter import OpenRouter

    old = [key for key in simulator.organization.keys if key.name.startswith("prod-")]
    simulator.latency = latency
    with OpenRouter(api_key=MANAGEMENT_KEY, server_url=base_url) as client:
        began, used = time.monotonic(), time.thread_time()
        for key in old:
            client.api_keys.create(name=key.name, workspace_id=key.workspace_id)
            client.api_keys.delete(hash=key.hash)
        seconds, used = time.monotonic() - began, time.thread_time() - used
    simulator.latency = 0.0
    return seconds, used
