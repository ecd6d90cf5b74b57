"""The desk between its queue, its tables, the bus and Slack: moto and the Slack simulator, every call on a wire."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import httpx
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.sqs.models import sqs_backends

from approval_desk import handler
from governor.approvals.approval import Kind, Request
from governor.approvals.store import Approvals
from governor.aws_identity import HEADER, Proof, digest
from governor.keys.causes import CauseRow, CauseStore
from governor.keys.lineage import Lineage, LineageKey, Lineages
from governor.ledger.dynamodb import DynamoLedger
from governor.policy import Policy
from governor.slack.requests import SlackRequest
from sandbox.slack import SlackSimulator
from sandbox.slack.workspace import TEAM, ResponseUrl
from tests.doubles.tables import create_tables
from tests.faults.clients import client
from tests.faults.harness import Accident, InProcess, Killed, Wire, context
from tests.faults.slack_wire import cross

REGION, CHANNEL, WORKLOAD, HASH = "us-east-1", "C0GOVERNOR", "prod-search-agent", "a" * 64
APPROVERS = tuple(f"U0LEAD{number}" for number in range(8))
OWNER, ROTATED = "U0SEARCH", "prod-mail-agent"
PRESET = "support-triage"
SIGNATURE = "ab" * 32
REFUSAL = "<Error><Code>SignatureDoesNotMatch</Code></Error>"
STACK = "arn:aws:events:us-east-1:123456789012:event-bus/governor"
IDENTITY = "arn:aws:iam::123456789012:user/lead"
VISIBILITY, MOST_DELIVERIES = timedelta(seconds=180), 5
"""The template's: SlackRequestQueue."""
ENVIRONMENT = {
    "TABLE_NAME": "ledger",
    "DECISIONS_TABLE_NAME": "decisions",
    "EVENT_BUS_NAME": "governor",
    "EVENT_BUS_ARN": STACK,
    "SLACK_SECRET": "slack",
    "SLACK_API_URL": "http://localhost:8788/api/",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "POWERTOOLS_METRICS_NAMESPACE": "governor",
}
POLICY = Policy.model_validate(
    {
        "version": 1,
        "workloads": [
            {"name": name, "workspace": "p", "owner": {"slack": OWNER}, "secret": f"openrouter/{name}"}
            for name in (WORKLOAD, ROTATED)
        ],
        "presets": [
            {
                "slug": PRESET, "from": "s", "to": "p", "from_secret": "presets/s", "to_secret": "presets/p",
                "approvers": APPROVERS,
            }
        ],
        "people": {APPROVERS[0]: {"aws": [IDENTITY]}},
        "approvals": {"channel": CHANNEL, "approvers": APPROVERS, "by_event": True},
    }
)  # fmt: skip


@dataclass
class World:
    """One account with its Slack workspace, a workload that is held disabled, another whose key was just replaced, and
    a request that stands open."""

    wire: Wire
    slack: SlackSimulator
    now: datetime = datetime(2026, 3, 11, 2, 44, tzinfo=UTC)
    too_early: list[str] = field(default_factory=list)
    """Events that were sent before what they tell of was written."""
    deliveries: int = 0
    signed: str = ""
    """The digest that `IDENTITY` has signed."""

    @property
    def ledger(self) -> DynamoLedger:
        return DynamoLedger(client("dynamodb"), "ledger")

    @property
    def approvals(self) -> Approvals:
        return Approvals(self.ledger, DynamoLedger(client("dynamodb"), "decisions"))

    def arrange(self, needed: int = 1, kind: Kind = "restore") -> dict[str, str]:
        """The workload's cause and the request; the value of the request's buttons."""
        CauseStore(self.ledger).write(CauseRow(WORKLOAD, "runaway", "disabled", "e1", (HASH,), self.now))
        asked = Request(
            "request", kind, WORKLOAD, "U0SOMEBODY", self.now, self.now + timedelta(hours=1), {"cause": "runaway"},
            APPROVERS, needed,
        )  # fmt: skip
        self.approvals.ask(asked)
        former = LineageKey("c" * 64, f"{ROTATED}#1", "overlap", self.now, until=self.now + timedelta(hours=24))
        current = LineageKey("d" * 64, f"{ROTATED}#2", "current", self.now)
        Lineages(self.ledger).write(Lineage(ROTATED, (former, current)))
        return {"approval": asked.id, "digest": asked.digest}

    def click(self, user: str, action: str, value: dict[str, str], n: int = 0) -> SlackRequest:
        return self._request(f"{user} {action} {n}", user, kind="button", action=action, value=value)

    def command(self, user: str, text: str) -> SlackRequest:
        return self._request(f"{user} {text}", user, kind="command", text=text)

    def reason(self, user: str, value: dict[str, str]) -> SlackRequest:
        """A modal's submission: it brings no `response_url`."""
        more = {**value, "channel": CHANNEL, "reason": "not now"}
        return SlackRequest(
            f"{user} reason", int(self.now.timestamp()), "modal", user, TEAM, TEAM, CHANNEL, action="reject", value=more
        )

    def again(self, request: SlackRequest) -> SlackRequest:
        """The same once more by the same person: an interaction of its own."""
        id = f"{request.id} again"
        self.slack.workspace.response_urls[id] = ResponseUrl(CHANNEL, request.user, float("inf"))
        url = f"http://localhost:8788/response/{id.replace(' ', '%20')}" if request.response_url else ""
        return replace(request, id=id, at=int(self.now.timestamp()), response_url=url)

    def _request(self, id: str, user: str, **more: Any) -> SlackRequest:
        self.slack.workspace.response_urls[id] = ResponseUrl(CHANNEL, user, float("inf"))
        trigger = self.slack.workspace.trigger(user)
        at, url = int(self.now.timestamp()), f"http://localhost:8788/response/{id.replace(' ', '%20')}"
        return SlackRequest(id, at, user=user, team=TEAM, user_team=TEAM, channel=CHANNEL, response_url=url,
                            trigger_id=trigger, **more)  # fmt: skip

    def run(self, request: SlackRequest) -> bool:
        """One delivery of one message; whether it leaves the queue."""
        self.deliveries += 1
        attributes = {"ApproximateReceiveCount": str(self.deliveries)}
        record = {"messageId": "m1", "body": request.encode(), "attributes": attributes}
        return handler.lambda_handler({"Records": [record]}, context()) == {"batchItemFailures": []}

    def commanded(self, text: str) -> Any:
        """Command Requested, signed by `IDENTITY`."""
        bound = digest(STACK, text, "n1")
        proof = Proof("FAKEACCESSKEY0000001", f"{self.now:%Y%m%dT%H%M%SZ}", SIGNATURE)
        evidence = {"command": text, "nonce": "n1", "proof": proof.encode()}
        self.signed = bound
        return {
            "id": "e1", "source": "operator", "detail-type": "Command Requested", "time": f"{self.now:%FT%TZ}",
            "detail": {"subject": text.split()[-1], "evidence": evidence},
        }  # fmt: skip

    def drain(self, request: SlackRequest, *planned: Accident) -> None:
        """Delivers until it leaves the queue; each accident befalls a delivery of its own, the first ones."""
        self.deliveries = 0
        for delivery in range(MOST_DELIVERIES):
            self.wire.begin(*planned[delivery : delivery + 1])
            try:
                if self.run(request):
                    return
            except Killed:
                handler.build.cache_clear()
            self.now += VISIBILITY
        raise AssertionError("a dead letter")

    @property
    def told(self) -> list[dict[str, Any]]:
        """What went over the bus: `detail-type` and `detail`."""
        queue = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues["heard"]
        return [json.loads(message.body) for message in queue._messages]

    def told_once(self) -> list[str]:
        """The detail types, each id once."""
        return list({one["detail"]["id"]: one["detail-type"] for one in self.told}.values())

    def votes(self) -> list[tuple[str, str]]:
        approval = self.approvals.get("request")
        return [(vote.by, vote.verdict) for vote in approval.votes] if approval else []

    def watch(self) -> None:
        """From now on, looks before each event whether anything was written that it can tell of."""
        at_first = _rows()

        def look(_: int, name: str) -> None:
            if name == "eventbridge.PutEvents" and _rows() == at_first:
                self.too_early.append(name)

        self.wire.before = look


