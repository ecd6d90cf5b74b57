"""What Governor has published, kept in the ledger: each event is stored before the bus gets it (promise 13).

pk `published#<function>`, sk the event's id. A function's role may write under its own key only, and a row is written
once: the same id is the same words for ever. Whoever shows an event to people reads the row, and not the event.

| effect | dies before | dies after | twice, beside itself |
|---|---|---|---|
| row | nothing is published; the caller publishes again | what the row holds is published | the first row stands |
| PutEvents | as above | published again, in the same words | consumers drop repeats by id |
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from governor.clock import format_instant
from governor.events import Event, EventBus, Publisher, PublishFailed
from governor.events.publishers import PUBLISHES, RECORDED
from governor.ledger import Ledger, LedgerConflict, Put
from redaction import redact_all

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

KEPT = timedelta(days=400)
"""Longer than the bus's archive keeps events (365 days): one that is replayed from there is still confirmed."""
MAX_ID = 1024
"""Bytes that DynamoDB takes as a sort key. Governor's own ids are shorter; a sender's may be anything."""


class RecordedBus:
    """`Publisher` that stores each event first, in the name of one function."""

    def __init__(self, function: str, ledger: Ledger, bus: Publisher) -> None:
        self._pk = partition(function)
        self._ledger = ledger
        self._bus = bus

    def publish(self, events: Sequence[Event]) -> None:
        self._bus.publish([self._stored(event) if event.detail_type in RECORDED else event for event in events])

    def _stored(self, event: Event) -> Event:
        """The event as the ledger holds it: this one, or what was stored under its id before."""
        envelope = redact_all(_envelope(event))
        try:
            self._ledger.commit(Put(self._pk, event.id, envelope, expires_at=event.occurred_at + KEPT))
        except LedgerConflict as conflict:
            row = self._ledger.get(self._pk, event.id)
            if row is None:
                raise PublishFailed(f"{event.detail_type} {event.id} could not be stored: {conflict}") from conflict
            return Event.received(row.data)
        return event


def recorded_bus(function: str, ledger: Ledger, client: "EventBridgeClient", bus: str) -> RecordedBus:
    """The bus `bus` for `function`, which stores in `ledger` what it publishes."""
    return RecordedBus(function, ledger, EventBus(client, bus))


def published(ledger: Ledger, event: Event) -> Event | None:
    """What a function that may publish this type has stored under the event's id; None where none has."""
    if not 0 < len(event.id.encode()) <= MAX_ID:
        return None
    for function in sorted(name for name, types in PUBLISHES.items() if event.detail_type in types):
        row = ledger.get(partition(function), event.id)
        if row is not None:
            return Event.received(row.data)
    return None


def partition(function: str) -> str:
    """The partition key of what the function has published."""
    return f"published#{function}"


def _envelope(event: Event) -> dict[str, Any]:
    moment = format_instant(event.occurred_at)
    return {"detail-type": event.detail_type.value, "id": event.id, "time": moment, "detail": event.detail()}
