"""What failover checks are told by their environment, and what wakes them."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from governor.clock import parse_instant
from governor.environment import Settings
from governor.events import BadEvent, DetailType, Event
from governor.evidence_byok import DrillRequested


class FailoverSettings(Settings):
    """Names of the secret with the management key, the ledger's table, the bus, and the bucket that takes the page."""

    management_key_secret: str
    table_name: str
    event_bus_name: str
    reading_bucket: str
    requests_per_second: float | None = None


@dataclass(frozen=True)
class Asked:
    """What an invocation is for: a beat, or the drill of one decision. `by`: the same twice is one drill."""

    drill: str = ""
    by: str = ""


def received(event: Any) -> Asked:
    """What a schedule or a rule brings. Raises `BadEvent` naming the field."""
    if isinstance(event, dict) and "scheduled_time" in event:
        try:
            parse_instant(event["scheduled_time"])
        except (TypeError, ValueError, AttributeError) as error:
            raise BadEvent(f"scheduled_time: {error}") from error
        return Asked()
    told = Event.received(event)
    if told.detail_type is not DetailType.DRILL_REQUESTED:
        raise BadEvent(f"detail-type: byok_failover does not act on {told.detail_type.value!r}; mend the rule")
    return Asked(told.subject, f"{_requester(told)}, {told.id}")


def _requester(told: Event) -> str:
    try:
        return DrillRequested.model_validate(told.evidence).requested_by
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, fault["loc"]))
        raise BadEvent(f"detail.evidence.{where}: {fault['msg']}; mend the sender") from None
