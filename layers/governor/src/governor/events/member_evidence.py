"""What the event about a member who left holds (decision 55)."""

from datetime import datetime

from pydantic import Field

from governor.events.evidence import Evidence

MOST_KEYS = 200
"""Keys that an event names; of more it says how many."""


class DepartedKey(Evidence):
    """A key that was created by a member who left. `workload` and `tier`: the policy's, where it declares the key.

    `creator`: `key.creator_user_id` of the workload, in whose name its next key is made; empty where the policy names
    nobody else, so that the next key would be asked for in the name of the member who left.
    """

    hash: str
    name: str
    workspace: str
    workload: str = ""
    tier: int | None = None
    disabled: bool = False
    creator: str = ""

    @property
    def subject(self) -> str:
        """What people act on: the workload, or the key that no workload declares."""
        return self.workload or self.hash


class MemberDeparted(Evidence):
    """Member Departed: a former member is missing from two whole lists in a row, and keys are still in their name.

    `slack`: who that is in Slack, where the policy's `people` say so. `since`: the first list without the member.
    `total`: how many keys, of which `keys` holds the first: those that work before those that are disabled, then by
    tier. `unread`: workspaces whose keys could not be read whole; there may be more keys there.
    """

    member: str
    slack: str = ""
    since: datetime
    total: int
    keys: list[DepartedKey] = Field(default_factory=list)
    unread: list[str] = Field(default_factory=list)
