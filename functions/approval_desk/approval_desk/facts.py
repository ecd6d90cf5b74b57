"""What a decision is made of, and what it comes to. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from governor.approvals.approval import Approval, Request
from governor.events import Event
from governor.keys.causes import Causes
from governor.keys.lineage import Lineage
from governor.ledger import Put
from governor.policy import Policy, Workload
from governor.slack.requests import SlackRequest

Via = Literal["Slack", "the command line"]
Action = Literal["vote", "ask_why", "order", "ask", "publish", "report", "tell"]
"""`vote`: count it. `ask_why`: open the modal. `order`: granted at once. `ask`: a request for others. `publish`: an
event. `report`: `status` or `keys`. `tell`: nothing but an answer."""


@dataclass(frozen=True)
class Facts:
    """`workload`: whose key it is. `causes`: of the command's subject, to give a key back, `lineage`: to roll it back.
    `pending`: open requests, for one that might repeat another. `own`: what this very interaction asked before it was
    interrupted. `preset_row`: what `preset_promotion` keeps of the preset. `via`: where the person asked."""

    request: SlackRequest
    policy: Policy
    now: datetime
    workload: Workload | None = None
    causes: Causes = field(default_factory=Causes)
    lineage: Lineage | None = None
    pending: Sequence[Approval] = ()
    own: Approval | None = None
    preset_row: Mapping[str, Any] | None = None
    via: Via = "Slack"

    @property
    def votes(self) -> bool:
        """Whether what the person wants may count as one of several approvals: from Slack only. Whoever administers the
        AWS account can become more than one person there."""
        return self.via == "Slack"

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.request.at, UTC)

    @property
    def tier(self) -> int:
        """The workload's; the default tier for a key that none declares."""
        return self.workload.tier if self.workload else 1

    @property
    def by(self) -> str:
        return self.request.user

    @property
    def approvers(self) -> tuple[str, ...]:
        return self.policy.approvals.approvers if self.policy.approvals else ()


@dataclass(frozen=True)
class Decision:
    """`said`: to the person, once it is done. `asked`: of an `order` or `ask`. `event` and `note`: of a `publish`."""

    action: Action
    rule: str
    said: str = ""
    asked: Request | None = None
    event: Event | None = None
    note: Put | None = None
