"""What presets and people take: the shipped handlers of preset_promotion, slack_gateway and approval_desk over the
simulators and a local AWS.

One promotion, from the request to the version that production serves: its checks, the click of an approver, the yes.
What it leaves in the tables is then copied for every click of the months for which it is kept, and only then an idle
run of each function is measured.
"""

import copy
import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from governor.approvals.approval import Approval
from governor.approvals.evidence import approval_event
from governor.approvals.store import Approvals
from governor.events import DetailType
from governor.ledger.dynamodb import DynamoLedger
from governor.slack.requests import SlackRequest
from sandbox.openrouter.simulator import Simulator
from sandbox.slack import SlackSimulator
from sandbox.slack.workspace import TEAM, ResponseUrl
from tests.bench import gateway
from tests.bench.cost.bill import CLICKS, KEPT_MONTHS
from tests.bench.cost.invocation import Invocation
from tests.bench.cost.measure import NAMES, average, aws, stack_facing, started
from tests.bench.far_side import MANAGEMENT_KEY
from tests.bench.processes import REGION, Worker
from tests.faults.preset_promotion.world import (
    AUTHOR,
    FORMER,
    FORMER_PROMPT,
    NEW,
    NEW_PROMPT,
    POLICY,
    PRODUCTION,
    SCRIPTS,
    SECRETS,
    SLUG,
    STAGING,
)

APPROVER, CHANNEL, TOKEN = "U0LEAD", "C0GOVERNOR", "xoxb-fake"
TABLES = NAMES["TABLE_NAME"], NAMES["DECISIONS_TABLE_NAME"]
FOLDERS = {"preset_promotion": "PresetPromotionFunction", "approval_desk": "ApprovalDeskFunction"}


