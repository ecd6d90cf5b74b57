"""What the function is told by its environment, and what wakes it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from governor.environment import Settings
from governor.events import BadEvent
from governor.policy import Policy


class NoChannel(Exception):
    """The policy names no `alerts.channel`; without one the notifier asks for no picture."""


class PictureSettings(Settings):
    """The ledger's table, and the secret with `{"bot_token": ...}`."""

    table_name: str
    slack_secret: str
    slack_api_url: str = "https://slack.com/api/"

    @staticmethod
    def channel_of(policy: Policy) -> str:
        """Where incidents are told. Raises `NoChannel`."""
        if policy.alerts is None:
            raise NoChannel("alerts: name a channel in the policy")
        return policy.alerts.channel


@dataclass(frozen=True)
class Wanted:
    """A message of the queue. `incident`: whose picture is wanted, by the key of its row (`incident#<key>`)."""

    id: str
    incident: str

    @classmethod
    def received(cls, record: Mapping[str, Any]) -> Self:
        """Raises `BadEvent`, naming the field."""
        try:
            incident = json.loads(record["body"])["incident"]
        except (KeyError, TypeError, ValueError) as error:
            raise BadEvent(f'body: expected {{"incident": "<key>"}}: {error}') from None
        if not isinstance(incident, str) or not incident:
            raise BadEvent("body.incident: expected the key of an incident")
        return cls(record["messageId"], incident)
