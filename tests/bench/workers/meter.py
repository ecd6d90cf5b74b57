"""Worker: the shipped meter over memory stores, one run a turn.

Calls the handler's own `build()`, so that memory and the collector's work are what they are in Lambda; the runs
themselves go to memory stores, because AWS is not what is measured. No pacing: what it is compared with has none.
"""

import base64
import json
import os
import resource
import sys
import time
from datetime import UTC, datetime
from typing import Any

from memory import ripe  # type: ignore[import-not-found]  # beside this script, whose folder is on the path
from pydantic import SecretStr

from governor.ledger import MemoryLedger
from governor.policy import Policy
from governor.storage.readings import Stored
from management_api import OpenRouter
from spend_meter import handler
from spend_meter.codec import Codec
from spend_meter.ports import Ports
from spend_meter.service import SpendMeter
from spend_meter.settings import Tick
from spend_meter.state import State

NAMES = ("TABLE_NAME", "EVENT_BUS_NAME", "READING_BUCKET", "MANAGEMENT_KEY_SECRET")


class OneSecret:
    def field(self, name: str, field: str, *, fresh: bool = False) -> SecretStr:
        return SecretStr("sk-or-v1-fake-bench")


class Swallow:
    def publish(self, events: Any) -> None:
        """Nothing is sent anywhere."""


class Kept:
    """A reading store that counts its versions. S3 makes tags on its own side; hashing ten megabytes for one, as the
    tests' store does, would be measured as the sweep's."""

    def __init__(self) -> None:
        self.stored: Stored | None = None
        self._versions = 0

    def get(self, known: str | None = None) -> Stored | None:
        if self.stored and self.stored.etag == known:
            return Stored(None, known)
        return self.stored

    def put(self, content: bytes, replaces: str | None) -> str:
        assert (self.stored.etag if self.stored else None) == replaces
        self._versions += 1
        self.stored = Stored(content, f'"{self._versions}"')
        return self.stored.etag

    def set_aside(self, content: bytes, etag: str) -> str:
        raise AssertionError(f"the reading {etag} of {len(content)} bytes is readable")


class Container:
    """What one Lambda container holds, and the store that outlives it."""

    def __init__(self) -> None:
        self.store = Kept()

    def start(self, base_url: str, concurrency: int) -> dict[str, Any]:
        ports = Ports(
            store=self.store,
            ledger=MemoryLedger(),
            publisher=Swallow(),
            secrets=OneSecret(),
            connect=lambda key: OpenRouter(key, base_url=base_url),
        )
        self.meter = SpendMeter(Policy.load(), ports, "fake", concurrency)
        return {}

    def tick(self, minute: int) -> dict[str, Any]:
        now = datetime.fromtimestamp(minute * 60, UTC)
        tick = Tick(now, now)
        cpu, start = time.process_time(), time.perf_counter()
        report = self.meter.tick(tick, lambda: 55.0)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        stored = self.store.stored
        return {
            "seconds": seconds,
            "cpu": cpu,
            "outcome": report.outcome,
            "keys_read": report.keys_read,
            "api_errors": report.api_errors,
            "kept_bytes": len(stored.content or b"") if stored else 0,
            # Linux counts in KB.
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }

    def ripen(self, minute: int) -> dict[str, Any]:
        """Gives every key the memory of 28 days: a meter long at work."""
        assert self.store.stored
        state = Codec().decode(self.store.stored.content or b"")
        self.store.put(Codec().encode(ripe(state, minute)), self.store.stored.etag)
        return {}

    def blank(self, minute: int) -> dict[str, Any]:
        """The reading of an empty account as metered at `minute`."""
        self.store.put(Codec().encode(State(tick=minute)), None)
        return self.save()

    def save(self) -> dict[str, Any]:
        assert self.store.stored
        return {"content": base64.b64encode(self.store.stored.content or b"").decode()}

    def load(self, content: str) -> dict[str, Any]:
        self.store.put(base64.b64decode(content), None)
        return {}


if __name__ == "__main__":
    os.environ.update(dict.fromkeys(NAMES, "fake"))
    handler.build()
    container = Container()
    for line in sys.stdin:
        given = json.loads(line)
        print(json.dumps(getattr(container, given.pop("do"))(**given)), flush=True)
