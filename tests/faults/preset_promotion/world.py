"""The world of promotion's fault tests: a preset in two workspaces, two keys, the ledger, and people who decide."""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3

from governor.approval import Request, Vote
from governor.approval_evidence import ApprovalEvidence
from governor.approvals import Approvals
from governor.clock import format_instant
from governor.dynamo_ledger import DynamoLedger
from governor.policy import Policy
from preset_promotion import handler
from sandbox.openrouter import Simulator
from sandbox.openrouter.inference import Script
from tests.faults.harness import Wire, context

START = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
SLUG = "support-triage"
STAGING, PRODUCTION = "platform-staging", "platform-production"
FROM_SECRET, TO_SECRET = "openrouter/staging/presets", "openrouter/prod/presets"
SECRETS = {FROM_SECRET: "sk-or-v1-fake-staging", TO_SECRET: "sk-or-v1-fake-production"}
HAIKU, SONNET = "anthropic/claude-haiku-4.5", "anthropic/claude-sonnet-4.5"
FORMER_PROMPT, NEW_PROMPT = "You sort tickets. Be short.", "You sort tickets. Answer in JSON."
FORMER = {"model": HAIKU, "temperature": 0.2, "max_tokens": 400, "provider": {"data_collection": "deny"}}
NEW = {"model": HAIKU, "temperature": 0.7, "max_tokens": 400, "provider": {"data_collection": "deny"}}
ENVIRONMENT = {
    "TABLE_NAME": "ledger",
    "DECISIONS_TABLE_NAME": "decisions",
    "EVENT_BUS_NAME": "governor",
    "POWERTOOLS_SERVICE_NAME": "preset_promotion",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
}
GOLDEN_PROMPT = "I want my money back for order 7."
POLICY: dict[str, Any] = {
    "version": 1,
    "presets": [
        {
            "slug": SLUG, "from": STAGING, "to": PRODUCTION, "from_secret": FROM_SECRET, "to_secret": TO_SECRET,
            "approvers": ["U0LEAD", "U0SEC"], "watch": True,
            "checks": {
                "certified": [HAIKU, SONNET],
                "golden": {
                    "usd": 0.5, "max_tokens": 64,
                    "cases": [{"name": "refund", "prompt": GOLDEN_PROMPT, "contains": ["billing"]}],
                },
            },
        }
    ],
    "approvals": {"channel": "C0GOVERNOR", "approvers": ["U0LEAD"], "expire_after": "24h"},
}  # fmt: skip
SCRIPTS = [Script('{"queue": "billing"}', prompt="money back"), Script("Yes.", prompt="Are you there")]


@dataclass(frozen=True)
class Aws:
    """What AWS keeps, past its wire: moto's tables."""

    dynamodb: Any

    def state(self) -> dict[str, Any]:
        return {"tables": self.dynamodb.tables}

    def restore(self, state: dict[str, Any]) -> None:
        """A copy of the state, which another world may still want."""
        self.dynamodb.tables = copy.deepcopy(state)["tables"]

    def rows(self, pk: str, table: str = "ledger") -> dict[str, dict[str, Any]]:
        """The data of a table's rows under one partition key, by sort key."""
        held = self.dynamodb.tables[table].items
        items = [item.attrs for key, found in held.items() if key.value == pk for item in found.values()]
        return {item["sk"].value: json.loads(item["data"].value) for item in items}

    def text(self) -> str:
        """Everything in the tables, to be searched."""
        rows = [
            (key.value, item.attrs["data"].value)
            for table in self.dynamodb.tables.values()
            for key, found in table.items.items()
            for item in found.values()
        ]
        return repr(rows)


