"""The desk over doubles: two ledgers and Slack in memory, a bus that remembers, a clock that is set."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from approval_desk.bulk import Pace
from approval_desk.ports import Ports
from approval_desk.service import ApprovalDesk
from approval_desk.settings import Commanded
from governor.approvals.approval import Kind, Request
from governor.approvals.evidence import CommandRequested
from governor.approvals.store import Approvals
from governor.aws_identity import Proof, StsUnavailable, Unproven, digest
from governor.events import DetailType, Event
from governor.events.evidence import Cause
from governor.keys.bulk_order import BulkOrders
from governor.keys.causes import CauseRow, CauseStore
from governor.keys.lineage import LineageKey, Lineages
from governor.ledger import MemoryLedger
from governor.policy import Policy
from governor.slack.identity import Installation
from governor.slack.memory import MemoryDirectory, MemoryReplies
from governor.slack.requests import Kind as RequestKind
from governor.slack.requests import SlackRequest

NOW = datetime(2026, 3, 11, 2, 44, tzinfo=UTC)
WORKLOAD, OWNER, LEAD, SEC, ANYBODY = "prod-search-agent", "U0SEARCH", "U0LEAD", "U0SEC", "U0ANYBODY"
PRESET, ZERO, TEAM = "support-triage", "prod-zero-agent", "T0"
STACK = "arn:aws:events:us-east-1:123456789012:event-bus/governor"
FORMER, CURRENT = "a" * 64, "b" * 64
POLICY: dict[str, Any] = {
    "version": 1,
    "workloads": [
        {"name": WORKLOAD, "workspace": "production", "owner": {"slack": OWNER}, "secret": "openrouter/search"},
        {
            "name": ZERO, "workspace": "production", "owner": {"slack": OWNER}, "tier": 0, "secret": "openrouter/zero",
        },
        {"name": "prod-plain-agent", "workspace": "production", "owner": {"slack": OWNER}, "tier": 0},
    ],
    "byok": [
        {
            "workspace": "production", "provider": "anthropic", "reason": "r", "owner": "o", "exit": "e",
            "probe": {"model": "m", "secret": "openrouter/search"}, "drill": {},
        },
        {"workspace": "production", "provider": "openai", "reason": "r", "owner": "o", "exit": "e"},
    ],
    "presets": [
        {
            "slug": PRESET, "from": "staging", "to": "production", "approvers": [LEAD, SEC], "approvals": 2,
            "from_secret": "openrouter/staging", "to_secret": "openrouter/production",
        },
    ],
    "approvals": {"channel": "C0GOVERNOR", "approvers": [LEAD, SEC], "expire_after": "24h", "by_event": True},
}  # fmt: skip


class Bus:
    """Remembers what was published, each id once; `broken` fails that many times."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.broken = 0

    def publish(self, events: Sequence[Event]) -> None:
        if self.broken:
            self.broken -= 1
            raise RuntimeError("the bus does not answer")
        self.events += [event for event in events if event.id not in {one.id for one in self.events}]

    def kinds(self) -> list[DetailType]:
        return [event.detail_type for event in self.events]


class Signers:
    """STS in memory: `signed` holds the identity by signature and digest."""

    def __init__(self) -> None:
        self.signed: dict[tuple[str, str], str] = {}
        self.asked = 0
        self.broken = False

    def signer(self, proof: Proof, digest: str) -> str:
        self.asked += 1
        if self.broken:
            raise StsUnavailable("no answer")
        found = self.signed.get((proof.signature, digest))
        if found is None:
            raise Unproven("unproven", "STS refuses the signature: SignatureDoesNotMatch")
        return found


