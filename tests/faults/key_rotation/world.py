"""The world of rotation's fault tests: one workload, its keys at OpenRouter, its secret and its row in AWS."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.secretsmanager.exceptions import ResourceNotFoundException
from pydantic import SecretStr

import key_planning.handler
import key_retirement.handler
import kill_switch.handler
from governor.approvals.approval import Request, Vote
from governor.approvals.evidence import approval_event
from governor.approvals.store import Approvals
from governor.clock import format_instant
from governor.events import DetailType
from governor.keys import rollback as key_rollback
from governor.keys.causes import CauseRow, Causes
from governor.keys.lineage import Lineage
from governor.ledger.dynamodb import DynamoLedger
from governor.policy import Policy
from key_rotation import handler
from management_api import OpenRouter
from sandbox.openrouter import Simulator
from sandbox.openrouter.catalogue import MODELS
from sandbox.openrouter.identities import hash_of
from sandbox.openrouter.refusals import Refusal
from sandbox.openrouter.routing import chain
from sandbox.openrouter.traffic import unusable
from tests.faults.clients import client
from tests.faults.harness import Wire, context
from tests.faults.stage import Aws, Ground

START = datetime(2026, 3, 11, 2, 0, tzinfo=UTC)
WORKLOAD = "prod-search-agent"
PLACE = "platform-production"
SECRET = "openrouter/prod/search-agent"
MANAGEMENT_KEY = "sk-or-v1-fake-management-key"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:key-rotation"
CAP = 100.0
MEMBER = "user_fake_ana"
ALLOWED, REFUSED = "anthropic/claude-haiku-4.5", "anthropic/claude-sonnet-4.5"
"""By the guardrail of the member whose key it is."""
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
QUEUE, DECISIONS = "rotations", "decisions"
QUEUE_URL = f"https://sqs.us-east-1.amazonaws.com/123456789012/{QUEUE}"
ENVIRONMENT = {
    "ROTATION_QUEUE_URL": QUEUE_URL,
    "ROTATION_FUNCTION_ARN": FUNCTION,
    "MANAGEMENT_KEY_SECRET": "governor/key",
    "TABLE_NAME": "ledger",
    "DECISIONS_TABLE_NAME": DECISIONS,
    "READING_BUCKET": "readings-fake",
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
    "approvals": {"channel": "C0GOVERNOR", "approvers": ["U0LEAD"], "by_event": True},
}


@dataclass
class World:
    """One workload with a key in use, its guardrail, an allowlist and a filter that name it, and its secret.

    `first`: the key's hash; `plaintext`: its own. What stands is read past the wire, which counts for no case.
    """

    ground: Ground
    first: str
    plaintext: str
    now: datetime = START
    told: list[dict[str, Any]] = field(default_factory=list)
    token: str = "00000000-0000-4000-8000-000000000001"

    @property
    def wire(self) -> Wire:
        return self.ground.wire

    @property
    def simulator(self) -> Simulator:
        return self.ground.simulator

    @property
    def aws(self) -> Aws:
        return self.ground.aws

    def own(self) -> dict[str, Any]:
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

    def path_of(self, hash: str, model: str) -> list[tuple[str, str | None]] | int:
        """What a request of this key would try, as (provider, credential); the status where it is refused."""
        organization = self.simulator.organization
        try:
            found = chain(organization, organization.key(hash), MODELS[model], {})
            return [(one.provider, one.credential.id if one.credential else None) for one in found]
        except Refusal as refusal:
            return refusal.status

    def own_keys(self) -> dict[str, Any]:
        """The workload's keys by hash, as OpenRouter has them."""
        return {key.hash: key for key in self.simulator.organization.keys if key.name.startswith(WORKLOAD)}

    def kinds(self) -> list[str]:
        """The detail types told so far, each id once, in order."""
        heard = {entry["Detail"]["id"]: entry["DetailType"] for entry in self.told}
        return list(heard.values())

    def queued(self) -> list[Any]:
        """The messages of the planner's queue."""
        return list(self.aws.queue(QUEUE)._messages)

    def as_management(self) -> OpenRouter:
        """The account, past the wire."""
        return OpenRouter(SecretStr(MANAGEMENT_KEY), transport=self.ground.transport)

    # --- what happens --------------------------------------------------------------------------------------------
    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def a_minute_later(self) -> None:
        self.later(minutes=1)

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

    def tick(self) -> Callable[[], object]:
        """A run of the retirement's schedule, at the top of the hour's first ten minutes or not as `now` says."""
        event = {"version": 1, "scheduled_time": format_instant(self.now)}
        return lambda: key_retirement.handler.lambda_handler(event, context(100.0))

    def plan(self) -> Callable[[], object]:
        event = {"version": 1, "task": "plan", "scheduled_time": format_instant(self.now)}
        return lambda: key_planning.handler.lambda_handler(event, context())

    def work(self) -> Callable[[], object]:
        """The queue's next batch, whole. What the function took is deleted, as Lambda does; the rest comes again."""
        self.wire.begin()
        found = client("sqs").receive_message(QueueUrl=QUEUE_URL, MaxNumberOfMessages=10, VisibilityTimeout=0)
        records = [{"messageId": one["MessageId"], "body": one["Body"]} for one in found.get("Messages", [])]

        def run() -> None:
            answer = key_planning.handler.lambda_handler({"Records": records}, context())
            back = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
            taken = {record["messageId"] for record in records} - back
            queue = self.aws.queue(QUEUE)
            queue._messages = [one for one in queue._messages if one.id not in taken]

        return run

    def request(self, detail_type: str, id: str = "request-1", **evidence: Any) -> dict[str, Any]:
        at = format_instant(self.now)
        detail = {"subject": WORKLOAD, "evidence": evidence}
        return {"id": id, "detail-type": detail_type, "source": "operator", "time": at, "detail": detail}

    def roll_back(self, by: str = "U0LEAD", id: str = "request-1") -> Callable[[], object]:
        event = self.request("Rollback Requested", id, requested_by=by)
        return lambda: key_retirement.handler.lambda_handler(event, context(100.0))

    def decided(self, by: str = "U0LEAD", id: str = "request-1") -> dict[str, Any]:
        """Somebody entitled to it decided that the key as it is now gives way to the former one; the event of it."""
        self.wire.begin()
        lineage, (workload,) = self.lineage(), Policy.model_validate(POLICY).workloads
        request = Request(
            id, key_rollback.KIND, WORKLOAD, by, self.now, self.now + timedelta(hours=24),
            key_rollback.change(lineage, workload), key_rollback.deciders(Policy.model_validate(POLICY), workload),
        )  # fmt: skip
        approval = self.approvals().order(request, Vote(f"click-{id}", by, "approve", self.now))
        told = approval_event(DetailType.APPROVAL_GRANTED, approval, self.now, "")
        at = format_instant(self.now)
        return {"id": f"e-{id}", "detail-type": told.detail_type, "source": "governor", "time": at,
                "detail": told.detail()}  # fmt: skip

    def carry_out(self, granted: dict[str, Any]) -> Callable[[], object]:
        return lambda: key_retirement.handler.lambda_handler(granted, context(100.0))

    def approvals(self) -> Approvals:
        table = client("dynamodb")
        return Approvals(DynamoLedger(table, "ledger"), DynamoLedger(table, DECISIONS))

    def outcome(self, id: str = "request-1") -> str:
        """Where the request stands."""
        self.wire.begin()
        approval = self.approvals().get(id)
        assert approval
        return approval.state

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
