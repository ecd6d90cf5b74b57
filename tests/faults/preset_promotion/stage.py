"""What every world of a test stands on, made once; a world itself is a copy. See `tests.faults.key_rotation.stage`."""

import copy
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unittest import mock

from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from moto.events.models import EventsBackend

from governor.policy import Policy
from preset_promotion import handler
from sandbox.openrouter import Simulator
from tests.faults.harness import Wire
from tests.faults.preset_promotion.world import (
    ENVIRONMENT,
    FORMER,
    FORMER_PROMPT,
    PRODUCTION,
    SCRIPTS,
    SECRETS,
    STAGING,
    START,
    Aws,
    Session,
    World,
    client,
    policy,
)
from tests.faults.routed import Routed


@dataclass(frozen=True)
class Photo:
    """A world as it was: OpenRouter's state, AWS's, and the world's own."""

    organization: Any
    aws: dict[str, Any]
    world: dict[str, Any]


class Stage:
    """Makes worlds, one after another: a new one ends the one before."""

    def __init__(self, wire: Wire) -> None:
        self.world: World | None = None
        self._wire = wire
        self._simulator = Simulator("sk-or-v1-fake-management-key", clock=lambda: self.present().timestamp())
        self.transport = Routed(self._simulator.app)

    def __call__(self, photo: Photo | None = None) -> World:
        """The world of the photo, or the first of all: each its own copy, in a new container."""
        chosen = photo or self._opening
        self._simulator.organization = copy.deepcopy(chosen.organization)
        self._simulator.requests.clear()
        self._simulator.faults.clear()
        self._aws.restore(chosen.aws)
        self.world = World(self._wire, self._simulator, self._aws, **copy.deepcopy(chosen.world))
        handler.build.cache_clear()
        self._wire.begin()
        return self.world

    def photo(self) -> Photo:
        """The present world, to begin again from here."""
        assert self.world
        return copy.deepcopy(Photo(self._simulator.organization, self._aws.state(), self.world.own()))

    def open(self) -> None:
        """The first world, from nothing. `mock_aws` must be active."""
        for table in ("ledger", "decisions"):
            client("dynamodb").create_table(
                TableName=table,
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
                BillingMode="PAY_PER_REQUEST",
            )
        client("events").create_event_bus(Name="governor")
        self._aws = Aws(dynamodb_backends["123456789012"]["us-east-1"])
        organization = self._simulator.organization
        organization.scripts = list(SCRIPTS)
        for place, (secret, plaintext) in zip((STAGING, PRODUCTION), SECRETS.items(), strict=True):
            organization.create_workspace(place.replace("-", " ").title(), place)
            self._simulator.create_key(f"presets-{place}", workspace=place, plaintext=plaintext)
            client("secretsmanager").create_secret(Name=secret, SecretString=json.dumps({"api_key": plaintext}))
        self.world = World(self._wire, self._simulator, self._aws)
        for place in (STAGING, PRODUCTION):
            self.world.save(place, FORMER_PROMPT, FORMER)
        self._opening = self.photo()

    def present(self) -> datetime:
        return self.world.now if self.world else START

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


@contextmanager
def worlds(wire: Wire, **changes: Any) -> Iterator[Stage]:
    """A stage with everything that promotion touches. `changes`: fields of the policy's preset."""
    stage = Stage(wire)
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict("os.environ", ENVIRONMENT))
        stack.enter_context(mock.patch.object(Policy, "load", return_value=policy(**changes)))
        stack.enter_context(mock.patch("boto3.session.Session", Session))
        stack.enter_context(mock_aws())
        stack.enter_context(mock.patch.object(handler, "utc_now", stage.present))
        stack.enter_context(stage.listening())
        stage.open()
        stack.enter_context(wire.connected(stage.transport))
        yield stage
