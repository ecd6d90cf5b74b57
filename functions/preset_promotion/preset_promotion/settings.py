"""What preset promotion is told by its environment, and what wakes it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governor.approvals.approval import Kind
from governor.approvals.evidence import ApprovalEvidence
from governor.clock import parse_instant
from governor.environment import Settings
from governor.events import SOURCE, BadEvent, DetailType, Event
from governor.events.evidence import PresetPromotionRequested

KINDS: tuple[Kind, ...] = ("promotion", "override", "rollback", "adopt", "revert")
"""The approvals on which this function acts."""


class PromotionSettings(Settings):
    """Names of the ledger's and the decisions' tables, and of the bus. `slack_secret`: of the bot token, without which
    no diff is uploaded. `requests_per_second`: the pace."""

    table_name: str
    decisions_table_name: str
    event_bus_name: str
    slack_secret: str | None = None
    slack_api_url: str = "https://slack.com/api/"
    requests_per_second: float | None = None


@dataclass(frozen=True)
class Tick:
    """Look at every preset."""

    at: datetime


@dataclass(frozen=True)
class Asked:
    """Promote what staging serves. `id`: of the event, so that the same twice is one promotion.

    `proven`: the event is one of Governor's own, so that `by` is who Slack says; else somebody wrote a name in it.
    """

    slug: str
    id: str
    by: str
    loosen: bool = False
    override_of: str | None = None
    proven: bool = False


@dataclass(frozen=True)
class Decided:
    """Somebody decided, or nobody did in time: a tip to read what stands. `kind`: of the approval."""

    slug: str
    approval: str
    kind: Kind


def received(event: Any) -> Tick | Asked | Decided:
    """What the schedule or a rule brings. Raises `BadEvent` naming the field."""
    if isinstance(event, dict) and "scheduled_time" in event:
        try:
            return Tick(parse_instant(event["scheduled_time"]))
        except (TypeError, ValueError, AttributeError) as error:
            raise BadEvent(f"scheduled_time: {error}") from error
    told = Event.received(event)
    match told.detail_type:
        case DetailType.PRESET_PROMOTION_REQUESTED:
            asked = PresetPromotionRequested.of(told)
            proven = event.get("source") == SOURCE  # which the bus takes from Governor's functions alone
            return Asked(told.subject, told.id, asked.requested_by, asked.loosen, asked.override_of, proven)
        case DetailType.APPROVAL_GRANTED | DetailType.APPROVAL_REJECTED | DetailType.APPROVAL_EXPIRED:
            decided = ApprovalEvidence.of(told)
            if decided.kind in KINDS:
                return Decided(told.subject, decided.approval, decided.kind)
            raise BadEvent(f"detail.evidence.kind: a {decided.kind} is not this function's; fix the rule")
        case _:
            raise BadEvent(f"detail-type: preset promotion does not act on {told.detail_type.value!r}; fix the rule")
