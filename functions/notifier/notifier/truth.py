"""What people are shown of a decision comes from the rows that hold it, and from no event's words (promise 13).

Events about requests, and about spend that a person expects, are made again from their rows before anything else looks
at them. One that its rows contradict is never shown: `Forgery Suspected` takes its place, without a button.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from governor.approval_evidence import ApprovalEvidence, Forgery, RunawayExpected
from governor.approval_truth import NotBorneOut, borne_out
from governor.approvals import Approvals
from governor.clock import Clock, format_instant
from governor.events import DetailType, Event, event_id
from governor.ledger import Ledger

DECISIONS = frozenset(
    {
        DetailType.APPROVAL_REQUESTED,
        DetailType.APPROVAL_GRANTED,
        DetailType.APPROVAL_REJECTED,
        DetailType.APPROVAL_EXPIRED,
        DetailType.APPROVAL_VOIDED,
    }
)


@dataclass(frozen=True)
class Truth:
    """What the rows say. Reads only."""

    ledger: Ledger
    approvals: Approvals
    clock: Clock

    @classmethod
    def over(cls, tables: Sequence[Ledger], clock: Clock) -> Self:
        """`tables`: the ledger's, and that of decisions."""
        ledger, decisions = tables
        return cls(ledger, Approvals(ledger, decisions), clock)

    def of(self, event: Event) -> Event:
        """The event as its rows tell it; of a kind that has no rows here, as it came.

        A `Forgery Suspected` where the rows contradict it. Raises `BadEvent`.
        """
        if event.detail_type is DetailType.RUNAWAY_EXPECTED:
            return self._expected(event)
        if event.detail_type not in DECISIONS:
            return event
        about = ApprovalEvidence.of(event).approval
        approval = self.approvals.get(about)
        try:
            return borne_out(event, approval, self.clock())
        except NotBorneOut as contradiction:
            subject = approval.request.subject if approval else "approvals"
            return self._forged(event, contradiction.rule, f"{contradiction}", subject, about if approval else "")

    def _expected(self, event: Event) -> Event:
        said = RunawayExpected.of(event)
        row = self.ledger.get("detector", f"{event.subject}#expected")
        if row is None:
            return self._forged(event, "not_so", "Nobody has said that this spend is expected.", "approvals", "")
        until, by = str(row.data["until"]), str(row.data["by"])
        if format_instant(said.until) > until or (format_instant(said.until) == until and said.by != by):
            return self._forged(event, "not_so", "The stored word is another person's, or for a shorter time.",
                                "approvals", "")  # fmt: skip
        return replace(event, evidence={"name": event.subject, "by": by, "until": until})

    def _forged(self, event: Event, rule: str, found: str, subject: str, about: str) -> Event:
        kind = DetailType.FORGERY_SUSPECTED
        evidence = Forgery(detail_type=event.detail_type, event=event.id[:64], about=about, rule=rule, found=found)
        reason = f"An event of type {event.detail_type} was not shown: the ledger contradicts it. {found}"
        told = evidence.model_dump(mode="json")
        at = min(event.occurred_at, self.clock())
        id = event_id(kind, event.id, content(event))
        return Event(DetailType.FORGERY_SUSPECTED, id, subject, at, reason, told)


def content(event: Event) -> str:
    """SHA-256 (hex) of what the event says, without when: two events of one id that say different things differ."""
    said = [event.detail_type, event.id, event.subject, event.reason, event.evidence]
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
