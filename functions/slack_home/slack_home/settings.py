"""What the function is told by its environment, and what wakes it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from governor.environment import Settings
from governor.events import BadEvent, Event
from governor.slack.requests import BadSlackRequest, SlackRequest


class HomeSettings(Settings):
    """Names of the two tables, and of the secret with `{"bot_token": ...}`."""

    table_name: str
    decisions_table_name: str
    slack_secret: str
    slack_api_url: str = "https://slack.com/api/"

    @property
    def tables(self) -> tuple[str, str]:
        """The ledger's, and that of decisions."""
        return self.table_name, self.decisions_table_name


@dataclass(frozen=True)
class Message:
    """One message of the queue: somebody opened the Home (`opened`), or something happened that it may show."""

    id: str
    opened: SlackRequest | None = None
    event: Event | None = None


def received(record: Mapping[str, Any]) -> Message:
    """The gateway's message, or an event of the bus. Raises `BadEvent`."""
    id, body = str(record["messageId"]), str(record["body"])
    try:
        given = json.loads(body)
        if not isinstance(given, dict) or "kind" not in given:
            return Message(id, event=Event.received(given))
        request = SlackRequest.decode(body)
    except (ValueError, RecursionError, BadSlackRequest) as error:
        raise BadEvent(f"neither the gateway's message nor an event: {error}") from None
    if request.kind != "home":
        raise BadEvent(f"kind: {request.kind!r} is for the approval desk")
    return Message(id, opened=request)
