"""What key planning is told by its environment, and what wakes it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governor.approvals.evidence import ApprovalEvidence
from governor.clock import parse_instant
from governor.environment import Settings
from governor.events import BadEvent, DetailType, Event
from governor.events.evidence import RotationRequested
from governor.keys.bulk_order import KIND
from governor.keys.lineage import Why


class PlanningSettings(Settings):
    """Names of the ledger's table and that of decisions, the bus, the queue, and the rotation function."""

    table_name: str
    decisions_table_name: str
    event_bus_name: str
    rotation_queue_url: str
    rotation_function_arn: str

    @property
    def tables(self) -> tuple[str, str]:
        """The ledger's, and that of decisions."""
        return self.table_name, self.decisions_table_name


@dataclass(frozen=True)
class Plan:
    """Find who is due."""

    at: datetime


@dataclass(frozen=True)
class Due:
    """One workload whose key is to be rotated. `by`: who or what asks; the same twice is one rotation."""

    workload: str
    why: Why
    by: str


@dataclass(frozen=True)
class Ordered:
    """People are said to have decided a bulk order of this id: a tip to read the decision."""

    order: str


@dataclass(frozen=True)
class Message:
    """A message as it lay in the queue: `work_of` reads its body. `receipt`: by which its return is set; empty where
    the queue gave none. `received`: how often it was taken out of the queue, this time included.
    """

    id: str
    body: str
    receipt: str = ""
    received: int = 1


def received(event: Any) -> Plan | Due | Ordered | list[Message]:
    """What a schedule, a rule or the queue brings. Raises `BadEvent` naming the field."""
    if isinstance(event, dict) and "scheduled_time" in event:
        return _scheduled(event)
    if isinstance(event, dict) and "Records" in event:
        return [_message(record) for record in event["Records"]]
    told = Event.received(event)
    match told.detail_type:
        case DetailType.ROTATION_REQUESTED:
            RotationRequested.of(told)
            return Due(told.subject, "asked", told.id)
        case DetailType.KEY_DISABLED:
            return Due(told.subject, "exposed", told.id)
        case DetailType.KEY_DRIFTED:
            return Due(told.subject, "asked", told.id)
        case DetailType.APPROVAL_GRANTED:
            granted = ApprovalEvidence.of(told)
            if granted.kind != KIND:
                raise BadEvent(f"detail.evidence.kind: a {granted.kind} is not this function's; fix the rule")
            return Ordered(granted.approval)
        case _:
            raise BadEvent(f"detail-type: key planning does not act on {told.detail_type.value!r}; fix the rule")


def work_of(body: str) -> Due | Ordered:
    """Raises `BadEvent` for a message that this function did not write."""
    try:
        data = json.loads(body)
        return Ordered(data["bulk"]) if "bulk" in data else Due(data["workload"], data["why"], data["by"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadEvent(
            f"queue message: expected workload, why and by, or bulk ({error}); take it out of the queue"
        ) from error


def body_of(work: Due | Ordered) -> str:
    """The message of which `work_of` makes this again."""
    if isinstance(work, Ordered):
        return json.dumps({"bulk": work.order})
    return json.dumps({"workload": work.workload, "why": work.why, "by": work.by})


def _message(record: dict[str, Any]) -> Message:
    received = record.get("attributes", {}).get("ApproximateReceiveCount", "1")
    return Message(record["messageId"], record["body"], record.get("receiptHandle", ""), int(received))


def _scheduled(event: dict[str, Any]) -> Plan:
    if event.get("task") != "plan":
        raise BadEvent(f"task: {event.get('task')!r} is not `plan`; fix the schedule's input")
    try:
        return Plan(parse_instant(event["scheduled_time"]))
    except (TypeError, ValueError, AttributeError) as error:
        raise BadEvent(f"scheduled_time: {error}") from error
