"""The world of rotation's fault tests: AWS's state in moto, Secrets Manager as documented, a simulated OpenRouter."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from unittest import mock

import boto3
import httpx
from moto import mock_aws
from pydantic import SecretStr

import key_planning.handler
import key_retirement.handler
from governor.clock import format_instant
from governor.dynamo_ledger import DynamoLedger
from governor.lineage import Lineage, Lineages
from governor.policy import Policy
from key_rotation import handler
from management_api import AuthenticationFailed, CurrentKey, OpenRouter, Retry
from sandbox.engine.secrets_manager import as_documented
from sandbox.openrouter import Simulator
from tests.faults.harness import InProcess, Wire, context

START = datetime(2026, 3, 11, 2, 0, tzinfo=UTC)
WORKLOAD = "prod-search-agent"
PLACE = "platform-production"
SECRET = "openrouter/prod/search-agent"
MANAGEMENT_KEY = "sk-or-v1-fake-management-key"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:key-rotation"
CAP = 100.0
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
HANDLERS = (handler, key_retirement.handler, key_planning.handler)
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/rotations"
ENVIRONMENT = {
    "ROTATION_QUEUE_URL": QUEUE,
    "ROTATION_FUNCTION_ARN": FUNCTION,
    "MANAGEMENT_KEY_SECRET": "governor/key",
    "TABLE_NAME": "ledger",
    "EVENT_BUS_NAME": "governor",
    "POWERTOOLS_SERVICE_NAME": "key_rotation",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
}
POLICY: dict[str, Any] = {
    "version": 1,
    "workloads": [
        {
            "name": WORKLOAD,
            "workspace": PLACE,
            "owner": {"slack": "U0SEARCH"},
            "secret": SECRET,
            "key": {"limit_usd": CAP, "limit_reset": "monthly", "guardrail": "production", "expires_in": "90d"},
            "rotation": {"every": "60d", "overlap": "24h", "quarantine": "7d"},
        }
    ],
    "approvals": {"channel": "C0GOVERNOR", "approvers": ["U0LEAD"]},
}


@dataclass
class World:
    """One workload with a key in use, its guardrail, an allowlist and a filter that name it, and its secret."""

    wire: Wire
    now: datetime = START
    told: list[dict[str, Any]] = field(default_factory=list)
    simulator: Simulator = field(init=False)
    first: str = field(init=False)
    plaintext: str = field(init=False)
    workspace_id: str = field(init=False)
    token: str = "00000000-0000-4000-8000-000000000001"

    def __post_init__(self) -> None:
        self.simulator = Simulator(MANAGEMENT_KEY, clock=lambda: self.now.timestamp())
        place = self.simulator.organization.create_workspace("Platform production", PLACE)
        place.settings["is_observability_broadcast_enabled"] = True
        self.workspace_id = place.id
        key, self.plaintext = self.simulator.create_key(WORKLOAD, workspace=PLACE, limit=CAP, limit_reset="monthly")
        self.first = key.hash

    # --- what stands ---------------------------------------------------------------------------------------------
    def lineage(self) -> Lineage:
        self.wire.begin()
        return Lineages(DynamoLedger(client("dynamodb"), "ledger")).get(WORKLOAD)

    def stages(self) -> dict[str, list[str]]:
        self.wire.begin()
        found: dict[str, list[str]] = client("secretsmanager").describe_secret(SecretId=SECRET)["VersionIdsToStages"]
        return {id: sorted(stages) for id, stages in found.items()}

    def secret(self, stage: str = "AWSCURRENT") -> dict[str, Any]:
        self.wire.begin()
        value = client("secretsmanager").get_secret_value(SecretId=SECRET, VersionStage=stage)["SecretString"]
        held: dict[str, Any] = json.loads(value)
        return held

    def asked_with(self, plaintext: str) -> CurrentKey | None:
        """What OpenRouter says of a plaintext; None when it does not work."""
        self.wire.begin()
        transport = InProcess(self.simulator.app)
        try:
            retry = Retry(attempts=1, sleep=lambda _seconds: None)
            return OpenRouter(SecretStr(plaintext), transport=transport, retry=retry).current_key()
        except AuthenticationFailed:
            return None
        finally:
            transport.dispose()

    def own_keys(self) -> dict[str, Any]:
        """The workload's keys by hash, as OpenRouter has them."""
        return {key.hash: key for key in self.simulator.organization.keys if key.name.startswith(WORKLOAD)}

    def kinds(self) -> list[str]:
        """The detail types told so far, each id once, in order."""
        heard = {entry["Detail"]["id"]: entry["DetailType"] for entry in self.told}
        return list(heard.values())

    def as_management(self) -> OpenRouter:
        """The account, past the wire."""
        self.wire.begin()
        transport = InProcess(self.simulator.app)
        return OpenRouter(SecretStr(MANAGEMENT_KEY), transport=transport)

    # --- what happens --------------------------------------------------------------------------------------------
    def present(self) -> datetime:
        return self.now

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def ask(self, token: str | None = None) -> None:
        """As `aws secretsmanager rotate-secret` would."""
        self.token = token or str(uuid.UUID(int=uuid.UUID(self.token).int + 1))
        self.wire.begin()
        client("secretsmanager").rotate_secret(
            SecretId=SECRET,
            ClientRequestToken=self.token,
            RotationLambdaARN=FUNCTION,
            RotationRules={"AutomaticallyAfterDays": 67},
        )

    def step(self, name: str, token: str | None = None) -> Callable[[], object]:
        event = {"Step": name, "SecretId": self.arn(), "ClientRequestToken": token or self.token}
        return lambda: handler.lambda_handler(event, context())

    def beat(self) -> Callable[[], object]:
        """A beat of the retirement's schedule, at the top of the hour's first ten minutes or not as `now` says."""
        event = {"version": 1, "scheduled_time": format_instant(self.now)}
        return lambda: key_retirement.handler.lambda_handler(event, context(100.0))

    def plan(self) -> Callable[[], object]:
        event = {"version": 1, "task": "plan", "scheduled_time": format_instant(self.now)}
        return lambda: key_planning.handler.lambda_handler(event, context())

    def work(self) -> Callable[[], object]:
        """The queue's next batch, whole."""
        self.wire.begin()
        found = client("sqs").receive_message(QueueUrl=QUEUE, MaxNumberOfMessages=10, VisibilityTimeout=0)
        records = [{"messageId": one["MessageId"], "body": one["Body"]} for one in found.get("Messages", [])]
        return lambda: key_planning.handler.lambda_handler({"Records": records}, context())

    def request(self, detail_type: str, id: str = "request-1", **evidence: Any) -> dict[str, Any]:
        at = format_instant(self.now)
        detail = {"subject": WORKLOAD, "evidence": evidence}
        return {"id": id, "detail-type": detail_type, "source": "operator", "time": at, "detail": detail}

    def roll_back(self, by: str = "U0LEAD", id: str = "request-1") -> Callable[[], object]:
        event = self.request("Rollback Requested", id, requested_by=by)
        return lambda: key_retirement.handler.lambda_handler(event, context(100.0))

    def arn(self) -> str:
        self.wire.begin()
        return str(client("secretsmanager").describe_secret(SecretId=SECRET)["ARN"])


