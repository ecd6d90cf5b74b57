"""What people are shown of an event comes from the rows that hold it, and from no event's words (promise 13).

Events about requests, and about spend that a person expects, are made again from the rows of what they tell. Any other
event of Governor's is read from the row that its publisher stored before it went to the bus. One that its rows
contradict is never shown: `Forgery Suspected` takes its place, without a button. One of which there is no row is shown
without buttons, marked as not confirmed, and `Forgery Suspected` goes out as well. A report from outside (Key Exposed)
has no row; no button ever stands beside it.
"""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Self

from governor.approvals.evidence import ApprovalEvidence, Forgery, RunawayExpected
from governor.approvals.store import Approvals
from governor.approvals.truth import NotConfirmed, confirm
from governor.clock import Clock, format_instant, parse_instant
from governor.events import DetailType, Event, event_id
from governor.events.published import partition, published
from governor.events.publishers import OF_DECISIONS, RECORDED
from governor.ledger import Ledger, LedgerConflict, Put

Doubt = Literal["unrecorded", "older"]
"""Why an event is not confirmed. `older`: it says that it is from before events were stored, and it may be."""
SINCE = "since"
"""The notifier's own row of when it first looked for stored events (pk `published#notifier`)."""
DEPLOYING = timedelta(hours=1)
"""A deployment replaces the functions one after the other: an old one may publish for so long after `SINCE`."""
UNDER_WAY = timedelta(days=15)
"""How long an event of an earlier version may come late: the queue and its dead letters keep one for 14 days."""


@dataclass(frozen=True)
class Checked:
    """An event as people may be shown it. `doubt`: why it is not confirmed; no button may stand beside it then.

    `alarm`: a `Forgery Suspected` to be published before anything is shown.
    """

    event: Event
    doubt: Doubt | None = None
    alarm: Event | None = None


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

    def of(self, event: Event) -> Checked:
        """The event as its rows tell it. Raises `BadEvent`."""
        if event.detail_type is DetailType.RUNAWAY_EXPECTED:
            return self._expected(event)
        if event.detail_type in OF_DECISIONS:
            return self._decided(event)
        return self._stored(event) if event.detail_type in RECORDED else Checked(event)

    def _stored(self, event: Event) -> Checked:
        """By the row that its publisher wrote before it published."""
        since = self._since()
        stored = published(self.ledger, event)
        if stored is None:
            now = self.clock()
            if event.occurred_at <= since + DEPLOYING and now <= since + UNDER_WAY:
                return Checked(event, "older")
            alarm = self._forgery(event, "unrecorded", "No event of this id is stored.", "events", "")
            return Checked(event, "unrecorded", alarm)
        if content(stored) == content(event):
            return Checked(stored)
        return self._forged(event, "record_differs", "An event of this id is stored, with another content.", "events")

    def _since(self) -> datetime:
        """When the notifier first looked for stored events: what happened before may have none."""
        pk = partition("notifier")
        row = self.ledger.get(pk, SINCE)
        if row is None:
            with suppress(LedgerConflict):  # a copy beside this one was first
                self.ledger.commit(Put(pk, SINCE, {"at": format_instant(self.clock())}))
            row = self.ledger.get(pk, SINCE)
        return parse_instant(row.data["at"]) if row else self.clock()

    def _decided(self, event: Event) -> Checked:
        about = ApprovalEvidence.of(event).approval
        approval = self.approvals.get(about)
        try:
            return Checked(confirm(event, approval, self.clock()))
        except NotConfirmed as contradiction:
            subject = approval.request.subject if approval else "approvals"
            return self._forged(event, contradiction.rule, f"{contradiction}", subject, about if approval else "")

    def _expected(self, event: Event) -> Checked:
        said = RunawayExpected.of(event)
        row = self.ledger.get("detector", f"{event.subject}#expected")
        if row is None:
            return self._forged(event, "not_so", "Nobody has said that this spend is expected.", "approvals")
        until, by = str(row.data["until"]), str(row.data["by"])
        if format_instant(said.until) > until or (format_instant(said.until) == until and said.by != by):
            return self._forged(event, "not_so", "The stored word is another person's, or for a shorter time.",
                                "approvals")  # fmt: skip
        return Checked(replace(event, evidence={"name": event.subject, "by": by, "until": until}))

    def _forged(self, event: Event, rule: str, found: str, subject: str, about: str = "") -> Checked:
        """The alarm in the place of the event."""
        alarm = self._forgery(event, rule, found, subject, about)
        return Checked(alarm, alarm=alarm)

    def _forgery(self, event: Event, rule: str, found: str, subject: str, about: str) -> Event:
        kind = DetailType.FORGERY_SUSPECTED
        evidence = Forgery(detail_type=event.detail_type, event=event.id[:64], about=about, rule=rule, found=found)
        reason = f"The ledger does not bear out an event of type {event.detail_type}. {found}"
        told = evidence.model_dump(mode="json")
        at = min(event.occurred_at, self.clock())
        id = event_id(kind, event.id, content(event))
        return Event(DetailType.FORGERY_SUSPECTED, id, subject, at, reason, told)


def content(event: Event) -> str:
    """SHA-256 (hex) of what the event says, without when: two events of one id that say different things differ."""
    said = [event.detail_type, event.id, event.subject, event.reason, event.evidence]
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
