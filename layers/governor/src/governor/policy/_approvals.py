"""Who may say yes."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from governor.policy._parts import Duration, Part, SlackChannel, SlackUser

DisableBy = Literal["members", "owners", "approvers"]


class Approvals(Part):
    """`by_event`: whether a person's name in an event is believed, as it must be where Slack is not used. Whoever may
    put events on the bus can then name an approver; without it only clicks that Slack has signed decide.

    `disable_by`: who may disable a key by hand from Slack. `members`: any full member of the workspace, but a tier 0
    workload only its owner or an approver. `owners`: the workload's owner or an approver. `approvers`: an approver.
    """

    channel: SlackChannel
    approvers: Annotated[tuple[SlackUser, ...], Field(min_length=1)]
    expire_after: Duration = timedelta(hours=24)
    by_event: bool = False
    disable_by: DisableBy = "members"
