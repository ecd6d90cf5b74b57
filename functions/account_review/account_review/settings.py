"""What the review is told by its environment, and what wakes it."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governor.clock import parse_instant
from governor.environment import Settings
from governor.events import BadEvent, DetailType, Event


class ReviewSettings(Settings):
    """Names of tables, bus, bucket, topic and secrets. `slack_secret`: None without Slack. `stack_name`: for people."""

    table_name: str
    decisions_table_name: str
    event_bus_name: str
    reading_bucket: str
    alert_topic_arn: str
    management_key_secret: str
    slack_secret: str | None = None
    slack_api_url: str = "https://slack.com/api/"
    requests_per_second: float | None = None
    stack_name: str


@dataclass(frozen=True)
class Run:
    """One review. `id`: the same for the same request or week, so that a repeat goes on where the first stopped."""

    id: str


@dataclass(frozen=True)
class Tick:
    """Look who is a member. `at`: when the schedule meant it."""

    at: datetime


def received(event: Any) -> Run | Tick:
    """What a schedule or a rule brings. Raises `BadEvent` naming the field."""
    if isinstance(event, dict) and "scheduled_time" in event:
        try:
            at = parse_instant(event["scheduled_time"])
        except (TypeError, ValueError, AttributeError) as error:
            raise BadEvent(f"scheduled_time: {error}") from error
        return Tick(at) if event.get("watch") == "members" else Run(f"weekly-{at:%Y-%m-%d}")
    asked = Event.received(event)
    if asked.detail_type != DetailType.REVIEW_REQUESTED:
        raise BadEvent(f"detail-type: a review does not act on {asked.detail_type.value!r}; fix the rule")
    # An id from outside may be anything, and becomes part of an object's name.
    plain = asked.id if re.fullmatch(r"[A-Za-z0-9-]{8,64}", asked.id) else hashlib.sha256(asked.id.encode()).hexdigest()
    return Run(f"asked-{plain[:40]}")
