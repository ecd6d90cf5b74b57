"""Every budget that stands between a key and a request, in the order enforcement checks them.

Order and meaning: the vendor's `KeyBudget` (SDK), and the guides on guardrails and workspace budgets.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.openrouter.keys import Key
from sandbox.openrouter.metering import Meter
from sandbox.openrouter.periods import Interval, end_of, iso
from sandbox.openrouter.refusals import Refusal
from sandbox.openrouter.workspaces import BROADEST_FIRST, Workspace, reset_of

if TYPE_CHECKING:
    from sandbox.openrouter.guardrails import Guardrail
    from sandbox.openrouter.organization import Organization


DUST = 1e-10


@dataclass(slots=True)  # not frozen, which costs thrice as much to make: each request makes several
class Layer:
    """One budget as it stands: limits and spend in USD."""

    scope: str
    limit_usd: float
    spend_usd: float
    reset_interval: Interval | None
    resets_at: float | None
    include_byok: bool
    guardrail_id: str | None = None
    budget_id: str | None = None

    @property
    def remaining_usd(self) -> float:
        return self.limit_usd - self.spend_usd

    def view(self) -> dict[str, Any]:
        return {
            "scope": self.scope,
            "limit_usd": self.limit_usd,
            "spend_usd": round(self.spend_usd, 10),
            "remaining_usd": round(self.remaining_usd, 10),
            "reset_interval": self.reset_interval,
            "resets_at": None if self.resets_at is None else iso(self.resets_at),
            "include_byok": self.include_byok,
            "guardrail_id": self.guardrail_id,
            "budget_id": self.budget_id,
        }

    def accepts(self, requests: int, usage: float, byok: float) -> int:
        """How many of `requests` equal ones pass before this layer is spent: one may overshoot, the next is refused."""
        # A limit set to the spend that the API shows, which is rounded, leaves nothing but a float's dust.
        if self.remaining_usd <= DUST:
            return 0
        each = usage + byok if self.include_byok else usage
        # A hair under, so that requests which land exactly on the limit are not given one more by a float's dust.
        return requests if each <= 0 else min(requests, max(1, math.ceil(self.remaining_usd / each - 1e-9)))


def layers(organization: "Organization", key: Key, now: float) -> list[Layer]:
    """Every layer that has a budget, in order; none when nothing is budgeted."""
    return [*_guardrails(organization, key, now), *_workspace(organization, key, now), *_key_limit(key, now)]


def blocking(found: list[Layer]) -> Layer | None:
    """`effective_budget`: the first already spent, otherwise the one with the least left."""
    spent = next((layer for layer in found if layer.remaining_usd <= 0), None)
    return spent or min(found, key=lambda layer: layer.remaining_usd, default=None)


def _guardrails(organization: "Organization", key: Key, now: float) -> Iterator[Layer]:
    workspace = organization.workspaces[key.workspace_id]
    default = organization.guardrails.get(workspace.default_guardrail_id)
    member = organization.member_meter(key)
    if default and member:
        yield from _guardrail("workspace_default_member", default, member, now)
    if default:
        yield from _guardrail("workspace_default_key", default, key.meter, now)
    of_member = organization.guardrail_of_member(key.creator_user_id)
    if of_member and member:
        yield from _guardrail("member", of_member, member, now)
    of_key = organization.guardrail_of_key(key.hash)
    if of_key:
        yield from _guardrail("api_key", of_key, key.meter, now)


def _guardrail(scope: str, guardrail: "Guardrail", meter: Meter, now: float) -> Iterator[Layer]:
    limit = guardrail.limit_usd
    if limit is not None:
        interval = guardrail.reset_interval
        spent = meter.spent(interval, now, include_byok=guardrail.include_byok)
        resets_at = None if interval is None else end_of(interval, now)
        yield Layer(scope, limit, spent, interval, resets_at, guardrail.include_byok, guardrail_id=guardrail.id)


def _workspace(organization: "Organization", key: Key, now: float) -> Iterator[Layer]:
    workspace: Workspace = organization.workspaces[key.workspace_id]
    include_byok = workspace.include_byok_in_budgets
    # Broadest first: the refusal names the broadest interval that is spent.
    for interval in BROADEST_FIRST:
        budget = workspace.budgets.get(interval)
        if budget:
            reset = reset_of(interval)
            spent = workspace.meter.spent(reset, now, include_byok=include_byok)
            resets_at = None if reset is None else end_of(reset, now)
            yield Layer("workspace", budget.limit_usd, spent, reset, resets_at, include_byok, budget_id=budget.id)


def _key_limit(key: Key, now: float) -> Iterator[Layer]:
    if key.limit is not None:
        resets_at = None if key.limit_reset is None else end_of(key.limit_reset, now)
        yield Layer("key_limit", key.limit, key.limit_spend(now), key.limit_reset, resets_at, key.include_byok_in_limit)


_SOURCES = {"workspace": "openrouter_workspace_budget", "key_limit": "openrouter_key_limit"}


def exceeded(layer: Layer) -> Refusal:
    """The 403 of a spent layer. A key's own limit answers 403 too; 402 is kept for the account's credits."""
    window = layer.reset_interval or "total"
    if layer.scope == "workspace":
        interval = layer.reset_interval or "lifetime"
        message = f"Workspace {interval} budget of ${layer.limit_usd:.2f} exceeded. Contact your workspace admin."
    elif layer.scope == "key_limit":
        message = f"Key limit exceeded ({window} limit). Manage it using https://openrouter.ai/settings/keys"
    else:
        message = f"Guardrail {window} budget of ${layer.limit_usd:.2f} exceeded. Contact your workspace admin."
    view = layer.view()
    metadata = {name: view[name] for name in ("scope", "limit_usd", "spend_usd", "resets_at")}
    source = _SOURCES.get(layer.scope, "openrouter_guardrail_budget")
    return Refusal(403, message, metadata={"limit_source": source, **metadata})


def out_of_credits() -> Refusal:
    message = "Insufficient credits. Add more using https://openrouter.ai/credits"
    return Refusal(402, message, metadata={"limit_source": "openrouter_credits"})