@contextmanager
def worlds(wire: Wire) -> Iterator[Callable[[], World]]:
    """Makes worlds, one at a time: a new one replaces the one before, in the same tables and Slack, emptied."""
    current = list[World]()
    slack = SlackSimulator("xoxb-fake", clock=lambda: current[-1].now)
    transport, ending = InProcess(slack.app), ExitStack()
    ending.callback(transport.dispose)

    def make() -> World:
        wire.begin()
        wire.before = None
        for name in ("decisions", "ledger"):
            dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables[name].items.clear()
        sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues["heard"]._messages.clear()
        slack.api.faults.clear()
        slack.workspace.membership.forget()
        for held in (slack.workspace.ephemeral, slack.workspace.views, slack.workspace.triggers):
            held.clear()
        current.append(World(wire, slack))
        handler.build.cache_clear()
        return current[-1]

    with (
        ending,
        mock_aws(),
        mock.patch.dict("os.environ", ENVIRONMENT),
        mock.patch.object(Policy, "load", return_value=POLICY),
        mock.patch.object(handler, "utc_now", side_effect=lambda: current[-1].now),
        wire.connected(httpx.MockTransport(lambda request: _sts(request, current[-1]))),
        mock.patch("slack_sdk.web.base_client.urlopen", lambda request, **_: cross(wire, transport, request)),
        mock.patch("slack_sdk.webhook.client.urlopen", lambda request, **_: cross(wire, transport, request)),
    ):
        _resources()
        yield make
    handler.build.cache_clear()


def _rows() -> int:
    tables = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables
    return sum(len(rows) for name in ("decisions", "ledger") for rows in tables[name].items.values())


def _resources() -> None:
    create_tables(client("dynamodb"), "ledger", "decisions")
    client("secretsmanager").create_secret(Name="slack", SecretString='{"bot_token": "xoxb-fake"}')
    queue, events = client("sqs"), client("events")
    url = queue.create_queue(QueueName="heard")["QueueUrl"]
    arn = queue.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.create_event_bus(Name="governor")
    events.put_rule(Name="all", EventBusName="governor", EventPattern='{"source": ["governor"]}')
    events.put_targets(Rule="all", EventBusName="governor", Targets=[{"Id": "heard", "Arn": arn}])


def _sts(request: httpx.Request, world: World) -> httpx.Response:
    """STS, which knows one signature of one digest."""
    assert request.url == "https://sts.us-east-1.amazonaws.com/", f"the desk called {request.url}"
    genuine = request.headers["authorization"].endswith(SIGNATURE) and request.headers[HEADER] == world.signed
    return httpx.Response(200, text=f"<Arn>{IDENTITY}</Arn>") if genuine else httpx.Response(403, text=REFUSAL)
