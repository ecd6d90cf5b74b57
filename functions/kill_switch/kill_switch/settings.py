"""What the kill switch is told by its environment, and what an event asks of it."""

from dataclasses import dataclass
from typing import Any

from governor.approvals.evidence import ApprovalEvidence
from governor.environment import Settings
from governor.events import BadEvent, DetailType, Event
from governor.events.evidence import BudgetReached, Cause, Exposed, RestoreRequested, Runaway
from kill_switch.claims import Ordered

type Claim = Runaway | Exposed | BudgetReached | Ordered
"""What the trigger says. It is a tip: the account's own counters must bear it out."""


class KillSwitchSettings(Settings):
    """Names of the secret with the management key, the ledger's table, the table of decisions, and the bus."""

    management_key_secret: str
    table_name: str
    decisions_table_name: str
    event_bus_name: str


@dataclass(frozen=True)
class DisableRequest:
    """Disable the subject's keys for `cause`, because `claim` is said to be so."""

    event: Event
    cause: Cause
    claim: Claim


@dataclass(frozen=True)
class RestoreRequest:
    """Lift one cause. `proven`: the decision that says so was read; otherwise an event names who asks."""

    event: Event
    cause: Cause
    requested_by: str
    proven: bool = False


@dataclass(frozen=True)
class Grant:
    """A human's decision is said to stand: what it is, the decision itself tells."""

    event: Event
    approval: str


def received(envelope: Any) -> DisableRequest | RestoreRequest | Grant:
    """What an EventBridge envelope asks for. Raises `BadEvent` naming the field."""
    event = Event.received(envelope)
    match event.detail_type:
        case DetailType.RUNAWAY_CONFIRMED:
            return DisableRequest(event, "runaway", Runaway.of(event))
        case DetailType.KEY_EXPOSED:
            return DisableRequest(event, "exposed", Exposed.of(event))
        case DetailType.BUDGET_THRESHOLD_REACHED:
            return DisableRequest(event, "budget", _of_a_key(BudgetReached.of(event)))
        case DetailType.RESTORE_REQUESTED:
            asked = RestoreRequested.of(event)
            return RestoreRequest(event, asked.cause, asked.requested_by)
        case DetailType.APPROVAL_GRANTED:
            return Grant(event, ApprovalEvidence.of(event).approval)
        case _:
            raise BadEvent(f"detail-type: the kill switch does not act on {event.detail_type.value!r}; fix the rule")


def _of_a_key(claim: BudgetReached) -> BudgetReached:
    if not claim.disable:
        raise BadEvent("detail.evidence.disable: only a threshold at `disable_at` is for the kill switch; fix the rule")
    if claim.scope not in ("key_limit", "workload", "guardrail"):
        raise BadEvent(f"detail.evidence.scope: {claim.scope!r} is not a key's budget; it names nothing to disable")
    return claim
