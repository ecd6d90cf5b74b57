"""The world of rotation's fault tests: one workload, its keys at OpenRouter, its secret and its row in AWS."""

import copy
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3
from moto.secretsmanager.exceptions import ResourceNotFoundException
from pydantic import SecretStr

import key_planning.handler
import key_retirement.handler
import kill_switch.handler
from governor.causes import CauseRow, Causes
from governor.clock import format_instant
from governor.ledger import Row
from governor.lineage import Lineage
from key_rotation import handler
from management_api import OpenRouter
from sandbox.openrouter import Simulator
from sandbox.openrouter.identities import hash_of
from sandbox.openrouter.traffic import unusable
from tests.faults.harness import Wire, context
from tests.faults.routed import Routed

START = datetime(2026, 3, 11, 2, 0, tzinfo=UTC)
WORKLOAD = "prod-search-agent"
PLACE = "platform-production"
SECRET = "openrouter/prod/search-agent"
MANAGEMENT_KEY = "sk-or-v1-fake-management-key"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:key-rotation"
CAP = 100.0
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/rotations"
ENVIRONMENT = {
    "ROTATION_QUEUE_URL": QUEUE,
    "ROTATION_FUNCTION_ARN": FUNCTION,
    "MANAGEMENT_KEY_SECRET": "governor/key",
    "TABLE_NAME": "ledger",
    "EVENT_BUS_NAME": "governor",
    "READING_BUCKET": "readings",
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


@dataclass(frozen=True)
class Aws:
    """What AWS keeps, past its wire: moto's secrets, table and queue."""

    secretsmanager: Any
    dynamodb: Any
    queue: Any

    def state(self) -> dict[str, Any]:
        return {
            "secrets": self.secretsmanager.secrets,
            "tables": self.dynamodb.tables,
            "messages": self.queue._messages,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """A copy of the state, which another world may still want."""
        copied = copy.deepcopy(state)
        self.secretsmanager.secrets, self.dynamodb.tables = copied["secrets"], copied["tables"]
        self.queue._messages, self.queue._pending_messages = copied["messages"], set()

    def table(self) -> dict[Any, dict[Any, Any]]:
        """The ledger's items by partition key and sort key, in moto's types."""
        items: dict[Any, dict[Any, Any]] = self.dynamodb.tables["ledger"].items
        return items

    def rows(self, pk: str) -> dict[str, Row]:
        """The ledger's rows under one partition key, by sort key."""
        items = [item for held, found in self.table().items() if held.value == pk for item in found.values()]
        found = [{name: value.value for name, value in item.attrs.items()} for item in items]
        return {one["sk"]: Row(pk, one["sk"], int(one["version"]), json.loads(one["data"])) for one in found}


@dataclass
class World:
    """One workload with a key in use, its guardrail, an allowlist and a filter that name it, and its secret.

    `first`: the key's hash; `plaintext`: its own. What stands is read past the wire, which counts for no case.
    """

    wire: Wire
    simulator: Simulator
    aws: Aws
    first: str
    plaintext: str
    now: datetime = START
    told: list[dict[str, Any]] = field(default_factory=list)
    token: str = "00000000-0000-4000-8000-000000000001"

    def own(self) -> dict[str, Any]:
        """What of the world is neither AWS's nor OpenRouter's."""
        return {name: getattr(self, name) for name in ("first", "plaintext", "now", "told", "token")}

    # --- what stands ---------------------------------------------------------------------------------------------
    def lineage(self) -> Lineage:
        row = self.aws.rows("lineage").get(WORKLOAD)
        return Lineage.of(row) if row else Lineage(WORKLOAD)

    def stages(self) -> dict[str, list[str]]:
        versions = self.aws.secretsmanager.secrets[SECRET].versions
        return {id: sorted(one["version_stages"]) for id, one in versions.items() if one["version_stages"]}

    def secret(self, stage: str = "AWSCURRENT") -> dict[str, Any]:
        """What the version under the label holds, nothing where there is none."""
        try:
            value = self.aws.secretsmanager.get_secret_value(SECRET, None, stage)["SecretString"]
        except ResourceNotFoundException:
            return {}
        held: dict[str, Any] = json.loads(value)
        return held

    def works(self, plaintext: str) -> bool:
        """Whether OpenRouter would take a request of it."""
        return unusable(self.simulator.organization.keys.get(hash_of(plaintext)), self.now.timestamp()) is None

    def own_keys(self) -> dict[str, Any]:
        """The workload's keys by hash, as OpenRouter has them."""
        return {key.hash: key for key in self.simulator.organization.keys if key.name.startswith(WORKLOAD)}

    def kinds(self) -> list[str]:
        """The detail types told so far, each id once, in order."""
        heard = {entry["Detail"]["id"]: entry["DetailType"] for entry in self.told}
        return list(heard.values())

    def as_management(self) -> OpenRouter:
        """The account, past the wire."""
        return OpenRouter(SecretStr(MANAGEMENT_KEY), transport=Routed(self.simulator.app))

    # --- what happens --------------------------------------------------------------------------------------------
    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def ask(self, token: str | None = None) -> None:
        """As `aws secretsmanager rotate-secret` would."""
        token = token or str(uuid.UUID(int=uuid.UUID(self.token).int + 1))
        self.wire.begin()
        client("secretsmanager").rotate_secret(
            SecretId=SECRET,
            ClientRequestToken=token,
            RotationLambdaARN=FUNCTION,
            RotationRules={"AutomaticallyAfterDays": 67},
        )
        self.token = token

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
        """The queue's next batch, whole. What the function took is deleted, as Lambda does; the rest comes again."""
        self.wire.begin()
        found = client("sqs").receive_message(QueueUrl=QUEUE, MaxNumberOfMessages=10, VisibilityTimeout=0)
        records = [{"messageId": one["MessageId"], "body": one["Body"]} for one in found.get("Messages", [])]

        def run() -> None:
            answer = key_planning.handler.lambda_handler({"Records": records}, context())
            back = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
            taken = {record["messageId"] for record in records} - back
            self.aws.queue._messages = [one for one in self.aws.queue._messages if one.id not in taken]

        return run

    def request(self, detail_type: str, id: str = "request-1", **evidence: Any) -> dict[str, Any]:
        at = format_instant(self.now)
        detail = {"subject": WORKLOAD, "evidence": evidence}
        return {"id": id, "detail-type": detail_type, "source": "operator", "time": at, "detail": detail}

    def roll_back(self, by: str = "U0LEAD", id: str = "request-1") -> Callable[[], object]:
        event = self.request("Rollback Requested", id, requested_by=by)
        return lambda: key_retirement.handler.lambda_handler(event, context(100.0))

    def leak(self, id: str, subject: str = WORKLOAD) -> Callable[[], object]:
        """An approver reports a leak: of a key by its hash, or of all the workload's."""
        event = self.request("Key Exposed", id, requested_by="U0LEAD")
        event["detail"]["subject"] = subject
        return lambda: kill_switch.handler.lambda_handler(event, context())

    def restore(self, cause: str, id: str) -> Callable[[], object]:
        event = self.request("Restore Requested", id, cause=cause, requested_by="U0LEAD")
        return lambda: kill_switch.handler.lambda_handler(event, context())

    def causes(self) -> Causes:
        """Why the workload's keys are disabled, as the ledger has it."""
        rows = [CauseRow.of(WORKLOAD, row) for row in self.aws.rows(f"subject#{WORKLOAD}").values()]
        return Causes({row.cause: row for row in rows})

    def arn(self) -> str:
        return str(self.aws.secretsmanager.secrets[SECRET].arn)


_AWS = boto3.session.Session


@cache
def client(service: str) -> Any:
    """One client a service for the whole session: to make one costs more than a case."""
    session: Any = _AWS(region_name="us-east-1")
    return session.client(service, config=handler.AWS)


class Session:
    """Stands for boto3's in the handlers."""

    def client(self, service: str, **_options: Any) -> Any:
        return client(service)
