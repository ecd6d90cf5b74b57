"""What the approval desk is told by its environment, and what wakes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governor.approvals.evidence import ApprovalDecided, CommandRequested
from governor.clock import parse_instant
from governor.environment import Settings
from governor.events import BadEvent, DetailType, Event


class DeskSettings(Settings):
    """Names of the two tables, the bus and its ARN, and the Slack secret (empty: Slack is not used).

    `requests_per_second`: the account's pace for rotations, by which a preview says how long one takes.
    """

    table_name: str
    decisions_table_name: str
    event_bus_name: str
    event_bus_arn: str
    requests_per_second: float = 20.0
    slack_secret: str = ""
    slack_api_url: str = "https://slack.com/api/"

    @property
    def tables(self) -> tuple[str, str]:
        """The ledger's, and that of decisions."""
        return self.table_name, self.decisions_table_name


@dataclass(frozen=True)
class Tick:
    """Write off what has expired."""

    at: datetime


@dataclass(frozen=True)
class Decided:
    """A decision sent as an event. `id`: the event's."""

    id: str
    word: ApprovalDecided


@dataclass(frozen=True)
class Commanded:
    """A command sent as an event, with a proof of who sends it."""

    word: CommandRequested


@dataclass(frozen=True)
class Message:
    """What the gateway put on the queue. `deliveries`: this one included."""

    id: str
    body: str
    deliveries: int


def received(event: Any) -> Tick | Decided | Commanded | list[Message]:
    """What a schedule, a rule or the queue brings. Raises `BadEvent` naming the field."""
    if isinstance(event, Mapping) and "scheduled_time" in event:
        try:
            return Tick(parse_instant(event["scheduled_time"]))
        except (TypeError, ValueError, AttributeError) as error:
            raise BadEvent(f"scheduled_time: {error}") from error
    if isinstance(event, Mapping) and "Records" in event:
        return [
            Message(one["messageId"], one["body"], int(one["attributes"]["ApproximateReceiveCount"]))
            for one in event["Records"]
        ]
    told = Event.received(event)
    if told.detail_type == DetailType.COMMAND_REQUESTED:
        return Commanded(CommandRequested.of(told))
    if told.detail_type != DetailType.APPROVAL_DECIDED:
        raise BadEvent(f"detail-type: the approval desk does not act on {told.detail_type.value!r}; fix the rule")
    return Decided(told.id, ApprovalDecided.of(told))
