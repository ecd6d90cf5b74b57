"""How much of the spend our own keys serve, against its own record. Pure, and free of charge.

Two sources, one rule. The keys' counters (`usage`, `byok_usage`) are exact, and tell whose share fell. Analytics
(`credits_usage`, `byok_usage`) tells at which provider; no source says how fresh it is, so it is held against its own
record only, and adds names, not dollars, where the counters show the fall as well.

A series is one workload's, or one provider's, spend in a workspace. Its habit is its share of the past weeks, weighted
to the present. A run in which it moved falls where the share is half the habit or less; two such runs in a row are a
leak. A run without traffic says nothing. Two runs near the habit end a leak; meanwhile the habit learns nothing.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from governor.clock import format_instant, parse_instant

HALF_LIFE = timedelta(days=7)
"""Of the habit: what was spent a week ago weighs half."""
LEAST_HABIT_SHARE, LEAST_HABIT_USD = 0.2, 0.05
"""Below this there is no habit of BYOK that could be missed."""
LEAST_USD = 0.001
"""A run that moved less did not move."""
FALLEN, RISEN = 0.5, 0.8
"""Shares of the habit: at or below the one a run falls, at or above the other it is well again."""
IN_A_ROW = 2


@dataclass(frozen=True)
class Spend:
    """USD: billed to credits, and served by our own keys and paid elsewhere."""

    credits: float = 0.0
    own: float = 0.0

    @property
    def total(self) -> float:
        return self.credits + self.own

    @property
    def share(self) -> float:
        return self.own / self.total if self.total > 0 else 0.0

    def __add__(self, other: "Spend") -> "Spend":
        return Spend(self.credits + other.credits, self.own + other.own)

    def since(self, before: "Spend") -> "Spend":
        """What came on top; counters that went back are no spend."""
        return Spend(max(0.0, self.credits - before.credits), max(0.0, self.own - before.own))


@dataclass(frozen=True)
class Series:
    """`fallen`: runs in a row that fell; `well`: that were near the habit while a fall stands. `since`: of the fall.

    `lost`: USD of credits beyond the habit since then. `share`: of the newest run that moved, `moved`: when that was.
    `at`: when it was read.
    """

    habit: Spend = Spend()
    at: datetime | None = None
    fallen: int = 0
    well: int = 0
    since: datetime | None = None
    lost: float = 0.0
    share: float = 1.0
    moved: datetime | None = None

    @property
    def leaks(self) -> bool:
        return self.since is not None and self.fallen >= IN_A_ROW

    def after(self, moved: Spend, now: datetime) -> "Series":
        """The series one run on, in which it spent `moved`."""
        if moved.total < LEAST_USD:
            return replace(self, at=now)
        start = self.since or self.at or now
        known = self.habit.total >= LEAST_HABIT_USD and self.habit.share >= LEAST_HABIT_SHARE
        if known and moved.share <= self.habit.share * FALLEN:
            return replace(
                self, at=now, fallen=min(self.fallen + 1, IN_A_ROW), well=0, since=start, share=moved.share,
                lost=self.lost + self._beyond(moved), moved=now,
            )  # fmt: skip
        if self.leaks and (self.well + 1 < IN_A_ROW or moved.share < self.habit.share * RISEN):
            well = self.well + 1 if moved.share >= self.habit.share * RISEN else 0
            lost = self.lost + self._beyond(moved)
            return replace(self, at=now, well=well, share=moved.share, lost=lost, moved=now)
        elapsed = (now - self.at) if self.at else timedelta()
        weight = 0.5 ** (elapsed / HALF_LIFE)
        habit = Spend(self.habit.credits * weight, self.habit.own * weight) + moved
        return Series(habit, now, share=moved.share, moved=now)

    def _beyond(self, moved: Spend) -> float:
        return max(0.0, moved.credits - (1 - self.habit.share) * moved.total)

    def data(self) -> dict[str, Any]:
        return {
            "habit": [round(self.habit.credits, 6), round(self.habit.own, 6)],
            "at": format_instant(self.at) if self.at else None,
            "fallen": self.fallen,
            "well": self.well,
            "since": format_instant(self.since) if self.since else None,
            "lost": round(self.lost, 6),
            "share": round(self.share, 4),
            "moved": format_instant(self.moved) if self.moved else None,
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Series":
        return cls(
            Spend(*data["habit"]),
            parse_instant(data["at"]) if data["at"] else None,
            int(data["fallen"]),
            int(data["well"]),
            parse_instant(data["since"]) if data["since"] else None,
            float(data["lost"]),
            float(data["share"]),
            parse_instant(data["moved"]) if data["moved"] else None,
        )


@dataclass(frozen=True)
class Leak:
    """What a record shows. `share`, `habit`: of the worst of the series that fell. `lost`: of all of them, USD."""

    since: datetime
    share: float
    habit: float
    lost: float
    workloads: tuple[str, ...]
    providers: tuple[str, ...]

    @property
    def source(self) -> Literal["counters", "analytics", "both"]:
        if self.workloads and self.providers:
            return "both"
        return "counters" if self.workloads else "analytics"

    def data(self) -> dict[str, Any]:
        return {**asdict(self), "since": format_instant(self.since)}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Leak":
        return cls(
            parse_instant(data["since"]), float(data["share"]), float(data["habit"]), float(data["lost"]),
            tuple(data["workloads"]), tuple(data["providers"]),
        )  # fmt: skip


@dataclass(frozen=True)
class Record:
    """What is remembered of one workspace. `keys`: each key's counters as last read, by the start of its hash.

    `hours`: what analytics said of each provider and hour as last read, so that rows which come late still count.
    `told`: the decision under which a leak that stands was told; `lost`: that leak.
    """

    workloads: Mapping[str, Series] = field(default_factory=dict)
    providers: Mapping[str, Series] = field(default_factory=dict)
    keys: Mapping[str, Spend] = field(default_factory=dict)
    hours: Mapping[str, Spend] = field(default_factory=dict)
    told: str = ""
    lost: Leak | None = None

    def counted(
        self, keys: Mapping[tuple[str, str], Spend], months: Mapping[tuple[str, str], Spend], now: datetime
    ) -> "Record":
        """After a reading of the counters, by (workload, hash): of each key's life, and of its month, which is what
        a workload seen first brings along as its habit."""
        moved: dict[str, Spend] = {}
        brought: dict[str, Spend] = {}
        for (workload, hash), counters in keys.items():
            before = self.keys.get(hash[:HASH])
            if before is None:
                brought[workload] = brought.get(workload, Spend()) + months[workload, hash]
            else:
                moved[workload] = moved.get(workload, Spend()) + counters.since(before)
        series = dict(self.workloads)
        for workload in {*moved, *brought}:
            found = series.get(workload)
            if found is None:
                found = Series(brought.get(workload, Spend()), now)
            series[workload] = found.after(moved.get(workload, Spend()), now)
        live = {workload for workload, _ in keys}
        kept = {workload: one for workload, one in series.items() if workload in live}
        return replace(self, workloads=kept, keys={hash[:HASH]: one for (_, hash), one in keys.items()})

    def charted(self, rows: Mapping[tuple[str, str], Spend], now: datetime) -> "Record":
        """After a reading of analytics: by (provider, hour). The first one is the habit."""
        first = not self.providers
        moved: dict[str, Spend] = {}
        for (provider, hour), spend in rows.items():
            before = self.hours.get(f"{provider} {hour}", Spend())
            moved[provider] = moved.get(provider, Spend()) + spend.since(before)
        series = dict(self.providers)
        for provider, spend in moved.items():
            known = series.get(provider)
            series[provider] = Series(spend, now) if first or known is None else known.after(spend, now)
        newest = sorted({hour for _, hour in rows} | {key.partition(" ")[2] for key in self.hours})[-HOURS:]
        merged = {**self.hours, **{f"{provider} {hour}": spend for (provider, hour), spend in rows.items()}}
        kept = {key: spend for key, spend in merged.items() if key.partition(" ")[2] in newest}
        return replace(self, providers=series, hours=kept)

    def data(self) -> dict[str, Any]:
        return {
            "workloads": {name: one.data() for name, one in self.workloads.items()},
            "providers": {name: one.data() for name, one in self.providers.items()},
            "keys": {name: [round(one.credits, 6), round(one.own, 6)] for name, one in self.keys.items()},
            "hours": {name: [round(one.credits, 6), round(one.own, 6)] for name, one in self.hours.items()},
            "split": SPLIT,
            "told": self.told,
            "lost": self.lost.data() if self.lost else None,
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Record":
        # Rows written before `split` hold providers' habits in another metric: they are learned anew.
        charted = data.get("split") == SPLIT
        return cls(
            {name: Series.of(one) for name, one in data["workloads"].items()},
            {name: Series.of(one) for name, one in data["providers"].items()} if charted else {},
            {name: Spend(*one) for name, one in data["keys"].items()},
            {name: Spend(*one) for name, one in data["hours"].items()} if charted else {},
            data["told"],
            Leak.of(data["lost"]) if data["lost"] else None,
        )


SPLIT = "credits_usage+byok_usage"
"""The metrics in which providers' series are kept."""
HASH = 12
"""Characters of a key's hash that are kept: thousands of keys must fit one row."""
HOURS = 4


def leak(record: Record, slugs: Mapping[str, str]) -> Leak | None:
    """The leak that stands. `slugs`: of the providers that a decision names there, by analytics' name of each; no other
    has a habit to be missed."""
    workloads = {name: one for name, one in record.workloads.items() if one.leaks}
    providers = {slugs[name]: one for name, one in record.providers.items() if one.leaks and name in slugs}
    counted = list((workloads or providers).values())
    if not counted:
        return None
    worst = max(counted, key=lambda one: one.habit.share - one.share)
    since = min(one.since for one in (*workloads.values(), *providers.values()) if one.since)
    lost = sum(one.lost for one in counted)
    return Leak(since, worst.share, worst.habit.share, lost, tuple(workloads), tuple(providers))