class Desk:
    """What a test looks at and touches."""

    def __init__(self, **policy: Any) -> None:
        self.now = NOW
        self._count = 0
        self.ledger, self.decisions, self.bus, self.slack = MemoryLedger(), MemoryLedger(), Bus(), MemoryReplies()
        self.directory = MemoryDirectory(Installation(TEAM))
        self.signers = Signers()
        self.approvals = Approvals(self.ledger, self.decisions)
        chosen = {name: value for name, value in (POLICY | policy).items() if value is not None}
        self.policy = Policy.model_validate(chosen)
        log = logging.getLogger("approval_desk")
        self.desk = ApprovalDesk(
            Ports(
                self.policy,
                self.ledger,
                self.approvals,
                BulkOrders(self.decisions),
                lambda: Pace(20.0),
                self.bus,
                self.slack,
                self.directory,
                self.signers,
                STACK,
                lambda: self.now,
                log,
            )
        )

    def does(self, request: SlackRequest, deliveries: int = 1) -> str:
        return self.desk.act(request, deliveries)

    def types(self, user: str, text: str) -> str:
        self._count += 1
        return self.does(command(user, text, n=self._count))

    def signs(self, arn: str, text: str, *, at: datetime | None = None, stack: str = STACK) -> Commanded:
        """A command that this identity has signed."""
        self._count += 1
        nonce = f"n{self._count}"
        proof = Proof("FAKEACCESSKEY0000001", f"{at or self.now:%Y%m%dT%H%M%SZ}", _id(arn, text, nonce))
        self.signers.signed[proof.signature, digest(stack, text, nonce)] = arn
        return Commanded(CommandRequested(command=text, nonce=nonce, proof=proof.encode()))

    def commands(self, arn: str, text: str) -> str:
        return self.desk.commanded(self.signs(arn, text))

    @property
    def answered(self) -> str:
        """What the last command was answered."""
        return str(self.ledger.rows("interaction")[-1].data["said"])

    def clicks(self, user: str, action: str, **value: str) -> str:
        self._count += 1
        return self.does(click(user, action, value, n=self._count))

    @property
    def said(self) -> str:
        """What was last told to somebody alone."""
        return self.slack.told[-1][1]

    def disabled(self, *causes: Cause) -> None:
        store = CauseStore(self.ledger)
        for cause in causes:
            store.write(CauseRow(WORKLOAD, cause, "disabled", f"event-{cause}", ("a" * 64,), NOW - timedelta(hours=1)))

    def rotated(self, workload: str = WORKLOAD, *, exposed: bool = False) -> None:
        """The workload's key was replaced an hour ago; the former one is in overlap."""
        at = NOW - timedelta(hours=1)
        former = LineageKey(FORMER, f"{workload}#1", "overlap", at, until=NOW + timedelta(hours=23), exposed=exposed)
        keys = (former, LineageKey(CURRENT, f"{workload}#2", "current", at))
        lineages = Lineages(self.ledger)
        lineages.write(replace(lineages.get(workload), keys=keys))

    def asked(
        self, kind: Kind = "restore", needed: int = 1, by: str = ANYBODY, approvers: tuple[str, ...] = (LEAD, SEC)
    ) -> dict[str, str]:
        """A request that stands open; the value of its buttons."""
        request = Request(
            f"request-{kind}", kind, WORKLOAD, by, self.now, self.now + timedelta(hours=24),
            {"cause": "runaway"}, approvers, needed,
        )  # fmt: skip
        self.approvals.ask(request)
        return {"approval": request.id, "digest": request.digest}

    def state(self, id: str = "request-restore") -> str:
        approval = self.approvals.get(id)
        assert approval
        return approval.state


def _id(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def command(user: str, text: str, *, at: datetime = NOW, team: str = "T0", n: int = 0) -> SlackRequest:
    url = "https://hooks.slack.com/commands/1"
    return SlackRequest(
        _id(user, text, at, n), int(at.timestamp()), "command", user, "T0", team, "C0", text, response_url=url
    )


def click(
    user: str, action: str, value: Mapping[str, str], *, at: datetime = NOW, team: str = "T0", n: int = 0,
    kind: RequestKind = "button",
) -> SlackRequest:  # fmt: skip
    url = "https://hooks.slack.com/actions/1" if kind == "button" else ""
    id = _id(user, action, sorted(value.items()), at, n, kind)
    return SlackRequest(
        id, int(at.timestamp()), kind, user, "T0", team, "C0", "", action, dict(value), url, f"trigger-{n}"
    )
