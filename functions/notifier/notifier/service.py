"""Tells people about an event exactly once: in its incident's Slack thread, or by mail.

The ledger holds a row per event (`notice#<id>`: intended, mailing, done), and one per incident: the thread's `ts`, its
events, a lease that lets one copy of this function at a time work on it, and `unsure` for as long as a post may have
happened that nobody noted down. Both are written before the first post; a retry, and whoever takes over, read the
channel back before they post. An event's row holds what the event said: ids can be computed, and an event that somebody
sends first under another's id must not silence that one.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal

from governor.clock import Clock, format_instant, parse_instant
from governor.events import Event, Publisher
from governor.ledger import ABSENT, Ledger, LedgerConflict, Put, Row
from governor.policy import Policy
from governor.slack.channel import Slack, SlackError, SlackGone, SlackRateLimited, SlackRefused
from governor.topic import Topic
from notifier.decide import Decision, decide, give_up_on_slack
from notifier.incident import Incident
from notifier.kinds import incident_key, is_told_by_its_order
from notifier.mail import mail
from notifier.truth import Checked, Truth, content

LEASE = timedelta(seconds=45)
"""Longer than the function's timeout (30 s), shorter than the queue's visibility timeout (180 s)."""
NOTICE_KEPT = timedelta(days=45)
INCIDENT_KEPT = timedelta(days=120)
NOTICE, INCIDENT = "notice", "incident"


class Postponed(Exception):
    """Nobody was told yet and nothing is lost: let the queue deliver the event again."""


@dataclass(frozen=True)
class Told:
    """Where people read it: `before` when an earlier delivery had told them, `order` in a bulk order's own message."""

    via: Literal["slack", "mail", "before", "order"]
    incident: str = ""
    reason: str = ""


@dataclass
class _Claim:
    """What this copy holds while it works. `unsure`: the thread's parent may be there though no row says so.

    `seen`: an earlier delivery of this very event got as far as its intent. `mailing`: it got as far as its mail, and
    this is why it was not for Slack.
    """

    decision: Decision
    notice_key: str
    notice_version: int
    incident_version: int
    unsure: bool
    seen: bool
    mailing: str | None


