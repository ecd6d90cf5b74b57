"""A thousand deliveries a second over HTTP through the gateway's handler, for a minute: all counted, none lost.

Processes of their own: a sender over kept connections that keeps to its times (and does not wait for a slow answer to
send the next on another connection); two servers that stand for the function URL and call the gateway's handler, with
its own token and stream code; and the tally behind a pipe. What AWS itself does (TLS, the URL's front, Kinesis) is not
here, and not Governor's share.

The counts are asserted. How long it took by the clock is shown beside who used the processors: on a machine that others
share, that is the machine's news and no limit of Governor's.
"""

import http.client
import json
import os
import random
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governor.broadcast.messages import digest_of
from sandbox.build import ROOT
from tests.bench.figures import Figure
from tests.bench.workers.pushed import NAMES
from tests.unit.broadcast_gateway.otlp import TOKEN, request

A_SECOND, SECONDS, REPEATED, SERVERS, CONNECTIONS = 1_000, 60, 50, 2, 8
HEADERS = {"content-type": "application/json", "x-governor-broadcast": TOKEN}


@dataclass(frozen=True)
class Sent:
    """`wall`: seconds by the clock from the first delivery to the last answer. `sender`, `front`, `handler`, `tally`:
    processor seconds. `late`: the latest that a delivery was sent behind its time, in seconds."""

    deliveries: int
    wall: float
    late: float
    sender: float
    front: float
    handler: float
    tally: float
    counts: dict[str, int]

    @property
    def lost(self) -> int:
        return self.deliveries - sum(self.counts.values())


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """The figures. Raises `AssertionError` where a delivery was refused, lost or counted twice."""
    say(f"{A_SECOND:,} deliveries a second for {SECONDS} s over HTTP")
    sent = load(A_SECOND, SECONDS)
    say(
        f"{sent.deliveries:,} deliveries in {sent.wall:.1f} s by the clock, {sent.deliveries / sent.wall:,.0f} a "
        f"second; sent at most {sent.late:.2f} s late; processor seconds: sender {sent.sender:.1f}, HTTP front "
        f"{sent.front:.1f}, gateway's handler {sent.handler:.1f}, tally {sent.tally:.1f}"
    )
    traffic = float(SECONDS)
    yield Figure("broadcast over HTTP: handler, processor by traffic's seconds", sent.handler, traffic, "s", 1.0)
    yield Figure("broadcast over HTTP: tally, processor by traffic's seconds", sent.tally, traffic, "s", 0.25)
    yield Figure("broadcast over HTTP: sender and front, processor", sent.sender + sent.front, traffic, "s")
    yield Figure("broadcast over HTTP: the clock's seconds by traffic's", sent.wall, traffic, "s")
    yield Figure("broadcast over HTTP: deliveries lost", float(sent.lost), float(sent.deliveries), "deliveries", 0.0)


def load(a_second: int, seconds: int, seed: int = 16) -> Sent:
    """Sends, waits until all is counted, and compares with the truth."""
    with tempfile.TemporaryDirectory() as folder:
        return _load(Path(folder), a_second, seconds, random.Random(seed))


def _load(folder: Path, a_second: int, seconds: int, drawn: random.Random) -> Sent:
    pipe = folder / "stream"
    os.mkfifo(pipe)
    reports = [folder / f"{number}.json" for number in range(SERVERS + 1)]
    ports = [_free_port() for _ in range(SERVERS)]
    workers = [_worker("tally", pipe, reports[-1])]
    workers += [_worker("gateway", port, pipe, report) for port, report in zip(ports, reports, strict=False)]
    try:
        for port in ports:
            _wait_for(port)
        deliveries, truth = _planned(a_second * seconds, drawn)
        began, processor = time.monotonic(), _processor()
        late, statuses = _send(deliveries, ports, a_second * len(deliveries) / (a_second * seconds))
        wall, sender = time.monotonic() - began, _processor() - processor
    finally:
        for one in workers:
            if one.stdin:
                one.stdin.close()
        for one in workers:
            one.wait(timeout=120)
    assert statuses == {200: len(deliveries)}, statuses
    *gateways, tally = [json.loads(one.read_text()) for one in reports]
    handler = sum(one["handler"] for one in gateways)
    assert sum(one["taken"] for one in gateways) == tally["received"] == len(deliveries)
    unique = a_second * seconds
    assert tally["counts"] == {"counted": unique, "repeated": len(deliveries) - unique}
    assert tally["sums"].keys() == truth.keys()
    assert all(abs(tally["sums"][name] - usd) < 1e-6 for name, usd in truth.items())
    assert tally["tips"] == 0
    front = sum(one["process"] for one in gateways) - handler
    return Sent(len(deliveries), wall, late, sender, front, handler, tally["process"], tally["counts"])


def _planned(unique: int, drawn: random.Random) -> tuple[list[tuple[int, str, float]], dict[str, float]]:
    """Number, key's name and USD of each delivery, one in fifty twice; and the sums that must come of them."""
    deliveries: list[tuple[int, str, float]] = []
    truth: dict[str, float] = {}
    for number in range(unique):
        name, usd = NAMES[drawn.randrange(len(NAMES))], round(drawn.expovariate(50), 6)
        truth[digest_of(name)] = truth.get(digest_of(name), 0.0) + usd
        deliveries += [(number, name, usd)] * (2 if (number + 1) % REPEATED == 0 else 1)
    return deliveries, truth


def _send(deliveries: list[tuple[int, str, float]], ports: list[int], a_second: float) -> tuple[float, dict[int, int]]:
    """Each connection takes every eighth delivery at its time. The latest one's lateness, and the statuses."""
    template = json.dumps(request("GENERATION", 0.125, "NAME", 1_790_000_000))
    assert '"doubleValue": 0.125' in template
    lateness, statuses = [0.0] * CONNECTIONS, [dict[int, int]() for _ in range(CONNECTIONS)]
    began = time.monotonic()

    def run(own: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", ports[own % len(ports)], timeout=60)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(own, len(deliveries), CONNECTIONS):
            due, (number, name, usd) = began + at / a_second, deliveries[at]
            wait = due - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            lateness[own] = max(lateness[own], -wait)
            body = template.replace("GENERATION", f"gen-{number}").replace('"NAME"', f'"{name}"')
            body = body.replace("0.125", repr(usd)).replace("1790000000", str(int(time.time())))
            connection.request("POST", "/", body.encode(), HEADERS)
            answer = connection.getresponse()
            answer.read()
            statuses[own][answer.status] = statuses[own].get(answer.status, 0) + 1
        connection.close()

    threads = [threading.Thread(target=run, args=(own,)) for own in range(CONNECTIONS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    every: dict[int, int] = {}
    for some in statuses:
        for status, count in some.items():
            every[status] = every.get(status, 0) + count
    return max(lateness), every


def _worker(*words: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.bench.workers.pushed", *map(str, words)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)


def _wait_for(port: int) -> None:
    for _ in range(1_200):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"no gateway on port {port}")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
