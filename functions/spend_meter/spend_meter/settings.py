"""What the meter is told by its environment and by the schedule."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import Field

from governor.broadcast.messages import BadBroadcast, Tip
from governor.clock import parse_instant
from governor.environment import Settings
from governor.events import BadEvent


class MeterSettings(Settings):
    """`requests_per_second` paces the calls to OpenRouter; None: as fast as `concurrency` allows. `broadcast`: what
    requests cost is pushed, and tips ask for readings between two minutes. `broadcast_url`: the address that takes it.
    `broadcast_sampling_rate`: the share of requests that is to be pushed."""

    management_key_secret: str
    table_name: str
    event_bus_name: str
    reading_bucket: str
    concurrency: Annotated[int, Field(ge=1, le=32)] = 8
    requests_per_second: Annotated[float, Field(gt=0)] | None = None
    broadcast: bool = False
    broadcast_url: str = ""
    broadcast_sampling_rate: Annotated[float, Field(gt=0, le=1)] = 1.0


def tip_in(event: Any) -> Tip | None:
    """The tip in the function's input; None where it is none. Raises `BadEvent`."""
    try:
        return Tip.received(event) if isinstance(event, Mapping) else None
    except BadBroadcast as error:
        raise BadEvent(f"{error}; fix the sender") from None


def asks_for_check(event: Any) -> bool:
    """Whether the function's input is the schedule's that asks for a check of Broadcast."""
    return isinstance(event, Mapping) and event.get("version") == 1 and event.get("check") == "broadcast"


AHEAD = timedelta(minutes=5)
"""How far the scheduler's clock may be ahead of ours; a time further ahead is not believed."""


@dataclass(frozen=True)
class Tick:
    """One minute to be metered. `scheduled_at`: by the schedule's clock. `received_at`: by this machine's."""

    scheduled_at: datetime
    received_at: datetime

    @classmethod
    def received(cls, event: Any, now: datetime) -> Self:
        """The run in EventBridge Scheduler's input `{"version": 1, "scheduled_time": "<instant>"}`.

        A time further in the future than two clocks may differ by is not believed: the machine's stands in for it, so
        that neither a wrong clock nor a wrong sender keeps the account from being metered. Raises `BadEvent` naming
        the field.
        """
        if not isinstance(event, Mapping):
            raise BadEvent(f"a run is a JSON object, got {type(event).__name__}")
        if event.get("version") != 1:
            raise BadEvent(f"version: expected 1, got {event.get('version')!r}; fix the schedule's input")
        try:
            scheduled_at = parse_instant(event["scheduled_time"])
        except KeyError:
            raise BadEvent("scheduled_time is missing; fix the schedule's input") from None
        except (TypeError, ValueError) as error:
            raise BadEvent(f"scheduled_time: {error}") from error
        return cls(scheduled_at if scheduled_at <= now + AHEAD else now, now)
