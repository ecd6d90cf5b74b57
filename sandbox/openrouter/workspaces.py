"""Workspaces, their spend and their budgets."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from sandbox.openrouter.metering import Meter
from sandbox.openrouter.periods import Interval, iso, iso_or_none
from sandbox.openrouter.refusals import Refusal, invalid

type BudgetInterval = Literal["lifetime"] | Interval

BROADEST_FIRST: tuple[BudgetInterval, ...] = ("lifetime", "monthly", "weekly", "daily")


@dataclass(slots=True)
class Budget:
    id: str
    limit_usd: float
    created_at: float
    updated_at: float


@dataclass(slots=True)
class Workspace:
    """`settings` are the fields a caller may write; budgets are keyed by interval."""

    id: str
    default_guardrail_id: str
    created_at: float
    settings: dict[str, Any]
    created_by: str | None = None
    updated_at: float | None = None
    include_byok_in_budgets: bool = False
    budgets: dict[BudgetInterval, Budget] = field(default_factory=dict)
    meter: Meter = field(default_factory=Meter)

    @property
    def name(self) -> str:
        return str(self.settings["name"])

    @property
    def slug(self) -> str:
        return str(self.settings["slug"])

    def view(self) -> dict[str, Any]:
        return {
            "id": self.id,
            **self.settings,
            "default_guardrail_id": self.default_guardrail_id,
            "include_byok_in_budgets": self.include_byok_in_budgets,
            "created_at": iso(self.created_at),
            "created_by": self.created_by,
            "updated_at": iso_or_none(self.updated_at),
        }

    def budget_view(self, interval: BudgetInterval) -> dict[str, Any]:
        budget = self.budgets[interval]
        return {
            "id": budget.id,
            "workspace_id": self.id,
            "limit_usd": budget.limit_usd,
            "reset_interval": reset_of(interval),
            "created_at": iso(budget.created_at),
            "updated_at": iso(budget.updated_at),
        }

    def put_budget(self, interval: BudgetInterval, limit_usd: float, new_id: str, now: float) -> None:
        """Create or replace one budget; limits must strictly shrink as the interval narrows."""
        limits = {**{each: budget.limit_usd for each, budget in self.budgets.items()}, interval: limit_usd}
        ordered = [limits[each] for each in BROADEST_FIRST if each in limits]
        if any(narrower >= broader for broader, narrower in pairwise(ordered)):
            raise invalid("Budget limits must strictly decrease: lifetime > monthly > weekly > daily")
        existing = self.budgets.get(interval)
        if existing:
            existing.limit_usd, existing.updated_at = limit_usd, now
        else:
            self.budgets[interval] = Budget(new_id, limit_usd, now, now)


def reset_of(interval: BudgetInterval) -> Interval | None:
    return None if interval == "lifetime" else interval


def interval_of(text: str) -> BudgetInterval:
    for interval in BROADEST_FIRST:
        if interval == text:
            return interval
    raise Refusal(400, f"Unknown budget interval: {text}")


DEFAULT_SETTINGS: dict[str, Any] = {
    "description": None,
    "default_text_model": None,
    "default_image_model": None,
    "default_provider_sort": None,
    "disabled_server_tools": None,
    "io_logging_api_key_ids": None,
    "io_logging_sampling_rate": 1.0,
    "is_data_discount_logging_enabled": True,
    "is_observability_broadcast_enabled": False,
    "is_observability_io_logging_enabled": False,
}
