"""What the money did: sums by workspace, workload, model, provider and app over windows of seven completed UTC days.

Sources: `GET /activity?group_by=workspace` (the last 30 completed days: `usage` is billed to credits, and
`byok_usage_inference` paid by our own provider accounts) and `POST /analytics/query` (`total_usage` is both together).
Pure; USD as `Decimal`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from management_api import ActivityItem

WEEK, WEEKS = timedelta(days=7), 4
CENT = Decimal("0.01")
NOUGHT = Decimal(0)


def cents(amount: Decimal) -> Decimal:
    """Rounded to the cent; no negative nought."""
    return amount.quantize(CENT) + NOUGHT


def windows(today: date) -> list[tuple[date, date]]:
    """The four windows of seven completed days that end with yesterday: [first, end), the newest first."""
    return [(today - WEEK * (n + 1), today - WEEK * n) for n in range(WEEKS)]


@dataclass(frozen=True)
class Line:
    """One name's spend in the four windows, the newest first, USD."""

    name: str
    weeks: tuple[Decimal, ...]

    @property
    def week(self) -> Decimal:
        return self.weeks[0]

    @property
    def before(self) -> Decimal:
        return self.weeks[1]

    @property
    def usual(self) -> Decimal:
        """The mean of the three weeks before this one."""
        return sum(self.weeks[1:], NOUGHT) / (len(self.weeks) - 1)

    @property
    def month(self) -> Decimal:
        """28 days."""
        return sum(self.weeks, NOUGHT)


@dataclass(frozen=True)
class Table:
    """Spend by one dimension, the largest of this week first. `month_before`: of the 28 days before, where it is known.

    `note`: what the table lacks, for people.
    """

    dimension: str
    lines: Sequence[Line] = ()
    month_before: Mapping[str, Decimal] = field(default_factory=dict)
    note: str = ""

    @property
    def total(self) -> Line:
        sums = [sum((one.weeks[n] for one in self.lines), NOUGHT) for n in range(WEEKS)]
        return Line("all", tuple(sums))


def table(dimension: str, weeks: Sequence[Mapping[str, Decimal]], **more: object) -> Table:
    """A table of one mapping a window, the newest first; names that spent nothing at all are left out."""
    names = {name for week in weeks for name, usd in week.items() if usd}
    lines = [Line(name, tuple(week.get(name, NOUGHT) for week in weeks)) for name in names]
    lines.sort(key=lambda one: (-one.week, -one.month, one.name))
    note, before = more.get("note", ""), more.get("month_before", {})
    return Table(dimension, lines, before if isinstance(before, dict) else {}, f"{note}")


def paid(row: "ActivityItem") -> Decimal:
    """What the row cost, whoever paid, USD."""
    return Decimal(f"{row.usage}") + Decimal(f"{row.byok_usage_inference}")


def by(
    rows: Iterable["ActivityItem"],
    today: date,
    name: Callable[["ActivityItem"], str],
    cost: Callable[["ActivityItem"], Decimal] = paid,
) -> list[dict[str, Decimal]]:
    """Sums of activity by name, one mapping a window."""
    sums = [defaultdict[str, Decimal](Decimal) for _ in range(WEEKS)]
    spans = windows(today)
    for row in rows:
        day = date.fromisoformat(row.date[:10])
        for number, (first, end) in enumerate(spans):
            if first <= day < end:
                sums[number][name(row)] += cost(row)
    return [dict(one) for one in sums]


@dataclass(frozen=True)
class Costs:
    """Every table, and what could not be asked. `days`: USD of each completed day of the account, oldest first."""

    workspaces: Table
    models: Table
    providers: Table
    payers: Table
    workloads: Table
    apps: Table
    days: Mapping[date, Decimal] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)

    @property
    def tables(self) -> Sequence[Table]:
        return (self.workspaces, self.workloads, self.models, self.providers, self.apps, self.payers)
