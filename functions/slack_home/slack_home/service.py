"""Publishes Homes: to whoever opens theirs, and again to those who have one when something happens.

The ledger holds a row for each person who has opened their Home (pk `home`), which is also a fence: whoever publishes
writes it afterwards, and publishes again where another copy was faster, with what holds by then. Budgets that are over
are remembered from their messages (pk `home#budgets`), each held against what the meter stored; everything else is read
from the rows that say it. An event is only a tip to read them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from governor.approvals.store import Approvals
from governor.clock import Clock, format_instant, parse_instant
from governor.events import DetailType, Event
from governor.events.evidence import BudgetReached
from governor.events.published import published
from governor.keys.causes import CauseStore
from governor.keys.lineage import Lineages
from governor.ledger import ABSENT, Ledger, LedgerConflict, Put, Row
from governor.policy import Policy
from governor.slack.home_tab import HomeTab
from governor.slack.identity import Directory
from governor.slack.members import refusal, unknown
from governor.slack.requests import SlackRequest
from slack_home.decide import home, refused
from slack_home.facts import Budget, Facts

PEOPLE, BUDGETS = "home", "home#budgets"
KEPT = timedelta(days=30)
"""A Home that nobody has opened for so long is published no more until it is opened again."""
MOST = 80
"""Homes that one event brings up to date, those opened last: Slack takes about a hundred calls a minute."""
LONGEST = timedelta(days=35)
ATTEMPTS = 3


@dataclass(frozen=True)
class Homes:
    """What outlives an invocation."""

    policy: Policy
    ledger: Ledger
    approvals: Approvals
    tab: HomeTab
    directory: Directory
    clock: Clock

    def open(self, request: SlackRequest) -> str:
        """Publishes the Home of whoever opened it; the rule: `shown`, or why not (`governor.slack.members`).

        Raises `SlackError`, also where Slack does not say who it is, `LedgerConflict` or an AWS error.
        """
        identity = self.directory.look_up(request.user)
        not_ours = refusal(request, identity)
        if not_ours:
            self.tab.publish(request.user, refused(not_ours.said))
            return not_ours.rule
        unread = unknown(identity)
        if unread is not None:
            raise unread
        who = {"team": request.team, "enterprise": request.enterprise, "opened_at": format_instant(self.clock())}
        row = self.ledger.get(PEOPLE, request.user)
        self._publish(request.user, who, row.version if row else ABSENT, self._facts)
        return "shown"

    def refresh(self, events: Sequence[Event]) -> int:
        """Brings every Home up to date after these events; how many. Raises as `open` does."""
        for event in events:
            if event.detail_type is DetailType.BUDGET_THRESHOLD_REACHED:
                self._remember(event)
        people = self._people()
        if not people:
            return 0
        facts = self._facts()
        return sum(self._bring_up_to_date(row, facts) for row in people)

    def _people(self) -> list[Row]:
        oldest = self.clock() - KEPT
        open_ones = [row for row in self.ledger.rows(PEOPLE) if parse_instant(row.data["opened_at"]) > oldest]
        return sorted(open_ones, key=lambda row: str(row.data["opened_at"]), reverse=True)[:MOST]

    def _bring_up_to_date(self, row: Row, facts: Facts) -> bool:
        """Whoever has become a guest, or left, sees nothing more."""
        team, enterprise = str(row.data["team"]), str(row.data["enterprise"])
        asked = SlackRequest("", 0, "home", row.sk, team, team, enterprise=enterprise)
        identity = self.directory.look_up(row.sk)
        not_ours = refusal(asked, identity)
        if not_ours:
            self.tab.publish(row.sk, refused(not_ours.said))
            return False
        unread = unknown(identity)
        if unread is not None:
            raise unread
        self._publish(row.sk, row.data, row.version, lambda: facts)
        return True

    def _publish(self, user: str, who: Mapping[str, Any], version: int, read: Callable[[], Facts]) -> None:
        for _ in range(ATTEMPTS):
            self.tab.publish(user, home(read(), user))
            try:
                return self.ledger.commit(Put(PEOPLE, user, dict(who), version, self.clock() + KEPT))
            except LedgerConflict as conflict:
                # Another copy published meanwhile, and this one may have put older things over it.
                lost, row, read = conflict, self.ledger.get(PEOPLE, user), self._facts
                version = row.version if row else ABSENT
        raise lost

    def _facts(self) -> Facts:
        now, store = self.clock(), CauseStore(self.ledger)
        causes = {workload.name: store.causes(workload.name) for workload in self.policy.workloads}
        budgets = [Budget.remembered(row.data) for row in self.ledger.rows(BUDGETS)]
        current = [one for one in budgets if one.resets_at is None or one.resets_at > now]
        return Facts(self.policy, now, causes, Lineages(self.ledger).all(), self.approvals.pending(), current)

    def _remember(self, event: Event) -> None:
        """Keeps what the meter stored about a budget, where it is the newest of that budget; nothing of an event that
        the ledger does not hold."""
        stored = published(self.ledger, event)
        if stored is None:
            return
        said = BudgetReached.of(stored)
        if said.credits is not None:
            return
        budget, sk = Budget.of(stored, said), f"{said.scope}#{said.scope_id}#{said.period}"
        row = self.ledger.get(BUDGETS, sk)
        if row is not None and parse_instant(row.data["at"]) >= budget.at:
            return
        self.ledger.commit(Put(BUDGETS, sk, budget.data(), row.version if row else ABSENT, self._until(budget)))

    def _until(self, budget: Budget) -> datetime:
        return budget.resets_at or self.clock() + LONGEST
