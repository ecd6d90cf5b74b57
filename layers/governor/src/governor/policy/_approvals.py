"""Who may say yes."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from governor.policy._parts import Duration, Part, SlackChannel, SlackUser


class Approvals(Part):
    channel: SlackChannel
    approvers: Annotated[tuple[SlackUser, ...], Field(min_length=1)]
    expire_after: Duration = timedelta(hours=24)
