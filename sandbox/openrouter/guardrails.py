"""Guardrails: rules that bind nothing until assigned, and who holds which."""

from dataclasses import dataclass
from typing import Any

from sandbox.openrouter.bodies import GuardrailChange, Region
from sandbox.openrouter.catalogue import Model
from sandbox.openrouter.periods import Interval, iso, iso_or_none

DEFAULTS: dict[str, Any] = {name: field.default for name, field in GuardrailChange.model_fields.items()}


@dataclass(slots=True)
class Guardrail:
    """`rules` are the writable fields, `name` among them."""

    id: str
    workspace_id: str
    created_at: float
    rules: dict[str, Any]
    updated_at: float | None = None

    @property
    def limit_usd(self) -> float | None:
        return self.rules["limit_usd"]  # type: ignore[no-any-return]  # checked by GuardrailChange

    @property
    def reset_interval(self) -> Interval | None:
        return self.rules["reset_interval"]  # type: ignore[no-any-return]  # checked by GuardrailChange

    @property
    def include_byok(self) -> bool:
        return bool(self.rules["include_byok_in_budgets"])

    def view(self) -> dict[str, Any]:
        return {
            "id": self.id,
            **self.rules,
            "workspace_id": self.workspace_id,
            "created_at": iso(self.created_at),
            "updated_at": iso_or_none(self.updated_at),
        }

    def allows_model(self, model: Model) -> bool:
        allowed, ignored = self.rules["allowed_models"], self.rules["ignored_models"]
        names = {model.id, model.permaslug}
        return (allowed is None or bool(names & set(allowed))) and not names & set(ignored or ())

    def allows_region(self, region: Region) -> bool:
        """Whether a request may arrive through this region's host."""
        allowed = self.rules["allowed_data_regions"]
        return allowed is None or region in allowed

    def allows_provider(self, provider: str) -> bool:
        allowed, ignored = self.rules["allowed_providers"], self.rules["ignored_providers"]
        return (allowed is None or provider in allowed) and provider not in (ignored or ())


@dataclass(slots=True)
class Assignment:
    """A guardrail held by a key (its hash) or by a member (their user id)."""

    id: str
    guardrail_id: str
    holder: str
    created_at: float
    assigned_by: str | None = None

    def view(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "guardrail_id": self.guardrail_id,
            "assigned_by": self.assigned_by,
            "created_at": iso(self.created_at),
        }
