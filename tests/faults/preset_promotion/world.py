"""The world of promotion's fault tests: a preset in two workspaces, two keys, the ledger, and people who decide."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from governor.approvals.approval import Request, Vote
from governor.approvals.evidence import ApprovalEvidence
from governor.approvals.store import Approvals
from governor.clock import format_instant
from governor.ledger.dynamodb import DynamoLedger
from preset_promotion import handler
from sandbox.openrouter import Simulator
from sandbox.openrouter.scripts import Script
from tests.faults.clients import client
from tests.faults.harness import Wire, context
from tests.faults.stage import Ground

START = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
SLUG = "support-triage"
STAGING, PRODUCTION = "platform-staging", "platform-production"
FROM_SECRET, TO_SECRET = "presets/staging", "presets/production"
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
AUTHOR = "user_fake_dev"
"""Saves what nobody else is said to: U0DEV."""
POLICY: dict[str, Any] = {
    "version": 1,
    "people": {"U0DEV": AUTHOR, "U0LEAD": "user_fake_lead"},
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
    "approvals": {"channel": "C0GOVERNOR", "approvers": ["U0LEAD"], "expire_after": "24h", "by_event": True},
}  # fmt: skip
SCRIPTS = [Script('{"queue": "billing"}', prompt="money back"), Script("Yes.", prompt="Are you there")]


class Heard(list[dict[str, Any]]):
    """The events that reached the bus, each with what production served at the moment at which people were told."""

    def __init__(self, heard: list[dict[str, Any]], serves: Callable[[], object]) -> None:
        super().__init__(heard)
        self._serves = serves

    def extend(self, events: Iterable[dict[str, Any]]) -> None:
        super().extend({**event, "Serves": self._serves()} for event in events)


@dataclass
class World:
    """Staging and production of one preset; what stands is read past the wire, which counts for no case."""

    ground: Ground
    now: datetime = START
    told: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.told = Heard(self.told, self.serves)

    @property
    def wire(self) -> Wire:
        return self.ground.wire

    @property
    def simulator(self) -> Simulator:
        return self.ground.simulator

    def own(self) -> dict[str, Any]:
        """What of the world is neither AWS's nor OpenRouter's."""
        return {"now": self.now, "told": list(self.told)}

    # --- what stands ---------------------------------------------------------------------------------------------
    def versions(self, workspace: str = PRODUCTION) -> list[tuple[str | None, dict[str, Any]]]:
        """Every version of the preset there, oldest first: prompt and config."""
        place = self.simulator.organization.workspace(workspace)
        preset = self.simulator.organization.presets.get((place.id, SLUG))
        return [(one.system_prompt, one.config) for one in preset.versions] if preset else []

    def serves(self) -> tuple[str | None, dict[str, Any]] | None:
        """What production's callers get; None where there is no such preset."""
        return next(reversed(self.versions()), None)

    def record(self) -> Mapping[str, Any]:
        return self.rows("preset").get(SLUG, {})

    def rows(self, pk: str) -> dict[str, Mapping[str, Any]]:
        """The data of the ledger's rows under one partition key, by sort key."""
        return {sk: row.data for sk, row in self.ground.aws.rows(pk).items()}

    def written(self) -> str:
        """Everything in the tables and on the bus, to be searched."""
        tables = self.ground.aws.dynamodb.tables.values()
        rows = [found.values() for table in tables for found in table.items.values()]
        texts = [item.attrs["data"].value for items in rows for item in items]
        return json.dumps([texts, [event["Detail"] for event in self.told]])

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
        return sorted(row["outcome"] for row in self.rows("promotion").values())

    # --- what happens --------------------------------------------------------------------------------------------
    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def save(self, workspace: str, prompt: str | None, config: dict[str, Any], member: str = AUTHOR) -> None:
        """A member edits the preset there, by whatever means."""
        organization = self.simulator.organization
        place = organization.workspace(workspace)
        key = next(key for key in organization.keys if key.workspace_id == place.id)
        organization.add_preset_version(key, SLUG, prompt, dict(config), member=member)

    def tick(self) -> Callable[[], object]:
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

    def order(
        self, kind: Any, by: str = "U0LEAD", id: str = "order-1", also: str = "", **change: Any
    ) -> Callable[[], object]:
        """An approver has it done at once; where `also` is given, with that one's approval."""
        self.wire.begin()
        approvers, needed = ("U0LEAD", "U0SEC"), 2 if also else 1
        ends = self.now + timedelta(hours=24)
        request = Request(id, kind, SLUG, by, self.now, ends, {"preset": SLUG, **change}, approvers, needed)
        self.approvals().order(request, Vote(f"{by}-{id}", by, "approve", self.now))
        if also:
            self.approvals().vote(id, request.digest, Vote(f"{also}-{id}", also, "approve", self.now))
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
            change=dict(request.change), author=request.author, author_unknown=request.author_unknown,
        )  # fmt: skip
        event = self._event(kind, f"{kind}-{id}", evidence.model_dump(mode="json"), source="governor")
        return lambda: handler.lambda_handler(event, context(600.0))

    def approvals(self) -> Approvals:
        table = client("dynamodb")
        return Approvals(DynamoLedger(table, "ledger"), DynamoLedger(table, "decisions"))

    def _event(self, kind: str, id: str, evidence: dict[str, Any], source: str = "ci") -> dict[str, Any]:
        detail = {"subject": SLUG, "evidence": evidence}
        return {"id": id, "detail-type": kind, "source": source, "time": format_instant(self.now), "detail": detail}


def policy(*, by_event: bool = True, **changes: Any) -> dict[str, Any]:
    """The policy, with fields of its one preset changed. `by_event`: whether a name in an event is believed."""
    approvals = {**POLICY["approvals"], "by_event": by_event}
    return {**POLICY, "approvals": approvals, "presets": [{**POLICY["presets"][0], **changes}]}
