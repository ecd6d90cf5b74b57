"""Guardrails, and the keys and members they are assigned to."""

from typing import Any

from management_api._models._base import Answer, Identifier, Instant, Name, Request, Usd


class Guardrail(Answer):
    """One guardrail. Its budget (USD) counts per key, and it enforces nothing until it is assigned.

    `workspace_id` only files it. `allowed_*`: None allows all.
    """

    id: Identifier
    name: Name
    description: str | None = None
    workspace_id: Identifier | None = None
    limit_usd: Usd | None = None
    reset_interval: str | None = None
    include_byok_in_budgets: bool
    allowed_models: list[str] | None = None
    ignored_models: list[str] | None = None
    allowed_providers: list[str] | None = None
    ignored_providers: list[str] | None = None
    allowed_data_regions: list[str] | None = None
    content_filters: list[dict[str, Any]] | None = None
    content_filter_builtins: list[dict[str, Any]] | None = None
    enforce_zdr: bool | None = None
    enforce_zdr_anthropic: bool | None = None
    enforce_zdr_google: bool | None = None
    enforce_zdr_openai: bool | None = None
    enforce_zdr_xai: bool | None = None
    enforce_zdr_other: bool | None = None
    enable_free_model_publication: bool | None = None
    enable_free_model_training: bool | None = None
    enable_paid_model_training: bool | None = None
    created_at: Instant
    updated_at: Instant | None = None


class GuardrailPatch(Request):
    """Changes to a guardrail; a field that is not set stays as it is, None lifts it."""

    name: str | None = None
    description: str | None = None
    limit_usd: float | None = None
    reset_interval: str | None = None
    include_byok_in_budgets: bool | None = None
    allowed_models: list[str] | None = None
    ignored_models: list[str] | None = None
    allowed_providers: list[str] | None = None
    ignored_providers: list[str] | None = None
    allowed_data_regions: list[str] | None = None
    content_filters: list[dict[str, Any]] | None = None
    content_filter_builtins: list[dict[str, Any]] | None = None
    enforce_zdr_anthropic: bool | None = None
    enforce_zdr_google: bool | None = None
    enforce_zdr_openai: bool | None = None
    enforce_zdr_xai: bool | None = None
    enforce_zdr_other: bool | None = None
    enable_free_model_publication: bool | None = None
    enable_free_model_training: bool | None = None
    enable_paid_model_training: bool | None = None


class NewGuardrail(GuardrailPatch):
    """A guardrail to be made."""

    name: str
    workspace_id: str | None = None


class KeyAssignment(Answer):
    """One key governed by one guardrail. A key holds at most one; assigning replaces."""

    id: str
    guardrail_id: Identifier
    key_hash: Identifier
    key_name: Name = ""
    key_label: str = ""
    assigned_by: str | None = None
    created_at: Instant


class MemberAssignment(Answer):
    """One member governed by one guardrail, and with them every key that they created. A member holds at most one."""

    id: str
    guardrail_id: Identifier
    user_id: str
    assigned_by: str | None = None
    created_at: Instant
