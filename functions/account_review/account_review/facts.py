"""What a review knows of the account: read from OpenRouter, as its models are; nothing judged yet.

A part that could not be read stands in `unread` with the reason. Unknown is not zero: rules that need the part find
nothing and end nothing.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from governor.policy import Policy
    from management_api import (
        ActivityItem,
        ApiKey,
        ByokKey,
        Credits,
        Destination,
        Guardrail,
        Model,
        Preset,
        Workspace,
        WorkspaceBudget,
    )


@dataclass(frozen=True)
class Place:
    """One workspace, with what is filed in it. Presets are those that resolve, each with its designated version."""

    workspace: "Workspace"
    keys: Sequence["ApiKey"] = ()
    budgets: Sequence["WorkspaceBudget"] = ()
    guardrails: Sequence["Guardrail"] = ()
    byok: Sequence["ByokKey"] = ()
    destinations: Sequence["Destination"] = ()
    presets: Sequence["Preset"] = ()

    @property
    def slug(self) -> str:
        return self.workspace.slug or self.workspace.id

    @property
    def default_guardrail(self) -> "Guardrail | None":
        return next((one for one in self.guardrails if one.id == self.workspace.default_guardrail_id), None)


class Price(NamedTuple):
    """USD per token: prompt, completion, and a prompt token read from cache (None: no such price)."""

    prompt: Decimal
    completion: Decimal
    cached: Decimal | None = None


@dataclass(frozen=True)
class ManagementKey:
    """`since`: when the secret got it. `expires_at`: None for never."""

    since: datetime
    expires_at: datetime | None


@dataclass(frozen=True)
class Facts:
    """`assigned`: guardrail id by key hash; `members_assigned`: by member. `apps`: who used a key in 28 days, by the
    key's name. `prices_before`: of the former review. `unread`: why, by (part, workspace slug or `account`).
    """

    now: datetime
    places: Sequence[Place] = ()
    assigned: Mapping[str, str] = field(default_factory=dict)
    members_assigned: Mapping[str, str] = field(default_factory=dict)
    members: frozenset[str] = frozenset()
    providers: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, "Model"] = field(default_factory=dict)
    prices_before: Mapping[str, Price] = field(default_factory=dict)
    activity: Sequence["ActivityItem"] = ()
    apps: Mapping[str, frozenset[str]] = field(default_factory=dict)
    credits: "Credits | None" = None
    management_key: ManagementKey | None = None
    unread: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return self.now.date()

    def live_keys(self) -> Iterator[tuple[Place, "ApiKey"]]:
        """Keys that can serve a request: neither disabled nor expired."""
        for place in self.places:
            for key in place.keys:
                if not key.disabled and (key.expires_at is None or key.expires_at > self.now):
                    yield place, key

    def used_models(self) -> frozenset[str]:
        """Slugs and permaslugs of the models that served in the last 30 days."""
        return frozenset(name for row in self.activity for name in (row.model, row.model_permaslug) if name)

    def slug_of(self, workspace_id: str | None) -> str:
        return next((place.slug for place in self.places if place.workspace.id == workspace_id), workspace_id or "")


def subject_of(place: Place, key: "ApiKey") -> str:
    """A key's name for a finding: without its rotation tag, so that it stays the same across rotations."""
    return f"{place.slug}/{key.name.partition('#')[0] or f'unnamed {key.hash[:8]}'}"


def owner_of(policy: "Policy", key: "ApiKey") -> str:
    """The Slack user whose key it is: the workload's owner, else its creator where `people` knows them."""
    workload = policy.workload(policy.lineage_of(key.name))
    if workload:
        return workload.owner.slack
    return policy.slack_user_of(key.creator_user_id) or "" if key.creator_user_id else ""


def price_of(model: "Model") -> Price:
    return Price(model.pricing.prompt, model.pricing.completion, model.pricing.input_cache_read)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
