"""Governor's events.

`event` is re-exported here. `evidence` and `*_evidence`: what an event's evidence holds. `publishers`: who may publish
which. `published`: what was published. `redelivery`: dead letters without credentials.
"""

from governor.events.event import (
    MAX_REASON,
    REQUESTS,
    SOURCE,
    UNNAMED,
    VERSION,
    BadEvent,
    DetailType,
    Event,
    EventBus,
    Publisher,
    PublishFailed,
    event_id,
)

__all__ = [
    "MAX_REASON",
    "REQUESTS",
    "SOURCE",
    "UNNAMED",
    "VERSION",
    "BadEvent",
    "DetailType",
    "Event",
    "EventBus",
    "PublishFailed",
    "Publisher",
    "event_id",
]
