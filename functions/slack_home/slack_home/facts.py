"""What a Home is made of. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from governor.approvals.approval import Approval
from governor.clock import format_instant, parse_instant
from governor.events import Event
from governor.events.evidence import BudgetReached
from governor.keys.causes import Causes
from governor.keys.lineage import Lineage
from governor.policy import Policy


@dataclass(frozen=True)
class Budget:
    """A budget as its last message told it. `resets_at`: when it begins anew; None for one that never does."""

    subject: str
    scope: str
    name: str
    period: str
    spent_usd: float
    limit_usd: float
    at: datetime
    resets_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        return self.spent_usd >= self.limit_usd

    @classmethod
    def of(cls, event: Event, said: BudgetReached) -> Self:
        return cls(
            event.subject, said.scope, said.scope_name, said.period, said.spent_usd, said.limit_usd, event.occurred_at,
            said.resets_at,
        )  # fmt: skip

    def data(self) -> dict[str, Any]:
        """As the ledger keeps it."""
        return {
            "subject": self.subject, "scope": self.scope, "name": self.name, "period": self.period,
            "spent_usd": self.spent_usd, "limit_usd": self.limit_usd, "at": format_instant(self.at),
            "resets_at": format_instant(self.resets_at) if self.resets_at else None,
        }  # fmt: skip

    @classmethod
    def remembered(cls, data: Mapping[str, Any]) -> Self:
        """The budget that `data()` described."""
        ends = data["resets_at"]
        at, resets_at = parse_instant(data["at"]), parse_instant(ends) if ends else None
        return cls(**{**data, "at": at, "resets_at": resets_at})


@dataclass(frozen=True)
class Facts:
    """`causes`: of every declared workload. `pending`: open requests. `budgets`: those whose period is not over."""

    policy: Policy
    now: datetime
    causes: Mapping[str, Causes] = field(default_factory=dict)
    lineages: Sequence[Lineage] = ()
    pending: Sequence[Approval] = ()
    budgets: Sequence[Budget] = ()

    def owner(self, subject: str) -> str:
        """The Slack user who owns the workload, empty where none is declared."""
        workload = self.policy.workload(subject)
        return workload.owner.slack if workload else ""
