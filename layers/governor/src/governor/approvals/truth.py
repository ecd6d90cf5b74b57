"""Whether the rows bear out what an event says about a request, and the event as the rows tell it (promise 13). Pure.

Anybody who may publish such an event can write what he likes in it. So nothing of its words is shown to people: the
event is made again from the stored request and the stored decision, and the sender's is only held against it.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from governor.approvals.approval import Approval
from governor.approvals.evidence import ApprovalEvidence, approval_event
from governor.approvals.store import UNDER_WAY
from governor.events import DetailType, Event

Rule = Literal["unknown_request", "request_altered", "request_differs", "not_so"]
CLOCKS = timedelta(seconds=5)
"""How far the clocks of two functions may differ."""
_ABOUT_THE_REQUEST = (
    "approval", "kind", "digest", "name", "requested_by", "approvers", "needed", "expires_at", "change", "shown",
    "file", "author", "author_unknown",
)  # fmt: skip


class NotConfirmed(Exception):
    """The rows contradict the event. `rule` and the sentence say how; the sentence quotes nothing of the event."""

    def __init__(self, rule: Rule, why: str) -> None:
        super().__init__(why)
        self.rule = rule


def confirm(event: Event, approval: Approval | None, now: datetime) -> Event:
    """The event as the rows tell it, under the id that the genuine one has. `approval`: what is stored under its id.

    Raises `NotConfirmed` by the first rule that applies, and `BadEvent` for evidence of the wrong shape:

    1. `unknown_request`   no such request is stored
    2. `request_altered`   the stored request is not the one that was decided
    3. `request_differs`   the event says something else of the request than is stored, its digest included
    4. `not_so`            the stored decision is not what the event says came of it
    """
    said = ApprovalEvidence.of(event)
    if approval is None:
        raise NotConfirmed("unknown_request", "No request of this id is stored.")
    if approval.altered:
        raise NotConfirmed("request_altered", "The stored request was altered after people had decided it.")
    request = approval.request
    told = _as_it_was(event, approval, len(said.approved_by))
    at = _since(event, told, now)
    if at is None or (event.detail_type is DetailType.APPROVAL_COUNTED and said.approved_by != told.approved_by):
        raise NotConfirmed("not_so", f"The stored request is {approval.state}.")
    why = approval.withdrawn if approval.withdrawn is not None else approval.why
    genuine = approval_event(event.detail_type, told, at, f"{why}." if why else "")
    stored = ApprovalEvidence.of(genuine)
    differing = [name for name in _ABOUT_THE_REQUEST if getattr(said, name) != getattr(stored, name)]
    if event.subject != request.subject:
        differing.append("subject")
    if differing:
        raise NotConfirmed("request_differs", f"It differs from the stored request in: {', '.join(differing)}.")
    return genuine


def _as_it_was(event: Event, approval: Approval, votes: int) -> Approval:
    """The request as it stood then: a vote that came since must not make the same fact look like another. `votes`: how
    many had been counted."""
    if event.detail_type is DetailType.APPROVAL_REQUESTED:
        return Approval(approval.request)
    if event.detail_type is DetailType.APPROVAL_COUNTED:
        return replace(approval, votes=approval.votes[:votes], decided_at=None)
    return approval


def _since(event: Event, approval: Approval, now: datetime) -> datetime | None:
    """When what the event says came to be so; None when it is not so."""
    request = approval.request
    match event.detail_type:
        case DetailType.APPROVAL_REQUESTED:
            return request.requested_at
        case DetailType.APPROVAL_COUNTED:
            return approval.votes[-1].at if 0 < len(approval.votes) < request.needed else None
        case DetailType.APPROVAL_GRANTED:
            return approval.decided_at if approval.decision == "granted" else None
        case DetailType.APPROVAL_REJECTED:
            return approval.decided_at if approval.decision == "rejected" else None
        case DetailType.APPROVAL_EXPIRED:
            # Told first and written afterwards: no vote counts any more, whether or not the row says so yet.
            over = request.expires_at + UNDER_WAY
            undecided = approval.decision in (None, "pending") and over <= now + CLOCKS
            return over if approval.decision == "expired" or undecided else None
        case DetailType.APPROVAL_VOIDED:
            if approval.withdrawn is None and approval.state != "failed":
                return None
            # No row says when: the sender's moment, as far as it can be.
            return min(max(event.occurred_at, request.requested_at), now)
        case _:
            return None
