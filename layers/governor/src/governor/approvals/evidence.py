"""What the events about a human's decision hold, and how they are made from the request as it stands."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from governor.approvals.approval import Approval, Kind
from governor.events import DetailType, Event, event_id
from governor.events.evidence import Evidence


class ApprovalEvidence(Evidence):
    """Approval Requested, Counted, Granted, Rejected, Expired and Voided.

    `approval` and `digest` name the request and what it is about; a decision must bear both. `needed` of `approvers`
    (empty: anybody). `change`: what exactly, in JSON. `shown`: the lines that people were shown; `file`: a permalink to
    the rest of it. `author`: the Slack user who made what is decided about and may not approve it; where nobody knows
    who it is, `author_unknown` says why. `comment`: of whoever rejected it.
    """

    approval: str
    kind: Kind
    digest: str
    name: str
    requested_by: str
    approvers: tuple[str, ...]
    needed: int
    expires_at: datetime
    change: dict[str, Any]
    shown: tuple[str, ...] = ()
    file: str | None = None
    author: str = ""
    author_unknown: str = ""
    approved_by: tuple[str, ...] = ()
    decided_by: str | None = None
    comment: str = ""


class ApprovalDecided(Evidence):
    """Approval Decided, from outside: a decision sent as an event, where the policy's `approvals.by_event` allows it.

    `approval` and `digest` as in Approval Requested; `by`: a Slack user id among its approvers.
    """

    approval: str
    digest: str
    verdict: Literal["approve", "reject"]
    by: str
    comment: str = ""


class CommandRequested(Evidence):
    """Command Requested, from outside: what a person wants, sent by the command line. `proof` shows who it is.

    `command`: as it is typed after `/governor` in Slack. `nonce`: whatever makes two equal commands two. `proof`: see
    `governor.aws_identity`; no name that the event holds counts for anything.
    """

    command: Annotated[str, Field(max_length=500)]
    nonce: Annotated[str, Field(max_length=64)]
    proof: Annotated[str, Field(max_length=40_000)]


class RunawayExpected(Evidence):
    """Runaway Expected: the owner or an approver says that this spend is meant. Until then it is not judged."""

    name: str
    by: str
    until: datetime


class Forgery(Evidence):
    """Forgery Suspected: an event says what the ledger contradicts. Nothing of its words is repeated here.

    `detail_type` and `event`: the type and the id that it bears. `about`: the id of the stored request or promotion
    that it names, empty where none of that id is stored. `rule` and `found`: how the rows contradict it.
    """

    detail_type: str
    event: str
    about: str = ""
    rule: str
    found: str


def approval_event(kind: DetailType, approval: Approval, at: datetime, reason: str) -> Event:
    """One of the events about a request; the same step of the same request has the same id for ever.

    Each approval that is counted is a step of its own.
    """
    request = approval.request
    last = approval.votes[-1] if approval.votes else None
    evidence = ApprovalEvidence(
        approval=request.id,
        kind=request.kind,
        digest=request.digest,
        name=request.name or request.subject,
        requested_by=request.requested_by,
        approvers=request.approvers,
        needed=request.needed,
        expires_at=request.expires_at.replace(microsecond=0),  # as the row keeps it: the two are compared
        change=dict(request.change),
        shown=request.shown,
        file=request.file,
        author=request.author,
        author_unknown=request.author_unknown,
        approved_by=approval.approved_by,
        decided_by=last.by if last and approval.decided_at else None,
        comment=last.comment if last else "",
    )
    step = (len(approval.votes),) if kind is DetailType.APPROVAL_COUNTED else ()
    return Event(kind, event_id(kind, request.id, *step), request.subject, at, reason, evidence.model_dump(mode="json"))