class Decisions:
    """`watch` and `expiring`: idle runs of preset_promotion and of the desk. `asking`, `promoting`: the two steps of a
    promotion. `gateway`, `desk`: a click. `kept`: bytes in the tables by then.

    Whatever is no run runs in a container started for it.
    """

    watch: Invocation
    asking: Invocation
    promoting: Invocation
    gateway: Invocation
    desk: Invocation
    expiring: Invocation
    kept: float

    def __init__(self, built: Path) -> None:
        self._simulator = Simulator(MANAGEMENT_KEY)
        self._simulator.organization.scripts = list(SCRIPTS)
        self._slack = SlackSimulator(TOKEN)
        self._said = 0

        @self._slack.app.middleware("http")
        async def count(request: Any, call_next: Any) -> Any:
            self._said += 1
            return await call_next(request)

        with self._simulator.serve() as url, self._slack.serve() as slack, aws() as variables:
            clients = boto3.Session("fake", "fake", region_name=REGION)
            address = variables["AWS_ENDPOINT_URL"]
            self._tables: Any = clients.client("dynamodb", endpoint_url=address)
            self._secrets: Any = clients.client("secretsmanager", endpoint_url=address)
            queue = clients.client("sqs", endpoint_url=address).create_queue(QueueName="requests")["QueueUrl"]
            self._slack_url = slack
            own = {"SLACK_SECRET": "slack", "SLACK_SIGNING_SECRET": "slack-signing", "SLACK_API_URL": slack}
            self._variables = {**variables, **own, "REQUEST_QUEUE_URL": queue, "HOME_QUEUE_URL": queue}
            self._found()
            self._stack = stack_facing(built, url, {name: POLICY[name] for name in ("people", "presets", "approvals")})
            self._promote()
            self._click_at_the_gateway()
            self._let_months_pass()
            self.watch, self.expiring = map(self._idle, FOLDERS)

    def _found(self) -> None:
        """The preset in both workspaces, each with the key in its secret."""
        for name, held in (("slack", {"bot_token": TOKEN}), ("slack-signing", {"signing_secret": gateway.SECRET})):
            self._secrets.create_secret(Name=name, SecretString=json.dumps(held))
        for place, (name, plaintext) in zip((STAGING, PRODUCTION), SECRETS.items(), strict=True):
            self._simulator.organization.create_workspace(place.replace("-", " ").title(), place)
            self._simulator.create_key(f"presets-{place}", workspace=place, plaintext=plaintext)
            self._secrets.create_secret(Name=name, SecretString=json.dumps({"api_key": plaintext}))
            self._save(place, FORMER_PROMPT, FORMER)

    def _save(self, place: str, prompt: str, config: dict[str, Any]) -> None:
        organization = self._simulator.organization
        home = organization.workspace(place).id
        key = next(key for key in organization.keys if key.workspace_id == home)
        organization.add_preset_version(key, SLUG, prompt, dict(config), member=AUTHOR)

    def _promote(self) -> None:
        with self._worker("preset_promotion") as worker:
            self._told(worker, _tick())  # what stands when Governor comes is taken as it is
        self._save(STAGING, NEW_PROMPT, NEW)
        request = {"subject": SLUG, "evidence": {"requested_by": "U0DEV"}}
        self.asking = self._started("preset_promotion", _event("Preset Promotion Requested", "request-1", request))
        (asked,) = self._approvals().pending()
        self.desk = self._started("approval_desk", self._click(asked))
        granted = self._approvals().get(asked.request.id)
        assert granted, "the request is there"
        assert granted.state == "granted", granted.state
        event = approval_event(DetailType.APPROVAL_GRANTED, granted, datetime.now(UTC), f"{APPROVER} approved it.")
        self.promoting = self._started("preset_promotion", _event("Approval Granted", event.id, event.detail()))
        outcome = self._approvals().get(asked.request.id)
        assert outcome, "the request is there"
        assert outcome.state == "done", outcome.state

    def _click(self, asked: Approval) -> dict[str, Any]:
        """The message of the queue, as the gateway writes it."""
        id, request = uuid.uuid4().hex, asked.request
        self._slack.workspace.response_urls[id] = ResponseUrl(CHANNEL, APPROVER, float("inf"))
        clicked = SlackRequest(
            id, int(datetime.now(UTC).timestamp()), "button", APPROVER, TEAM, TEAM, CHANNEL, action="approve",
            value={"approval": request.id, "digest": request.digest},
            response_url=f"{self._slack_url.removesuffix('api/')}response/{id}", trigger_id="1.2",
        )  # fmt: skip
        attributes = {"ApproximateReceiveCount": "1"}
        return {"Records": [{"messageId": "m1", "body": clicked.encode(), "attributes": attributes}]}

    def _click_at_the_gateway(self) -> None:
        with self._worker("slack_gateway", "SlackGatewayFunction", apart=False) as worker:
            told = worker.tell("invoke", event=json.loads(gateway.click()))
        assert told["answer"] == {"statusCode": 200}, told
        self.gateway = average([started(told, asked=0)], 1)

    def _let_months_pass(self) -> None:
        """Every click of them decided a request as large as the one that was promoted."""
        for table in TABLES:
            items = self._tables.scan(TableName=table)["Items"]
            rows = [item for item in items if item["pk"]["S"] in ("approval", "decision")]
            assert rows, table
            copies = [_copied(item, number) for number in range(CLICKS * KEPT_MONTHS - 1) for item in rows]
            for start in range(0, len(copies), 25):
                puts = [{"PutRequest": {"Item": item}} for item in copies[start : start + 25]]
                self._tables.batch_write_item(RequestItems={table: puts})
        pages = [page for name in TABLES for page in self._tables.get_paginator("scan").paginate(TableName=name)]
        self.kept = float(sum(len(json.dumps(page["Items"])) for page in pages))

    def _idle(self, function: str) -> Invocation:
        """A run in a container that has had one."""
        with self._worker(function) as worker:
            return average([self._told(worker, _tick()) for _ in range(2)][1:], 1)

    def _started(self, function: str, event: dict[str, Any]) -> Invocation:
        with self._worker(function) as worker:
            told = self._told(worker, event)
            return average([started(told, asked=told["asked"])], 1)

    def _worker(self, function: str, folder: str | None = None, *, apart: bool = True) -> Worker:
        named = {**self._variables, "POWERTOOLS_SERVICE_NAME": function}
        worker = Worker.shipped("handlers.py", self._stack, folder or FOLDERS[function], **named)
        worker.tell("start", function=function, apart=apart)
        return worker

    def _told(self, worker: Worker, event: dict[str, Any]) -> dict[str, Any]:
        self._simulator.requests.clear()
        self._said = 0
        told = worker.tell("invoke", event=event)
        assert not told["answer"].get("batchItemFailures"), told
        return {**told, "asked": len(self._simulator.requests) + self._said, "sent": 0}

    def _approvals(self) -> Approvals:
        ledger, decisions = (DynamoLedger(self._tables, name) for name in TABLES)
        return Approvals(ledger, decisions)


def _copied(item: dict[str, Any], number: int) -> dict[str, Any]:
    """The same row of another request: its id is what stands before the `#`."""
    made = copy.deepcopy(item)
    id, mark, rest = item["sk"]["S"].partition("#")
    made["sk"]["S"] = f"{uuid.uuid5(uuid.NAMESPACE_OID, f'{id} {number}').hex}{mark}{rest}"
    return made


def _tick() -> dict[str, Any]:
    return {"version": 1, "scheduled_time": datetime.now(UTC).isoformat()}


def _event(kind: str, id: str, detail: dict[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {"id": id, "detail-type": kind, "source": "governor", "time": now, "detail": detail}
