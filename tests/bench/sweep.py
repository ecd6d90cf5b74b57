"""The sweep of 10,000 keys in 20 workspaces, against bare GETs of the same pages and against the vendor's SDK.

A run is everything but AWS: read the account, meter, decide, encode, keep. It is compared with the very requests it
made, made again by `workers/bare.py` at the same concurrency, in turn. Against the simulator a run waits for a far
side that works for its answers, as every run does; against the replay, which costs nothing and waits for nobody, the
meter's own processor time is laid bare.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.bench.far_side import START_MINUTE
from tests.bench.figures import Figure, interleaved
from tests.bench.processes import Far, Worker, far_side

KEYS, WORKSPACES = 10_000, 20
CONCURRENCY = 8
"""The shipped default of `MeterSettings.concurrency`."""
USUAL, ALL = 0.2, 1.0
"""Share of keys whose counters move in a minute."""
SWEEP_LIMIT = 1.3
MEMORY_MB = 256


class Sweeps:
    """A ripe meter and those it is compared with, facing one far side."""

    def __init__(self, far: Far, stack: Path, meter: Worker, bare: Worker) -> None:
        self._far, self._stack, self._meter, self._bare = far, stack, meter, bare
        self._minute = START_MINUTE
        self._targets: list[str] = []
        meter.tell("start", base_url=far.url, concurrency=CONCURRENCY)
        self._tick(meter)
        meter.tell("ripen", minute=self._minute)
        for _ in range(3):
            self.warm(USUAL)
            self.floor()

    @property
    def workspaces(self) -> list[str]:
        """Ids, as the sweep asked for them."""
        queries = (parse_qs(urlsplit(target).query) for target in self._targets)
        return sorted({query["workspace_id"][0] for query in queries if "workspace_id" in query})

    def warm(self, share: float) -> float:
        """Seconds of one more run in the same container."""
        self._next(share)
        return self._tick(self._meter)

    def cold(self, share: float) -> float:
        """Seconds of a run in a new process, which decodes what the last one kept. Imports are not counted."""
        return self.fresh(share)[0]

    def fresh(self, share: float) -> tuple[float, float]:
        """A run in a new process: seconds, and its peak memory in MB."""
        self._next(share)
        kept = self._meter.tell("save")["content"]
        with Worker.shipped("meter.py", self._stack) as worker:
            worker.tell("load", content=kept)
            worker.tell("start", base_url=self._far.url, concurrency=CONCURRENCY)
            seconds = self._tick(worker)
            return seconds, self._peak_mb

    def floor(self) -> float:
        """Seconds of the last run's requests, made bare over connections that are open."""
        return self._get(self._bare)

    def cold_floor(self) -> float:
        """Seconds of the last run's requests, made bare by a new process."""
        with Worker.shipped("bare.py", self._stack) as worker:
            return self._get(worker)

    def _next(self, share: float) -> None:
        """The next minute. The simulator makes anew what has moved when it is first asked: a tenth of a sweep's time,
        which is the far side's work. It has been asked once before either of the compared asks."""
        self._minute += 1
        self._far.move(share, self._minute)
        if self._targets:
            self.floor()
        self._far.asked()

    def _tick(self, worker: Worker) -> float:
        told = worker.tell("tick", minute=self._minute)
        assert (told["outcome"], told["keys_read"], told["api_errors"]) == ("metered", KEYS, 0), told
        self._peak_mb: float = told["peak_mb"]
        asked, _ = self._far.asked()
        self._targets = [target for method, _, target in (one.partition(" ") for one in asked) if method == "GET"]
        assert len(self._targets) == len(asked), "a ripe meter only reads"
        return float(told["seconds"])

    def _get(self, worker: Worker) -> float:
        origin = self._far.url.removesuffix("/api/v1")
        told = worker.tell("get", origin=origin, targets=self._targets, concurrency=CONCURRENCY)
        assert told["answers"] == len(self._targets)
        return float(told["seconds"])


def measure(stack: Path, say: Callable[[str], None]) -> Iterator[Figure]:
    yield from _against_simulator(stack, say)
    yield from _against_replay(stack, say)


def _against_simulator(stack: Path, say: Callable[[str], None]) -> Iterator[Figure]:
    say(f"seeding the simulator: {KEYS:,} keys in {WORKSPACES} workspaces")
    with (
        far_side(KEYS, WORKSPACES, "simulator") as far,
        Worker.shipped("meter.py", stack) as meter,
        Worker.shipped("bare.py", stack) as bare,
    ):
        sweeps = Sweeps(far, stack, meter, bare)
        warm = partial(sweeps.warm, USUAL)
        say("warm, the simulator")
        yield _against_bare("simulator, warm, 20% of keys moved", SWEEP_LIMIT, 15, warm, sweeps.floor)
        say("warm, the simulator at 50 ms a request")
        far.latency(0.05)
        yield _against_bare("simulator at 50 ms a request, warm, 20% of keys moved", SWEEP_LIMIT, 5, warm, sweeps.floor)


def _against_replay(stack: Path, say: Callable[[str], None]) -> Iterator[Figure]:
    say("seeding the replay")
    with (
        far_side(KEYS, WORKSPACES, "replay") as far,
        Worker.shipped("meter.py", stack) as meter,
        Worker.shipped("bare.py", stack) as bare,
        Worker.developer("vendor.py") as vendor,
    ):
        sweeps = Sweeps(far, stack, meter, bare)
        warm, cold = partial(sweeps.warm, USUAL), partial(sweeps.cold, USUAL)
        say("warm, the replay")
        yield _against_bare("replay without latency, warm, 20% of keys moved", None, 15, warm, sweeps.floor)
        say("cold")
        yield _against_bare("replay without latency, cold, 20% of keys moved", None, 7, cold, sweeps.cold_floor)
        say("all keys moved")
        all_moved = partial(sweeps.warm, ALL)
        yield _against_bare("replay without latency, warm, all keys moved", None, 5, all_moved, sweeps.floor)

        say("the vendor's SDK")
        vendor.tell("start", base_url=far.url)
        ids = sweeps.workspaces

        def listed() -> float:
            told = vendor.tell("list", workspaces=ids, concurrency=CONCURRENCY)
            assert told["keys_read"] == KEYS
            return float(told["seconds"])

        yield Figure("sweep against the vendor's SDK: replay without latency", *interleaved(3, warm, listed), "s")
        say("peak memory")
        yield Figure("peak memory of a cold run", sweeps.fresh(USUAL)[1], MEMORY_MB, "MB", 1.0)


def _against_bare(
    name: str, limit: float | None, pairs: int, ours: Callable[[], float], floor: Callable[[], float]
) -> Figure:
    return Figure(f"sweep against bare GETs: {name}", *interleaved(pairs, ours, floor), "s", limit)
