"""People's Homes over doubles: a ledger and Slack in memory, a policy with two owners."""

from datetime import UTC, datetime, timedelta
from typing import Any

from governor.approvals.approval import Request
from governor.approvals.store import Approvals
from governor.events import DetailType, Event
from governor.events.published import RecordedBus
from governor.keys.causes import CauseRow, CauseStore
from governor.keys.lineage import Lineage, LineageKey, Lineages
from governor.ledger import MemoryLedger
from governor.policy import Policy
from governor.slack.identity import Installation
from governor.slack.memory import MemoryDirectory, MemoryHomeTab
from governor.slack.requests import SlackRequest
from sandbox.slack.limits import check_home
from sandbox.slack.transcript import texts_of
from slack_home.service import Homes
from tests.doubles.bus import Bus

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
TEAM = "T0SANDBOX"
HASHES = ("a" * 64, "b" * 64)


class World:
    """A ledger, a policy with two owners, and everybody's Home."""

    def __init__(self, workloads: int = 2) -> None:
        self.now = NOW
        self.ledger, self.tab = MemoryLedger(), MemoryHomeTab()
        self.directory = MemoryDirectory(Installation(TEAM))
        self.approvals = Approvals(self.ledger, MemoryLedger())
        names = ["prod-search-agent", "prod-checkout", *(f"prod-more-{number}" for number in range(workloads - 2))]
        owners = ["U0SEARCH", "U0SHOP", *["U0MORE"] * (workloads - 2)]
        declared = [
            {"name": name, "workspace": "prod", "owner": {"slack": owner}, "secret": f"openrouter/{name}"}
            for name, owner in zip(names, owners, strict=True)
        ]
        approvals = {"channel": "C0GOVERNOR", "approvers": ["U0LEAD", "U0SEC"]}
        self.policy = Policy.model_validate({"version": 1, "approvals": approvals, "workloads": declared})
        self.homes = Homes(self.policy, self.ledger, self.approvals, self.tab, self.directory, lambda: self.now)

    def opens(self, user: str, team: str = TEAM) -> str:
        return self.homes.open(SlackRequest("id", 1, "home", user, team, team))

    def disabled(self, workload: str, reason: str = "15 min: $31.40 is 20 times the habit.") -> None:
        told = Event(DetailType.KEY_DISABLED, "e", workload, NOW, reason, {})
        CauseStore(self.ledger).write(CauseRow(workload, "runaway", "disabled", "t", HASHES[:1], NOW, told=told))

    def asks(self, id: str, **changes: Any) -> None:
        facts: dict[str, Any] = {
            "kind": "restore", "subject": "prod-checkout", "name": "prod-checkout", "requested_by": "U0SHOP",
            "requested_at": NOW, "expires_at": NOW + timedelta(hours=24), "change": {"cause": "runaway"},
            "approvers": ("U0LEAD", "U0SEC"), "shown": ("Disabled for runaway.",),
        }  # fmt: skip
        self.approvals.ask(Request(id, **(facts | changes)))

    def turning(self, workload: str) -> None:
        old = LineageKey(HASHES[0], "old", "overlap", NOW, until=NOW + timedelta(days=1))
        Lineages(self.ledger).write(Lineage(workload, (old, LineageKey(HASHES[1], "new", "current", NOW))))

    def budget(self, *, stored: bool = True, minute: int = 0, **changes: Any) -> Event:
        evidence = {
            "scope": "workload", "scope_id": "prod-search-agent", "scope_name": "prod-search-agent",
            "period": "monthly", "threshold": 1.0, "spent_usd": 201.25, "limit_usd": 200.0,
            "resets_at": "2026-12-01T00:00:00Z", **changes,
        }  # fmt: skip
        at, id = NOW + timedelta(minutes=minute), f"budget-{minute}"
        event = Event(DetailType.BUDGET_THRESHOLD_REACHED, id, "prod-search-agent", at, "", evidence)
        if stored:
            RecordedBus("spend_meter", self.ledger, Bus()).publish([event])
        return event

    def sees(self, user: str) -> list[str]:
        view = self.tab.views[user]
        check_home(view)
        return texts_of(view["blocks"])
