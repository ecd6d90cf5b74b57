"""What key retirement is told by its environment, and what wakes it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governor.approvals.approval import Approval
from governor.approvals.evidence import ApprovalEvidence
from governor.clock import parse_instant
from governor.environment import Settings
from governor.events import BadEvent, DetailType, Event
from governor.events.evidence import RollbackRequested
from governor.keys.rollback import KIND


class RetirementSettings(Settings):
    """Names of the secret with the management key, the ledger's table, that of decisions, the bus, and the bucket in
    which the meter says what allowances need.

    `requests_per_second`: the pace.
    """

    management_key_secret: str
    table_name: str
    decisions_table_name: str
    event_bus_name: str
    reading_bucket: str
    requests_per_second: float | None = None

    @property
    def tables(self) -> tuple[str, str]:
        """The ledger's, and that of decisions."""
        return self.table_name, self.decisions_table_name


@dataclass(frozen=True)
class Tick:
    """Look at every lineage, or at one whose key was just restored (`workload`)."""

    at: datetime
    workload: str | None = None


@dataclass(frozen=True)
class Rotated:
    """A workload has a new key: write the copies of its secret."""

    workload: str


@dataclass(frozen=True)
class Look:
    """See how long the management key will do."""

    at: datetime


@dataclass(frozen=True)
class Rollback:
    """Give the former key back. `grant`: the decision that says so, read from its rows; None: an event asks for it, and
    `requested_by` is only the name that stands in the event.
    """

    event: Event
    requested_by: str
    grant: Approval | None = None


@dataclass(frozen=True)
class Grant:
    """People are said to have decided a rollback: a tip to read the decision."""

    event: Event
    approval: str


Asked = Tick | Rotated | Look | Rollback | Grant


def received(event: Any) -> Asked:
    """What a schedule or a rule asks for. Raises `BadEvent` naming the field."""
    if isinstance(event, dict) and "scheduled_time" in event:
        try:
            at = parse_instant(event["scheduled_time"])
            return Look(at) if event.get("task") == "management_key" else Tick(at)
        except (TypeError, ValueError, AttributeError) as error:
            raise BadEvent(f"scheduled_time: {error}") from error
    told = Event.received(event)
    match told.detail_type:
        case DetailType.KEY_ROTATED:
            return Rotated(told.subject)
        case DetailType.KEY_RESTORED:
            return Tick(told.occurred_at, told.subject)
        case DetailType.ROLLBACK_REQUESTED:
            return Rollback(told, RollbackRequested.of(told).requested_by)
        case DetailType.APPROVAL_GRANTED:
            granted = ApprovalEvidence.of(told)
            if granted.kind != KIND:
                raise BadEvent(f"detail.evidence.kind: a {granted.kind} is not this function's; fix the rule")
            return Grant(told, granted.approval)
        case _:
            raise BadEvent(f"detail-type: key retirement does not act on {told.detail_type.value!r}; fix the rule")
