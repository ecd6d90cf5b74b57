"""What every world of a test stands on, made once: moto, the simulator, the handlers. A world itself is a copy.

To build AWS and OpenRouter anew costs more than most cases take; to copy their state costs a tenth of it. `photo` takes
the state at any point between two invocations, so that a test's cases need not each play what comes before:

    with staged(wire, play) as fresh:
        world = fresh()
        ... the first two steps ...
        before = fresh.photo()
        for accident in accidents(...):
            world = fresh(before)
"""

import copy
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Protocol
from unittest import mock

from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from moto.events.models import EventsBackend
from moto.secretsmanager.models import secretsmanager_backends
from moto.sqs.models import sqs_backends

from governor.ledger import Row
from governor.policy import Policy
from sandbox.engine.secrets_manager import as_documented
from sandbox.openrouter import Simulator
from tests.doubles.tables import create_tables
from tests.faults.clients import REGION, client
from tests.faults.harness import Wire
from tests.faults.routed import Routed

ACCOUNT = "123456789012"
TABLE, BUS = "ledger", "governor"


class Staged(Protocol):
    """What a stage needs of a world. `now`: what every clock shows; `told`: the events that reached the bus."""

    now: datetime
    told: list[dict[str, Any]]

    def own(self) -> dict[str, Any]:
        """What of the world is neither AWS's nor OpenRouter's, as `Play.world` takes it."""


@dataclass(frozen=True)
class Aws:
    """What AWS keeps, past its wire: moto's secrets, tables and queues."""

    secretsmanager: Any
    dynamodb: Any
    sqs: Any

    def state(self) -> dict[str, Any]:
        return {
            "secrets": self.secretsmanager.secrets,
            "tables": self.dynamodb.tables,
            "messages": {name: queue._messages for name, queue in self.sqs.queues.items()},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """A copy of the state, which another world may still want."""
        copied = copy.deepcopy(state)
        self.secretsmanager.secrets, self.dynamodb.tables = copied["secrets"], copied["tables"]
        for name, messages in copied["messages"].items():
            queue = self.sqs.queues[name]
            queue._messages, queue._pending_messages = messages, set()

    def queue(self, name: str) -> Any:
        return self.sqs.queues[name]

    def table(self) -> dict[Any, dict[Any, Any]]:
        """The ledger's items by partition key and sort key, in moto's types."""
        items: dict[Any, dict[Any, Any]] = self.dynamodb.tables[TABLE].items
        return items

    def rows(self, pk: str) -> dict[str, Row]:
        """The ledger's rows under one partition key, by sort key."""
        items = [item for held, found in self.table().items() if held.value == pk for item in found.values()]
        found = [{name: value.value for name, value in item.attrs.items()} for item in items]
        return {one["sk"]: Row(pk, one["sk"], int(one["version"]), json.loads(one["data"])) for one in found}


@dataclass(frozen=True)
class Ground:
    """What a world stands on. `transport`: to the simulator, past the wire."""

    wire: Wire
    simulator: Simulator
    aws: Aws
    transport: Routed


@dataclass(frozen=True)
class Play[W: Staged]:
    """What a stage is set for.

    `handlers`: the modules of the functions, each with its `build` and its `utc_now`. `opening`: makes what there is at
    the start, beside table, bus and the management key's secret, and gives what the first world is made of. `world`:
    makes a world of that.
    """

    handlers: Sequence[Any]
    environment: Mapping[str, str]
    policy: Mapping[str, Any]
    management_key: str
    start: datetime
    opening: Callable[[Ground], dict[str, Any]]
    world: Callable[..., W]


@dataclass(frozen=True)
class Photo:
    """A world as it was: OpenRouter's state, AWS's, and the world's own."""

    organization: Any
    aws: dict[str, Any]
    own: dict[str, Any]


class Stage[W: Staged]:
    """Makes worlds, one after another: a new one ends the one before."""

    def __init__(self, wire: Wire, play: Play[W]) -> None:
        self.world: W | None = None
        self._play = play
        simulator = Simulator(play.management_key, clock=lambda: self.present().timestamp())
        aws = Aws(
            *(backends[ACCOUNT][REGION] for backends in (secretsmanager_backends, dynamodb_backends, sqs_backends))
        )
        self.ground = Ground(wire, simulator, aws, Routed(simulator.app))

    def __call__(self, photo: Photo | None = None) -> W:
        """The world of the photo, or the first of all: each its own copy, in a new container."""
        chosen, ground = photo or self._opening, self.ground
        ground.simulator.organization = copy.deepcopy(chosen.organization)
        ground.simulator.requests.clear()
        ground.aws.restore(chosen.aws)
        self.world = self._play.world(ground, **copy.deepcopy(chosen.own))
        for one in self._play.handlers:
            one.build.cache_clear()
        ground.wire.begin()
        return self.world

    def photo(self) -> Photo:
        """The present world, to begin again from here."""
        assert self.world
        return self._photo(self.world.own())

    def open(self) -> None:
        """The first world, from nothing. `mock_aws` must be active."""
        _create(self._play.management_key)
        self._opening = self._photo(self._play.opening(self.ground))

    def present(self) -> datetime:
        return self.world.now if self.world else self._play.start

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Notes each event that reached the bus."""
        take = EventsBackend.put_events

        def note(backend: EventsBackend, events: list[dict[str, Any]]) -> Any:
            assert self.world
            self.world.told.extend({**entry, "Detail": json.loads(entry["Detail"])} for entry in events)
            return take(backend, events)

        with mock.patch.object(EventsBackend, "put_events", note):
            yield

    def _photo(self, own: dict[str, Any]) -> Photo:
        return copy.deepcopy(Photo(self.ground.simulator.organization, self.ground.aws.state(), own))


@contextmanager
def staged[W: Staged](wire: Wire, play: Play[W]) -> Iterator[Stage[W]]:
    """A stage with everything that Governor touches: AWS, OpenRouter, the clocks, and the container."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict("os.environ", play.environment))
        stack.enter_context(mock.patch.object(Policy, "load", return_value=Policy.model_validate(play.policy)))
        stack.enter_context(mock_aws())
        stack.enter_context(as_documented())
        stage = Stage(wire, play)
        clock = SimpleNamespace(time=lambda: stage.present().timestamp())
        stack.enter_context(mock.patch("sandbox.engine.secrets_manager.time", clock))
        for one in play.handlers:
            stack.enter_context(mock.patch.object(one, "utc_now", stage.present))
        stack.enter_context(stage.listening())
        stage.open()
        stack.enter_context(wire.connected(stage.ground.transport))
        yield stage


def _create(management_key: str) -> None:
    create_tables(client("dynamodb"), TABLE)
    client("secretsmanager").create_secret(Name="governor/key", SecretString=json.dumps({"api_key": management_key}))
    client("events").create_event_bus(Name=BUS)
