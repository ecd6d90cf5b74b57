"""The meter's world in a fault test: AWS in moto, OpenRouter in its simulator, and the truth."""

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from moto import mock_aws

from governor.clock import format_instant
from governor.policy import Policy
from sandbox.openrouter import Simulator
from spend_meter import handler
from spend_meter.codec import Codec
from spend_meter.habits import Habits
from spend_meter.state import State
from tests.doubles.tables import create_tables
from tests.faults.clients import client
from tests.faults.harness import InProcess, Wire, context

START = datetime(2026, 3, 11, 2, 0, tzinfo=UTC)
WORKLOAD = "prod-search-agent"
MANAGEMENT_KEY = "sk-or-v1-fake-management-key"
OBJECT: dict[str, Any] = {"Bucket": "readings-fake", "Key": "readings/state.bin"}
ENVIRONMENT = {
    "MANAGEMENT_KEY_SECRET": "governor/key",
    "TABLE_NAME": "ledger",
    "EVENT_BUS_NAME": "governor",
    "READING_BUCKET": OBJECT["Bucket"],
    "CONCURRENCY": "1",
    "POWERTOOLS_SERVICE_NAME": "spend_meter",
    "POWERTOOLS_METRICS_NAMESPACE": "governor",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
}
POLICY = Policy.model_validate(
    {
        "version": 1,
        "workloads": [
            {
                "name": WORKLOAD,
                "workspace": "platform-production",
                "owner": {"slack": "U0SEARCH"},
                "secret": "openrouter/search-agent",
            }
        ],
    }
)


@dataclass
class World:
    """A workload of two keys that has run for a month, a bystander in another workspace, and ten quiet keys."""

    wire: Wire
    now: datetime = START - timedelta(days=30)
    told: list[dict[str, Any]] = field(default_factory=list)
    simulator: Simulator = field(init=False)
    search: str = field(init=False)
    bystander: str = field(init=False)
    plaintext: str = field(init=False)

    def __post_init__(self) -> None:
        self.simulator = Simulator(MANAGEMENT_KEY, clock=lambda: self.now.timestamp(), credits=10_000.0)
        self.simulator.organization.create_workspace("Platform production", "platform-production")
        make = self.simulator.create_key
        found, self.plaintext = make(
            WORKLOAD, workspace="platform-production", limit=200.0, limit_reset="daily", include_byok_in_limit=True
        )
        self.search = found.hash
        make(f"{WORKLOAD}#2026-01", workspace="platform-production", disabled=True)
        self.bystander = make("prod-billing", limit=1.0, limit_reset="daily")[0].hash
        for number in range(10):
            make(f"quiet-{number}")
        for day in range(29):
            self.simulator.spend(self.search, 1.0, at=(self.now + timedelta(days=day)).timestamp())
        self.now = START

    def present(self) -> datetime:
        return self.now

    def spend(self, hash: str, usd: float) -> None:
        assert self.simulator.spend(hash, usd).accepted_usd > 0

    def event(self) -> dict[str, Any]:
        return {"version": 1, "scheduled_time": format_instant(self.now)}

    def run(self) -> Callable[[], object]:
        event = self.event()
        return lambda: handler.lambda_handler(event, context(55.0))

    def tick(self, burn: bool = True) -> None:
        """A minute passes; the workload burns $500 an hour, and the bystander spends cents."""
        self.now += timedelta(minutes=1)
        if burn:
            self.spend(self.search, 500 / 60)
        self.spend(self.bystander, 0.02)

    # --- what came of it -----------------------------------------------------------------------------------------
    def stored(self) -> bytes:
        self.wire.begin()
        content: bytes = client("s3").get_object(**OBJECT)["Body"].read()
        return content

    def state(self) -> State:
        return Codec().decode(self.stored())

    def metered(self, hash: str) -> float:
        """What the histories know of the last hour, USD."""
        state = self.state()
        return Habits(state.habits, state.waiting).spent(hash, state.tick, 60)

    def facts(self) -> dict[tuple[Any, ...], set[str]]:
        """What was told, each fact with the ids it was told under."""
        facts: dict[tuple[Any, ...], set[str]] = {}
        for entry in self.told:
            evidence = entry["Detail"]["evidence"]
            what = (evidence.get("scope"), evidence.get("scope_id"), evidence.get("period"), evidence.get("threshold"))
            facts.setdefault((entry["DetailType"], entry["Detail"]["subject"], *what), set()).add(entry["Detail"]["id"])
        return facts

    def snapshot(self) -> "Snapshot":
        with self.simulator.lock:
            organization = copy.deepcopy(self.simulator.organization)
        return Snapshot(self.now, self.stored(), organization, copy.deepcopy(self.told))


@dataclass(frozen=True)
class Snapshot:
    """A world at rest, to begin many cases from."""

    now: datetime
    stored: bytes
    organization: Any
    told: list[dict[str, Any]]

    def restore(self, world: World) -> World:
        """The world as it was then, in a new container."""
        world.now, world.told[:] = self.now, copy.deepcopy(self.told)
        with world.simulator.lock:
            organization = copy.deepcopy(self.organization)
            organization.clock = world.simulator.clock
            world.simulator.organization = organization
        world.wire.begin()
        client("s3").put_object(**OBJECT, Body=self.stored)
        handler.build.cache_clear()
        return world


@contextmanager
def living(wire: Wire) -> Iterator[World]:
    """A world with everything new: AWS, OpenRouter, and the container."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict("os.environ", ENVIRONMENT))
        stack.enter_context(mock.patch.object(Policy, "load", return_value=POLICY))
        stack.enter_context(mock_aws())
        world = World(wire)
        transport = InProcess(world.simulator.app)
        stack.callback(transport.dispose)
        stack.enter_context(wire.connected(transport))
        stack.enter_context(_listening(world))
        stack.enter_context(mock.patch.object(handler, "utc_now", world.present))
        wire.begin()
        _aws(world)
        handler.build.cache_clear()
        stack.callback(handler.build.cache_clear)
        yield world


@contextmanager
def _listening(world: World) -> Iterator[None]:
    """Notes each event that reached the bus."""
    from moto.events.models import EventsBackend

    take = EventsBackend.put_events

    def note(backend: EventsBackend, events: list[dict[str, Any]]) -> Any:
        world.told += [{**entry, "Detail": json.loads(entry["Detail"])} for entry in events]
        return take(backend, events)

    with mock.patch.object(EventsBackend, "put_events", note):
        yield


def _aws(world: World) -> None:
    client("s3").create_bucket(Bucket=OBJECT["Bucket"])
    create_tables(client("dynamodb"), "ledger")
    for name, key in (("governor/key", MANAGEMENT_KEY), ("openrouter/search-agent", world.plaintext)):
        client("secretsmanager").create_secret(Name=name, SecretString=json.dumps({"api_key": key}))
    client("events").create_event_bus(Name="governor")
