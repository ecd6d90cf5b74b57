"""What every world of a test stands on, made once: moto, the simulator, the handlers. A world itself is a copy.

To build AWS and OpenRouter anew costs more than most cases take; to copy their state costs a tenth of it. `photo` takes
the state at any point between two invocations, so that a test's cases need not each play what comes before:

    with worlds(wire) as fresh:
        world = fresh()
        ... the first two steps ...
        before = fresh.photo()
        for accident in accidents(...):
            world = fresh(before)
"""

import copy
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from unittest import mock

import httpx
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from moto.events.models import EventsBackend
from moto.secretsmanager.models import secretsmanager_backends
from moto.sqs.models import sqs_backends

import byok_failover.handler
import credential_rotation.handler
import key_planning.handler
import key_retirement.handler
import key_rotation.handler
import kill_switch.handler
from governor.policy import Policy
from sandbox.engine.secrets_manager import as_documented
from sandbox.openrouter import Simulator
from tests.faults.harness import Wire
from tests.faults.key_rotation.world import (
    CAP,
    ENVIRONMENT,
    MANAGEMENT_KEY,
    PLACE,
    POLICY,
    SECRET,
    START,
    WORKLOAD,
    Aws,
    Session,
    World,
    client,
)
from tests.faults.routed import Routed

_HANDLERS: tuple[Any, ...] = (
    key_rotation.handler,
    key_retirement.handler,
    key_planning.handler,
    credential_rotation.handler,
    byok_failover.handler,
    kill_switch.handler,
)


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
        self._simulator = Simulator(MANAGEMENT_KEY, clock=lambda: self.present().timestamp())
        self.transport = Routed(self._simulator.app)

    def __call__(self, photo: Photo | None = None) -> World:
        """The world of the photo, or the first of all: each its own copy, in a new container."""
        chosen = photo or self._opening
        self._simulator.organization = copy.deepcopy(chosen.organization)
        self._simulator.requests.clear()
        self._aws.restore(chosen.aws)
        self.world = World(self._wire, self._simulator, self._aws, **copy.deepcopy(chosen.world))
        for one in _HANDLERS:
            one.build.cache_clear()
        self._wire.begin()
        return self.world

    def photo(self) -> Photo:
        """The present world, to begin again from here."""
        assert self.world
        return copy.deepcopy(Photo(self._simulator.organization, self._aws.state(), self.world.own()))

    def open(self) -> None:
        """The first world, from nothing. `mock_aws` must be active."""
        _create()
        account, region = "123456789012", "us-east-1"
        secrets = secretsmanager_backends[account][region]
        self._aws = Aws(secrets, dynamodb_backends[account][region], sqs_backends[account][region].queues["rotations"])
        organization = self._simulator.organization
        place = organization.create_workspace("Platform production", PLACE)
        place.settings["is_observability_broadcast_enabled"] = True
        key, plaintext = self._simulator.create_key(WORKLOAD, workspace=PLACE, limit=CAP, limit_reset="monthly")
        client("secretsmanager").create_secret(Name=SECRET, SecretString=json.dumps({"api_key": plaintext}))
        opened: Any = secrets.secrets[SECRET]
        opened.last_changed_date = int(START.timestamp())
        _point_at(key.hash, place.id, self.transport)
        self.world = World(self._wire, self._simulator, self._aws, key.hash, plaintext)
        self._opening = self.photo()

    def wait(self, seconds: float) -> None:
        """A pause of a handler's own, in the world's time."""
        assert self.world
        self.world.later(seconds=seconds)

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
def worlds(wire: Wire, policy: dict[str, Any] | None = None) -> Iterator[Stage]:
    """A stage with everything that Governor touches: AWS, OpenRouter, the clocks, and the container."""
    stage = Stage(wire)
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict("os.environ", ENVIRONMENT))
        loaded = Policy.model_validate(policy or POLICY)
        stack.enter_context(mock.patch.object(Policy, "load", return_value=loaded))
        stack.enter_context(mock.patch("boto3.session.Session", Session))
        stack.enter_context(mock_aws())
        stack.enter_context(as_documented())
        clock = SimpleNamespace(time=lambda: stage.present().timestamp())
        stack.enter_context(mock.patch("sandbox.engine.secrets_manager.time", clock))
        stack.enter_context(mock.patch("byok_failover.handler.time", SimpleNamespace(sleep=stage.wait)))
        for one in _HANDLERS:
            stack.enter_context(mock.patch.object(one, "utc_now", stage.present))
        stack.enter_context(stage.listening())
        stage.open()
        stack.enter_context(wire.connected(stage.transport))
        yield stage


def _create() -> None:
    client("dynamodb").create_table(
        TableName="ledger",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    management = json.dumps({"api_key": MANAGEMENT_KEY})
    client("secretsmanager").create_secret(Name="governor/key", SecretString=management)
    client("events").create_event_bus(Name="governor")
    client("sqs").create_queue(QueueName="rotations")
    client("s3").create_bucket(Bucket="readings")


def _point_at(hash: str, workspace_id: str, transport: httpx.BaseTransport) -> None:
    """A guardrail with a budget, an allowlist and a filter that name the key."""
    web = httpx.Client(
        transport=transport,
        base_url="https://openrouter.ai/api/v1",
        headers={"Authorization": f"Bearer {MANAGEMENT_KEY}"},
    )
    guardrail = web.post(
        "/guardrails",
        json={"name": "production", "workspace_id": workspace_id, "limit_usd": CAP, "reset_interval": "monthly"},
    ).raise_for_status().json()["data"]["id"]  # fmt: skip
    web.post(f"/guardrails/{guardrail}/assignments/keys", json={"key_hashes": [hash]}).raise_for_status()
    web.post(
        "/byok",
        json={
            "provider": "anthropic", "key": "fake-provider-key", "workspace_id": workspace_id,
            "allowed_api_key_hashes": [hash],
        },
    ).raise_for_status()  # fmt: skip
    web.post(
        "/observability/destinations",
        json={
            "type": "webhook", "name": "cost", "workspace_id": workspace_id, "privacy_mode": True,
            "config": {"url": "https://example.com/hook", "method": "POST", "headers": {}},
            "api_key_hashes": [hash],
        },
    ).raise_for_status()  # fmt: skip
