"""When a budget is worth an alert: each (scope, period, threshold) once, until something re-arms it.

Re-armed by the period's reset, by a change of the limit, and by falling `WELL_BELOW` under the threshold. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from governor.events import DetailType, event_id
from governor.events.evidence import BudgetReached, KeyReading, Scope
from spend_meter.periods import Period, resets_at, starts_at

WELL_BELOW = 0.1
"""Share of the limit under a threshold at which it is re-armed: less, and spend hovering around it would alert anew."""
ROUNDING = 1e-9
"""A share this close to a threshold has reached it: 0.1 + 0.2 is not 0.3 in binary."""


@dataclass(frozen=True)
class Budget:
    """One budget as it stands: `spent` of `limit` USD in its present period, and the keys it is about.

    `subject`: whom an alert names. `alert_at` and `disable_at` are shares of the limit. `hash`: the key that it is
    about; empty for one that counts all keys of its subject, or of a workspace.
    """

    scope: Scope
    scope_id: str
    scope_name: str
    subject: str
    period: Period
    spent: float
    limit: float
    alert_at: Sequence[float]
    disable_at: float | None = None
    hash: str = ""
    workspace_id: str = ""

    @property
    def identity(self) -> str:
        """What its memory is filed under. A guardrail counts for each key, or each workload's keys, apart."""
        holder = self.hash or self.subject if self.scope == "guardrail" else ""
        return "|".join((self.scope, self.scope_id, holder, self.period))

    @property
    def thresholds(self) -> list[float]:
        """Ascending; `disable_at` is one of them."""
        return sorted({*self.alert_at, *([self.disable_at] if self.disable_at is not None else [])})


@dataclass(frozen=True)
class Alerted:
    """What is remembered of a budget. `period_start`: ISO, empty for `lifetime`. `alerts`: how many this period."""

    period_start: str
    limit: float
    fired: tuple[float, ...]
    alerts: int


@dataclass(frozen=True)
class Crossing:
    """A threshold reached for the first time since it was armed. `id`: the event's."""

    budget: Budget
    threshold: float
    also_crossed: tuple[float, ...]
    id: str


def judge_budget(budget: Budget, before: Alerted | None, now: datetime) -> tuple[Alerted | None, Crossing | None]:
    """What to remember of the budget from now on (None: nothing), and the alert that is due."""
    start = starts_at(budget.period, now)
    period_start = start.isoformat() if start else ""
    fired: tuple[float, ...] = ()
    alerts = 0
    if before and before.period_start == period_start:
        # The count goes on through a changed limit, so that an alert after it is another fact with another id.
        alerts = before.alerts
        fired = before.fired if before.limit == budget.limit else ()
    share = budget.spent / budget.limit
    reached = [threshold for threshold in budget.thresholds if share >= threshold - ROUNDING]
    standing = tuple(threshold for threshold in fired if share > max(threshold - WELL_BELOW, threshold / 2))
    due = [threshold for threshold in reached if threshold not in standing]
    if not due:
        if not standing and not alerts:
            return None, None
        return Alerted(period_start, budget.limit, standing, alerts), None
    # Only a higher threshold than those that stand is news: below them it was passed on the way, unarmed or new.
    crossing = None
    if not standing or due[-1] > max(standing):
        crossing = Crossing(
            budget,
            due[-1],
            tuple(due[:-1]),
            event_id(DetailType.BUDGET_THRESHOLD_REACHED, budget.identity, period_start, budget.limit, due[-1], alerts),
        )
        alerts += 1
    return Alerted(period_start, budget.limit, tuple(sorted({*standing, *due})), alerts), crossing


def asked_again(budget: Budget, memory: Alerted | None, trigger: str) -> Crossing | None:
    """The threshold that disables, once more: its disable was withheld (`trigger`: the event that asked) and is due.

    Nothing once the period is over, the limit changed, or the spend is below it.
    """
    if memory is None or budget.disable_at is None or budget.disable_at not in memory.fired:
        return None
    if budget.spent / budget.limit < budget.disable_at - ROUNDING:
        return None
    id = event_id(DetailType.BUDGET_THRESHOLD_REACHED, budget.identity, memory.period_start, "again", trigger)
    return Crossing(budget, max(memory.fired), (), id)


def forget(memory: Mapping[str, Alerted], alive: set[str]) -> dict[str, Alerted]:
    """The memory of budgets that still exist: it never outgrows them."""
    return {identity: alerted for identity, alerted in memory.items() if identity in alive}


def describe(
    crossing: Crossing, keys: Sequence[KeyReading], usd_per_hour: float, now: datetime
) -> tuple[str, BudgetReached]:
    """The sentence for a person, and the evidence.

    `usd_per_hour`: the last hour's spend. The money runs out at that rate only if the period does not end first.
    """
    budget = crossing.budget
    left = budget.limit - budget.spent
    reset = resets_at(budget.period, now)
    runs_out = None
    if usd_per_hour > 0 and left > 0 and left / usd_per_hour < 24 * 366:
        runs_out = now + timedelta(seconds=round(left / usd_per_hour * 3600))
        if reset and runs_out >= reset:
            runs_out = None
    disable = budget.disable_at is not None and crossing.threshold >= budget.disable_at
    evidence = BudgetReached(
        scope=budget.scope,
        scope_id=budget.scope_id,
        scope_name=budget.scope_name,
        period=budget.period,
        threshold=crossing.threshold,
        also_crossed=list(crossing.also_crossed),
        spent_usd=round(budget.spent, 6),
        limit_usd=budget.limit,
        resets_at=reset,
        rate_usd_per_hour=round(usd_per_hour, 6),
        runs_out_at=runs_out,
        disable=disable,
        keys=list(keys),
    )
    noun = "key" if budget.scope == "key_limit" else budget.scope
    reason = (
        f"The {noun} {budget.scope_name} has spent ${budget.spent:,.2f} of ${budget.limit:,.2f} ({budget.period}): "
        f"{crossing.threshold:.0%} reached."
    )
    return reason, evidence
