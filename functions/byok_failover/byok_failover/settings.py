"""What failover checks are told by their environment, and what wakes them."""

from dataclasses import dataclass
from typing import Any

from governor.approvals.evidence import ApprovalEvidence
from governor.clock import parse_instant
from governor.environment import Settings
from governor.events import BadEvent, DetailType, Event
from governor.events.byok_evidence import DrillRequested


class FailoverSettings(Settings):
    """Names of the secret with the management key, the tables (ledger, decisions), the bus, and the page's bucket."""

    management_key_secret: str
    table_name: str
    decisions_table_name: str
    event_bus_name: str
    reading_bucket: str
    requests_per_second: float | None = None


@dataclass(frozen=True)
class Asked:
    """What an invocation is for: a run, or the drill of one decision. `id`: the same twice is one drill.

    `granted`: people are said to have decided it; `id` is then their decision's, which tells what it is about.
    """

    drill: str = ""
    by: str = ""
    id: str = ""
    granted: bool = False


def received(event: Any) -> Asked:
    """What a schedule or a rule brings. Raises `BadEvent` naming the field."""
    if isinstance(event, dict) and "scheduled_time" in event:
        try:
            parse_instant(event["scheduled_time"])
        except (TypeError, ValueError, AttributeError) as error:
            raise BadEvent(f"scheduled_time: {error}") from error
        return Asked()
    told = Event.received(event)
    match told.detail_type:
        case DetailType.DRILL_REQUESTED:
            asked = DrillRequested.of(told)
            return Asked(told.subject, asked.requested_by, told.id)
        case DetailType.APPROVAL_GRANTED:
            return Asked(told.subject, "", ApprovalEvidence.of(told).approval, granted=True)
        case _:
            raise BadEvent(f"detail-type: byok_failover does not act on {told.detail_type.value!r}; fix the rule")