@dataclass
class Notifier:
    """`slack` is None where Slack is not used. One instance serves one batch: see `for_batch`."""

    ledger: Ledger
    slack: Slack | None
    topic: Topic
    policy: Policy
    clock: Clock
    truth: Truth
    bus: Publisher
    _outage: SlackError | None = field(default=None, init=False)

    def for_batch(self) -> "Notifier":
        """For one batch of events: once Slack is down or asks to wait, the rest of the batch leaves it alone."""
        return replace(self)

    def notify(self, event: Event, deliveries: int) -> Told:
        """`deliveries`: how often the queue has handed this event over. Raises `BadEvent`, `Postponed`, AWS errors."""
        checked = self.truth.of(event)
        event = checked.event
        if is_told_by_its_order(event) and not checked.doubt:
            return Told("order")
        sk, notice = self._remembered(event)
        if notice is not None and notice.data["status"] == "done":
            return Told("before", str(notice.data.get("incident", "")))
        if checked.alarm:
            # Again after a crash, under the same id. In the place of an event, it was told before when it comes back.
            self.bus.publish([checked.alarm])
        claim = self._claim(checked, sk, notice)
        try:
            via, ts, opened_by = self._tell(event, claim, deliveries)
        except SlackError as error:
            self._release(claim)
            raise Postponed(f"{event.detail_type} {event.id}: {error}") from error
        incident = replace(claim.decision.incident, ts=ts, opened_by=opened_by)
        self._commit(
            self._notice(event, claim.notice_key, incident.reference, claim.notice_version, status="done", via=via),
            self._incident(incident, claim.incident_version, leased=False, unsure=via != "slack"),
        )
        return Told(via, incident.reference, claim.decision.reason)

    def _remembered(self, event: Event) -> tuple[str, Row | None]:
        """The sort key of this very event's row, and the row. The first of an id has the plain one; rows that older
        versions wrote say nothing of content."""
        said = content(event)
        first = self.ledger.get(f"notice#{event.id}", NOTICE)
        if first is None or first.data.get("content", said) == said:
            return NOTICE, first
        other = f"{NOTICE}#{said}"
        return other, self.ledger.get(f"notice#{event.id}", other)

    def _claim(self, checked: Checked, sk: str, notice: Row | None) -> _Claim:
        event = checked.event
        # What nobody confirms joins no incident: it would turn a genuine one.
        key = f"unconfirmed#{content(event)}" if checked.doubt else incident_key(event)
        row = self.ledger.get(f"incident#{key}", INCIDENT)
        leased_until = row.data["leased_until"] if row else None
        if leased_until and parse_instant(leased_until) > self.clock():
            raise Postponed(f"{event.detail_type} {event.id}: another copy is at work on {key} until {leased_until}")
        remembered = Incident.remembered(row.data["incident"]) if row else Incident(key)
        decision = decide(remembered, event, self.policy, checked.doubt)
        claim = _Claim(
            decision,
            notice_key=sk,
            notice_version=(notice.version if notice else ABSENT) + 1,
            incident_version=(row.version if row else ABSENT) + 1,
            unsure=notice is not None or (row is not None and row.data["unsure"]),
            seen=notice is not None,
            mailing=notice.data.get("why") if notice else None,
        )
        status = {"status": "intended"} if claim.mailing is None else {"status": "mailing", "why": claim.mailing}
        self._commit(
            self._notice(event, sk, decision.incident.reference, claim.notice_version - 1, **status),
            # The incident as it was remembered: what this event changes in it is written when people were told.
            self._incident(remembered, claim.incident_version - 1, leased=True, unsure=True),
        )
        return claim

    def _tell(self, event: Event, claim: _Claim, deliveries: int) -> tuple[Literal["slack", "mail"], Any, Any]:
        incident = claim.decision.incident
        why = claim.mailing or ""
        if self.slack is not None and claim.mailing is None:
            try:
                return "slack", *self._post(self.slack, event, claim)
            except SlackRefused as error:
                why = str(error)
            except SlackError as error:
                self._outage = error
                if not give_up_on_slack(deliveries, limited=isinstance(error, SlackRateLimited)):
                    raise
                why = f"{error}. It was tried {deliveries} times; the message may appear in Slack as well."
        self._mail(event, claim, why)
        return "mail", incident.ts, incident.opened_by

    def _post(self, slack: Slack, event: Event, claim: _Claim) -> tuple[str, str]:
        if self._outage is not None:
            raise self._outage
        decision, incident = claim.decision, claim.decision.incident
        parent = {"incident": incident.reference, "part": "parent"}
        ts, opened_by = incident.ts, incident.opened_by
        if ts is not None and not _updated(slack, ts, decision):
            ts = None
        if ts is None:
            found = slack.find(parent) if claim.unsure else None
            if found is not None and found.ts != incident.ts and _updated(slack, found.ts, decision):
                ts, opened_by = found.ts, found.metadata.get("content", found.metadata["id"])
        said = content(event)
        if ts is None or opened_by is None:
            return slack.post(decision.parent, {"id": event.id, "content": said, **parent}), said
        if decision.reply and opened_by not in (said, event.id):
            reply = {"id": event.id, "content": said, "part": "reply"}
            if not (claim.seen and slack.find(reply, thread_ts=ts)):
                metadata = {**reply, "incident": incident.reference}
                slack.post(decision.notice, metadata, thread_ts=ts, broadcast=decision.broadcast)
        return ts, opened_by

    def _mail(self, event: Event, claim: _Claim, why: str) -> None:
        reference = claim.decision.incident.reference
        letter = mail(claim.decision.notice, why, repeated=claim.mailing is not None)
        if claim.mailing is None:
            # Mail cannot be read back: this row is how a retry knows that a copy may have gone out already.
            self._commit(
                self._notice(event, claim.notice_key, reference, claim.notice_version, status="mailing", why=why)
            )
            claim.notice_version += 1
        self.topic.send(letter.subject, letter.body)

    def _release(self, claim: _Claim) -> None:
        """Let the next delivery, or another event of this incident, go ahead without waiting for the lease to end."""
        row = self.ledger.get(f"incident#{claim.decision.incident.key}", INCIDENT)
        if row is not None and row.version == claim.incident_version:
            remembered = Incident.remembered(row.data["incident"])
            self._commit(self._incident(remembered, row.version, leased=False, unsure=True))

    def _notice(self, event: Event, sk: str, incident: str, expect: int, **status: str) -> Put:
        now = self.clock()
        data = {"incident": incident, "at": format_instant(now), "content": content(event), **status}
        return Put(f"notice#{event.id}", sk, data, expect, now + NOTICE_KEPT)

    def _incident(self, incident: Incident, expect: int, *, leased: bool, unsure: bool) -> Put:
        now = self.clock()
        until = format_instant(now + LEASE) if leased else None
        data = {"incident": incident.data(), "leased_until": until, "unsure": unsure}
        return Put(f"incident#{incident.key}", INCIDENT, data, expect, now + INCIDENT_KEPT)

    def _commit(self, *writes: Put) -> None:
        try:
            self.ledger.commit(*writes)
        except LedgerConflict as error:
            raise Postponed(f"another copy was first: {error}") from error


def _updated(slack: Slack, ts: str, decision: Decision) -> bool:
    try:
        slack.update(ts, decision.parent)
    except SlackGone:
        return False
    return True
