"""A thousand deliveries a second through the aggregation: every one counted, none lost, and what they take.

A minute of traffic, 60,000 deliveries of 200 keys in the shape that OpenRouter sends (a root and two children), one
in fifty of them twice. Each goes through the gateway's own path (header, token, OTLP) into a stream in memory. The
tally takes the stream by the second; its state is written to JSON and read between two batches, as Lambda does.

The counts are asserted: what was put is what was counted, and the sums are the costs. The ratio is processor time by
the time the traffic takes: below 1, one processor of this machine sustains it.
"""

import base64
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from broadcast_gateway.decide import admit
from broadcast_gateway.service import Gateway
from broadcast_tally.decide import Tally
from broadcast_tally.service import Counter
from broadcast_tally.settings import Batch
from governor.broadcast.messages import Line, Pushed, Tip, Watch, digest_of
from governor.storage.readings import MemoryReadingStore
from tests.bench.figures import Figure
from tests.unit.broadcast_gateway.otlp import NOW, TOKEN, event, request

A_SECOND, SECONDS, KEYS, REPEATED = 1_000, 60, 200, 50


@dataclass(frozen=True)
class Taken:
    """Processor seconds of the gateway and of the tally; what was delivered, and what the tally counted."""

    gateway: float
    tally: float
    deliveries: int
    counts: dict[str, int]
    record_bytes: float
    state_bytes: int


class _Fits:
    def fits(self, token: str, purpose: str = "token") -> bool:
        return (token, purpose) == (TOKEN, "token")


class _Stream:
    def __init__(self) -> None:
        self.records: list[bytes] = []

    def put(self, pushed: Sequence[Pushed]) -> None:
        self.records += [one.encode() for one in pushed]


class _Meter:
    def __init__(self) -> None:
        self.tips: list[Tip] = []

    def tip(self, tip: Tip) -> None:
        self.tips.append(tip)


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """The figures. Raises `AssertionError` where a delivery was lost or counted twice."""
    say(f"{A_SECOND:,} deliveries a second for {SECONDS} s through the aggregation")
    taken = load(A_SECOND, SECONDS)
    traffic = float(SECONDS)
    yield Figure("broadcast: gateway, processor by traffic's seconds", taken.gateway, traffic, "s", 1.0)
    yield Figure("broadcast: tally, processor by traffic's seconds", taken.tally, traffic, "s", 0.25)
    lost = taken.deliveries - sum(taken.counts.values())
    yield Figure("broadcast: deliveries lost", float(lost), float(taken.deliveries), "deliveries", 0.0)


def load(a_second: int, seconds: int, seed: int = 16) -> Taken:
    """Delivers, counts, and compares with the truth."""
    drawn = random.Random(seed)
    names = [f"prod-workload-{number}" for number in range(KEYS)]
    watch = Watch(0, {digest_of(name): Line(1e9, number % 8, ("a" * 16,)) for number, name in enumerate(names)})
    store, meter, stream = MemoryReadingStore(), _Meter(), _Stream()
    store.put(watch.encode(), None)
    clock = [float(NOW)]
    gateway, counter = Gateway(_Fits(), stream), Counter(store, meter, lambda: clock[0], 1.0, 1, MemoryReadingStore())
    truth: dict[str, float] = {}
    state: dict[str, object] = {}
    spent_gateway = spent_tally = 0.0
    delivered = number = record_bytes = 0
    for second in range(seconds):
        clock[0] = float(NOW + second)
        events = []
        for _ in range(a_second):
            number += 1
            name, usd = names[drawn.randrange(KEYS)], round(drawn.expovariate(50), 6)
            truth[digest_of(name)] = truth.get(digest_of(name), 0.0) + usd
            one = event(request(f"gen-{number}", usd, name, NOW + second))
            events += [one] * (2 if number % REPEATED == 0 else 1)
        began = time.process_time()
        for one in events:
            gateway.take(admit(one))
        spent_gateway += time.process_time() - began
        delivered += len(events)
        records, stream.records = stream.records, []
        record_bytes += sum(map(len, records))
        assert len(records) == len(events)
        payload = json.dumps(
            {
                "Records": [{"kinesis": {"data": base64.b64encode(one).decode()}} for one in records],
                "window": {},
                "state": state,
            }
        )
        began = time.process_time()
        batch = Batch.received(json.loads(payload))
        state = json.loads(json.dumps(counter.count(Tally.decode(batch.state), batch.records).encode()))
        spent_tally += time.process_time() - began
    tally = Tally.decode(state)
    assert tally.counts == {"counted": number, "repeated": delivered - number}
    assert tally.sums.keys() == truth.keys()
    assert all(abs(tally.sums[name] - usd) < 1e-6 for name, usd in truth.items())
    assert meter.tips == []
    return Taken(spent_gateway, spent_tally, delivered, tally.counts, record_bytes / delivered, len(json.dumps(state)))
