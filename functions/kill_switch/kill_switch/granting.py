"""What a human's decision asks for, read where it stands: the event that tells of it is a tip (promise 2)."""

from datetime import datetime
from typing import get_args

from governor.approvals.approval import Approval, Kind
from governor.events import BadEvent, DetailType, Event
from governor.events.evidence import Cause
from kill_switch.claims import Ordered
from kill_switch.settings import DisableRequest, RestoreRequest

KINDS: frozenset[Kind] = frozenset({"restore", "disable"})


def request_of(grant: Approval) -> DisableRequest | RestoreRequest:
    """The request that was granted, under the request's own id: however often it is told, it is one request.

    A restore counts from when it was asked: what was disabled after that, nobody was shown. Raises `BadEvent` for a
    change that is none of ours.
    """
    request, by = grant.request, grant.approved_by[-1]
    if request.kind == "disable":
        return DisableRequest(
            _event(grant, grant.decided_at or request.requested_at, f"{by} ordered it."), "operator", Ordered(by)
        )
    cause = next((cause for cause in get_args(Cause) if cause == request.change.get("cause")), None)
    if cause is None:
        raise BadEvent(f"request {request.id}: {request.change.get('cause')!r} is not a cause; fix whoever asked")
    return RestoreRequest(_event(grant, request.requested_at, ""), cause, by, proven=True)


def _event(grant: Approval, at: datetime, reason: str) -> Event:
    return Event(DetailType.APPROVAL_GRANTED, grant.request.id, grant.request.subject, at, reason, {})
