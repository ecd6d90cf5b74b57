"""The two ends of `tests.bench.broadcast_http`, each a process of its own.

`gateway PORT PIPE REPORT`: serves HTTP/1.1 as a function URL does, and gives each request to the gateway's own handler
as an event of payload format 2.0. What it puts on the stream goes through the pipe. Writes its processor seconds, those
of its start left out, to REPORT when its input ends.
`tally PIPE REPORT`: takes the pipe by the second, as Lambda hands a shard over, the state written to JSON and read in
between; writes what it counted when the pipe ends.
"""

import asyncio
import base64
import json
import os
import resource
import sys
import threading
import time
from pathlib import Path
from typing import Any
from unittest import mock

import uvicorn

from broadcast_gateway import handler
from broadcast_gateway.service import Gateway
from broadcast_tally.decide import Tally
from broadcast_tally.service import Counter
from broadcast_tally.settings import Batch
from governor.broadcast.header_token import HeaderToken
from governor.broadcast.messages import Line, Tip, Watch, digest_of
from governor.broadcast.stream import PushedStream
from governor.storage.readings import MemoryReadingStore
from tests.unit.broadcast_gateway.otlp import TOKEN

KEYS = 200
NAMES = [f"prod-workload-{number}" for number in range(KEYS)]
TALLY_EVERY = 1.0
"""Seconds between two batches, as the event source mapping has it."""


class Secrets:
    def get_secret_value(self, **_: Any) -> dict[str, str]:
        return {"SecretString": json.dumps({"token": TOKEN})}


class Pipe:
    """A stream's client whose records go through a pipe. What is written at once is short enough not to be split."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_WRONLY)

    def put_record(self, StreamName: str, Data: bytes, PartitionKey: str) -> None:
        os.write(self._descriptor, Data + b"\n")

    def close(self) -> None:
        os.close(self._descriptor)


class Front:
    """An ASGI application that is the function URL. `handled`: processor seconds within the gateway's handler."""

    def __init__(self) -> None:
        self.handled, self.taken = 0.0, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        event = {
            "version": "2.0",
            "rawPath": scope["path"],
            "headers": {name.decode(): value.decode() for name, value in scope["headers"]},
            "requestContext": {"http": {"method": scope["method"]}},
            "body": body.decode(),
            "isBase64Encoded": False,
        }
        began = time.process_time()
        answer = handler.lambda_handler(event, None)
        self.handled += time.process_time() - began
        self.taken += answer["statusCode"] == 200
        await send({"type": "http.response.start", "status": answer["statusCode"], "headers": []})
        await send({"type": "http.response.body", "body": answer.get("body", "").encode()})


def gateway(port: int, pipe: str, report: Path) -> None:
    """Serves until its own standard input ends."""
    stream, front = Pipe(pipe), Front()
    built: Any = Gateway(HeaderToken(_any(Secrets()), "s", time.time), PushedStream(_any(stream), "s"))
    config = uvicorn.Config(front, host="127.0.0.1", port=port, log_level="warning", access_log=False, lifespan="off")
    server = uvicorn.Server(config)

    def end() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=end, daemon=True).start()
    started = _processor()
    with mock.patch.object(handler, "build", return_value=built):
        asyncio.run(server.serve())
    stream.close()
    report.write_text(json.dumps({"handler": front.handled, "process": _processor() - started, "taken": front.taken}))


def tally(pipe: str, report: Path) -> None:
    """Counts until nobody writes any more."""
    watch = Watch(0, {digest_of(name): Line(1e9, number % 8, ("a" * 16,)) for number, name in enumerate(NAMES)})
    store, tips = MemoryReadingStore(), list[Tip]()
    store.put(watch.encode(), None)
    meter: Any = mock.Mock(tip=tips.append)
    counter = Counter(store, meter, time.time, 1.0, 1, MemoryReadingStore())
    records: list[bytes] = []
    ended = threading.Event()
    lock = threading.Lock()

    def read() -> None:
        with Path(pipe).open("rb") as lines:
            for line in lines:
                with lock:
                    records.append(line.rstrip(b"\n"))
        ended.set()

    started = _processor()
    threading.Thread(target=read, daemon=True).start()
    state: dict[str, object] = {}
    received = batches = 0
    while not (ended.wait(TALLY_EVERY) and not records):
        with lock:
            batch, records[:] = list(records), []
        received, batches = received + len(batch), batches + 1
        data = [{"kinesis": {"data": base64.b64encode(one).decode()}} for one in batch]
        event = json.loads(json.dumps({"Records": data, "window": {}, "state": state}))
        given = Batch.received(event)
        state = json.loads(json.dumps(counter.count(Tally.decode(given.state), given.records).encode()))
    found = Tally.decode(state)
    report.write_text(
        json.dumps(
            {
                "process": _processor() - started, "received": received, "batches": batches, "counts": found.counts,
                "sums": found.sums, "tips": len(tips),
            }
        )
    )  # fmt: skip


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _any(double: Any) -> Any:
    return double


if __name__ == "__main__":
    what, *words = sys.argv[1:]
    if what == "gateway":
        gateway(int(words[0]), words[1], Path(words[2]))
    else:
        tally(words[0], Path(words[1]))
