"""Who may say yes."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from governor.policy._parts import Duration, Part, SlackChannel, SlackUser


class Approvals(Part):
    """`by_event`: whether a person's name in an event is believed, as it must be where Slack is not used. Whoever may
    put events on the bus can then name an approver; without it only clicks that Slack has signed decide.
    """

    channel: SlackChannel
    approvers: Annotated[tuple[SlackUser, ...], Field(min_length=1)]
    expire_after: Duration = timedelta(hours=24)
    by_event: bool = False