@dataclass
class World:
    """Staging and production of one preset; what stands is read past the wire, which counts for no case."""

    wire: Wire
    simulator: Simulator
    aws: Aws
    now: datetime = START
    told: list[dict[str, Any]] = field(default_factory=list)

    def own(self) -> dict[str, Any]:
        """What of the world is neither AWS's nor OpenRouter's."""
        return {"now": self.now, "told": self.told}

    # --- what stands ---------------------------------------------------------------------------------------------
    def versions(self, workspace: str = PRODUCTION) -> list[tuple[str | None, dict[str, Any]]]:
        """Every version of the preset there, oldest first: prompt and config."""
        place = self.simulator.organization.workspace(workspace)
        preset = self.simulator.organization.presets.get((place.id, SLUG))
        return [(one.system_prompt, one.config) for one in preset.versions] if preset else []

    def serves(self) -> tuple[str | None, dict[str, Any]]:
        return self.versions()[-1]

    def record(self) -> dict[str, Any]:
        return self.aws.rows("preset").get(SLUG, {})

    def kinds(self) -> list[str]:
        """The detail types told so far, each id once, in order."""
        heard = {entry["Detail"]["id"]: entry["DetailType"] for entry in self.told}
        return list(heard.values())

    def last(self, kind: str) -> dict[str, Any]:
        """The evidence of the last event of this type."""
        found: dict[str, Any] = [one for one in self.told if one["DetailType"] == kind][-1]["Detail"]["evidence"]
        return found

    def asked(self) -> str:
        """The id of the approval that was asked for last."""
        return str(self.last("Approval Requested")["approval"])

    def outcomes(self) -> list[str]:
        """What became of everything that has ended."""
        return sorted(row["outcome"] for row in self.aws.rows("promotion").values())

    # --- what happens --------------------------------------------------------------------------------------------
    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def save(self, workspace: str, prompt: str | None, config: dict[str, Any]) -> None:
        """A member edits the preset there, by whatever means."""
        organization = self.simulator.organization
        place = organization.workspace(workspace)
        key = next(key for key in organization.keys if key.workspace_id == place.id)
        organization.add_preset_version(key, SLUG, prompt, dict(config))

    def beat(self) -> Callable[[], object]:
        event = {"version": 1, "scheduled_time": format_instant(self.now)}
        return lambda: handler.lambda_handler(event, context(600.0))

    def request(self, by: str = "U0DEV", id: str = "request-1", **evidence: Any) -> Callable[[], object]:
        event = self._event("Preset Promotion Requested", id, {"requested_by": by, **evidence})
        return lambda: handler.lambda_handler(event, context(600.0))

    def decide(self, by: str = "U0LEAD", verdict: Any = "approve", id: str | None = None) -> None:
        """What the approval desk would do with a click."""
        self.wire.begin()
        id = id or self.asked()
        standing = self.approvals().get(id)
        assert standing
        self.approvals().vote(id, standing.request.digest, Vote(f"{by}-{id}", by, verdict, self.now))

    def order(self, kind: Any, by: str = "U0LEAD", id: str = "order-1", **change: Any) -> Callable[[], object]:
        """An approver has it done at once."""
        self.wire.begin()
        request = Request(
            id, kind, SLUG, by, self.now, self.now + timedelta(hours=24), {"preset": SLUG, **change}, ("U0LEAD",)
        )
        self.approvals().order(request, Vote(f"{by}-{id}", by, "approve", self.now))
        return self.granted(id)

    def granted(self, id: str | None = None, kind: str = "Approval Granted") -> Callable[[], object]:
        """The event by which the desk tells of a decision."""
        self.wire.begin()
        id = id or self.asked()
        standing = self.approvals().get(id)
        assert standing
        request = standing.request
        evidence = ApprovalEvidence(
            approval=id, kind=request.kind, digest=request.digest, name=SLUG, requested_by=request.requested_by,
            approvers=request.approvers, needed=request.needed, expires_at=request.expires_at,
            change=dict(request.change),
        )  # fmt: skip
        event = self._event(kind, f"{kind}-{id}", evidence.model_dump(mode="json"), source="governor")
        return lambda: handler.lambda_handler(event, context(600.0))

    def approvals(self) -> Approvals:
        table = client("dynamodb")
        return Approvals(DynamoLedger(table, "ledger"), DynamoLedger(table, "decisions"))

    def _event(self, kind: str, id: str, evidence: dict[str, Any], source: str = "ci") -> dict[str, Any]:
        detail = {"subject": SLUG, "evidence": evidence}
        return {"id": id, "detail-type": kind, "source": source, "time": format_instant(self.now), "detail": detail}


_AWS = boto3.session.Session


@cache
def client(service: str) -> Any:
    """One client a service for the whole session: to make one costs more than a case."""
    session: Any = _AWS(region_name="us-east-1")
    return session.client(service, config=handler.AWS)


class Session:
    """Stands for boto3's in the handler."""

    def client(self, service: str, **_options: Any) -> Any:
        return client(service)


def policy(**changes: Any) -> Policy:
    """The policy, with fields of its one preset changed."""
    return Policy.model_validate({**POLICY, "presets": [{**POLICY["presets"][0], **changes}]})
