"""Counts votes and tells the bus: the decision is written first, and its event has the same id however often it is
sent. A crash between the two is made good by the retry, which finds its own vote."""

from dataclasses import replace

from approval_desk.ports import Ports
from governor.approvals.approval import Approval, Request, Vote, Voted, judge
from governor.approvals.evidence import approval_event
from governor.events import DetailType, Event
from governor.ledger import LedgerConflict

ATTEMPTS = 8
"""How often a lost conditional write is decided anew before the platform's retries take over."""


def vote(ports: Ports, id: str, digest: str, cast: Vote) -> Voted:
    """What became of the vote; whoever subscribes has been told. Raises `LedgerConflict`, `PublishFailed`."""
    voted = _counted(ports, id, digest, cast)
    if voted.approval and voted.outcome == "granted":
        ports.bus.publish([granted(voted.approval)])
    elif voted.approval and voted.outcome == "counted":
        ports.bus.publish([counted(voted.approval, cast.id)])
    elif voted.approval and voted.outcome == "rejected":
        reason = f"{cast.by} rejected it{f': {cast.comment}' if cast.comment else ''}."
        ports.bus.publish([_event(DetailType.APPROVAL_REJECTED, voted.approval, reason)])
    return voted


def foresee(ports: Ports, id: str, digest: str, cast: Vote) -> Voted:
    """What would become of the vote now; nothing is written."""
    approval = ports.approvals.get(id)
    return judge(approval, digest, cast) if approval else Voted("refused", "unknown", None)


def _counted(ports: Ports, id: str, digest: str, cast: Vote) -> Voted:
    for _ in range(ATTEMPTS - 1):
        try:
            return ports.approvals.vote(id, digest, cast)
        except LedgerConflict as conflict:
            ports.log.info("another vote came between; judging anew", extra={"conflict": str(conflict)})
    return ports.approvals.vote(id, digest, cast)


def order(ports: Ports, asked: Request, cast: Vote) -> Approval:
    """Granted at once, and told; where more are needed, counted as the first of them, and the others are asked."""
    for _ in range(ATTEMPTS - 1):
        try:
            approval = ports.approvals.order(asked, cast)
            break
        except LedgerConflict as conflict:
            ports.log.info("a copy of this came between; reading anew", extra={"conflict": str(conflict)})
    else:
        approval = ports.approvals.order(asked, cast)
    if approval.state == "granted":
        ports.bus.publish([granted(approval)])
    else:
        ports.bus.publish([_asked(approval.request), counted(approval, cast.id)])
    return approval


def ask(ports: Ports, asked: Request) -> None:
    """Stored, and told."""
    ports.bus.publish([_asked(ports.approvals.ask(asked))])


def _asked(stored: Request) -> Event:
    reason = f"{stored.requested_by} asks: {' '.join(stored.shown)}"
    return approval_event(DetailType.APPROVAL_REQUESTED, Approval(stored), stored.requested_at, reason)


def expire(ports: Ports) -> int:
    """Tells of each request whose time is over, then writes it off; how many."""
    over = ports.approvals.overdue(ports.clock())
    for approval in over:
        ports.bus.publish([_event(DetailType.APPROVAL_EXPIRED, approval, "Nobody decided in time.")])
        try:
            ports.approvals.write_off(approval)
        except LedgerConflict:
            ports.log.info("written off by a copy of this run", extra={"approval": approval.request.id})
    return len(over)


def counted(approval: Approval, vote: str) -> Event:
    """That so many had approved it with this vote, and more must; the same however many have since."""
    votes = approval.votes[: [one.id for one in approval.votes].index(vote) + 1]
    then = replace(approval, state="pending", votes=votes, decided_at=None)
    reason = f"{votes[-1].by} approved it: {len(votes)} of {approval.request.needed}."
    return approval_event(DetailType.APPROVAL_COUNTED, then, votes[-1].at, reason)


def granted(approval: Approval) -> Event:
    by = ", ".join(approval.approved_by)
    return _event(DetailType.APPROVAL_GRANTED, approval, f"{by} approved it.")


def _event(kind: DetailType, approval: Approval, reason: str) -> Event:
    assert approval.decided_at is not None
    return approval_event(kind, approval, approval.decided_at, reason)
