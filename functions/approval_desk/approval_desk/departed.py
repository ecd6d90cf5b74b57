"""The workloads whose keys are in the name of a member who left, for the bulk order that replaces them (decision 55).

The button names an event. What counts is the row that `account_review` stored before it published that event, and not
what a button or an event says (promise 13); and of the row the workloads that the policy has today.
"""

from collections.abc import Sequence

from approval_desk.parsing import Command
from approval_desk.ports import Ports
from governor.events import DetailType, Event
from governor.events.member_evidence import MemberDeparted
from governor.events.published import partition
from governor.policy import Workload
from governor.slack.text import escape

NAMED = 10


def workloads(ports: Ports, wanted: Command) -> tuple[Workload, ...]:
    """Those with a key that worked when the member had left; none where no such event was stored about them."""
    row = ports.ledger.get(partition("account_review"), wanted.detail["departure"])
    event = Event.received(row.data) if row else None
    if event is None or event.detail_type is not DetailType.MEMBER_DEPARTED or event.subject != wanted.subject:
        return ()
    names = {key.workload for key in MemberDeparted.of(event).keys if not key.disabled}
    return tuple(one for one in ports.policy.workloads if one.name in names)


def bound(chosen: Sequence[Workload], member: str) -> str:
    """What to change first where the next key would be asked for in the name of the member who left; else nothing."""
    names = [one.name for one in chosen if one.key.creator_user_id in (None, member)]
    if not names:
        return ""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return (
        f"Nothing was done: a rotation keeps a key's creator, who left. In the policy, set `key.creator_user_id` of "
        f"{escape(', '.join(names[:NAMED]))}{more} to another member's id, or to `nobody`, and deploy it. Then click "
        "again."
    )
