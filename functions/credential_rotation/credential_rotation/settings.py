"""What credential rotation is told by its environment, and what wakes it."""

from datetime import datetime
from typing import Any

from governor.clock import parse_instant
from governor.environment import Settings
from governor.events import BadEvent


class CredentialSettings(Settings):
    """Names of the secret with the management key, the ledger's table, and the bus. `requests_per_second`: the pace."""

    management_key_secret: str
    table_name: str
    event_bus_name: str
    requests_per_second: float | None = None


def received(event: Any) -> datetime:
    """The run's time. Raises `BadEvent` naming the field."""
    if not isinstance(event, dict) or "scheduled_time" not in event:
        raise BadEvent("scheduled_time: missing; credential rotation is woken by its schedule only")
    try:
        return parse_instant(event["scheduled_time"])
    except (TypeError, ValueError, AttributeError) as error:
        raise BadEvent(f"scheduled_time: {error}") from error