@cache
def client(service: str) -> Any:
    """One client a service for the whole session: to make one costs more than a case."""
    session: Any = boto3.session.Session(region_name="us-east-1")
    return session.client(service, config=handler.AWS)


class _Session:
    def client(self, service: str, config: object) -> Any:
        assert config in [one.AWS for one in HANDLERS]
        return client(service)


@contextmanager
def worlds(wire: Wire, policy: dict[str, Any] | None = None) -> Iterator[Callable[[], World]]:
    """Makes worlds, one after another, each with everything new: AWS, OpenRouter, and the container."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict("os.environ", ENVIRONMENT))
        loaded = Policy.model_validate(policy or POLICY)
        stack.enter_context(mock.patch.object(Policy, "load", return_value=loaded))
        for service in ("dynamodb", "secretsmanager", "events", "sqs"):
            client(service)
        stack.enter_context(mock.patch("boto3.session.Session", _Session))
        present = stack.enter_context(ExitStack())

        def fresh() -> World:
            present.close()
            present.enter_context(mock_aws())
            present.enter_context(as_documented())
            world = World(wire)
            transport = InProcess(world.simulator.app)
            present.callback(transport.dispose)
            _point_at_the_first_key(world, transport)
            present.enter_context(wire.connected(transport))
            for one in HANDLERS:
                present.enter_context(mock.patch.object(one, "utc_now", world.present))
                one.build.cache_clear()
            present.enter_context(_listening(world))
            wire.begin()
            _aws(world)
            return world

        yield fresh


def _point_at_the_first_key(world: World, transport: httpx.BaseTransport) -> None:
    """A guardrail with a budget, an allowlist and a filter that name the key."""
    web = httpx.Client(
        transport=transport,
        base_url="https://openrouter.ai/api/v1",
        headers={"Authorization": f"Bearer {MANAGEMENT_KEY}"},
    )
    guardrail = web.post(
        "/guardrails",
        json={
            "name": "production", "workspace_id": world.workspace_id, "limit_usd": CAP, "reset_interval": "monthly",
        },
    ).raise_for_status().json()["data"]["id"]  # fmt: skip
    web.post(f"/guardrails/{guardrail}/assignments/keys", json={"key_hashes": [world.first]}).raise_for_status()
    web.post(
        "/byok",
        json={
            "provider": "anthropic", "key": "fake-provider-key", "workspace_id": world.workspace_id,
            "allowed_api_key_hashes": [world.first],
        },
    ).raise_for_status()  # fmt: skip
    web.post(
        "/observability/destinations",
        json={
            "type": "webhook", "name": "cost", "workspace_id": world.workspace_id, "privacy_mode": True,
            "config": {"url": "https://example.com/hook", "method": "POST", "headers": {}},
            "api_key_hashes": [world.first],
        },
    ).raise_for_status()  # fmt: skip


@contextmanager
def _listening(world: World) -> Iterator[None]:
    """Notes each event that reached the bus."""
    from moto.events.models import EventsBackend

    take = EventsBackend.put_events

    def note(backend: EventsBackend, events: list[dict[str, Any]]) -> Any:
        world.told.extend({**entry, "Detail": json.loads(entry["Detail"])} for entry in events)
        return take(backend, events)

    with mock.patch.object(EventsBackend, "put_events", note):
        yield


def _aws(world: World) -> None:
    client("dynamodb").create_table(
        TableName="ledger",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    secrets = client("secretsmanager")
    secrets.create_secret(Name="governor/key", SecretString=json.dumps({"api_key": MANAGEMENT_KEY}))
    secrets.create_secret(Name=SECRET, SecretString=json.dumps({"api_key": world.plaintext}))
    client("events").create_event_bus(Name="governor")
    client("sqs").create_queue(QueueName="rotations")
