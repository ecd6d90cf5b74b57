"""What the function is told by its environment, and what wakes it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from governor.environment import Settings
from governor.events import SOURCE, BadEvent, Event

MAX_BYTES = 256 * 1024
"""Of a body. What a function of Governor's publishes is smaller (`governor.events.EventBus.MAX_BYTES`); a receiver
need not take more."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
"""It is signed before the time and the body, parted from them by full stops, so it must have none in it."""


class WebhookSettings(Settings):
    """Name of the secret with `{"secret": "whsec_...", "previous": "whsec_..."}`, and where events go."""

    webhook_secret: str
    webhook_url: str


@dataclass(frozen=True)
class Delivery:
    """One event for the receiver. `id`: the fact's, the same at every repeat. `body`: the event as the bus gave it."""

    id: str
    body: str

    @classmethod
    def received(cls, record: Mapping[str, Any]) -> Self:
        """A message of the queue. Raises `BadEvent` for what is not Governor's own event, or too large."""
        body = str(record["body"])
        size = len(body.encode())
        if size > MAX_BYTES:
            raise BadEvent(f"the event has {size} bytes, and a receiver is sent {MAX_BYTES} at most")
        try:
            given = json.loads(body)
            event = Event.received(given)
        except (ValueError, RecursionError) as error:
            raise BadEvent(f"no event of the bus: {error}") from None
        source = given.get("source")
        if source != SOURCE:
            raise BadEvent(f"source: {source!r} is not signed, only what Governor itself published")
        if not _ID.fullmatch(event.id):
            raise BadEvent("detail.id: expected 1 to 200 letters, digits, hyphens and underscores")
        return cls(event.id, body)
