"""Workspaces and their budgets."""

from management_api._models._base import Answer, Identifier, Instant, Name, Request, Slug, Usd


class Workspace(Answer):
    """One workspace. `default_guardrail_id` governs all its traffic, and exists before it is first written."""

    id: Identifier
    name: Name
    slug: Slug = ""
    description: str | None = None
    default_guardrail_id: Identifier | None = None
    default_text_model: str | None = None
    default_image_model: str | None = None
    default_provider_sort: str | None = None
    include_byok_in_budgets: bool | None = None
    is_observability_broadcast_enabled: bool = False
    is_observability_io_logging_enabled: bool = False
    is_data_discount_logging_enabled: bool = False
    io_logging_sampling_rate: float | None = None
    io_logging_api_key_ids: list[int] | None = None
    created_at: Instant
    created_by: str | None = None
    updated_at: Instant | None = None


class WorkspacePatch(Request):
    """Changes to a workspace; a field that is not set stays as it is."""

    name: str | None = None
    slug: str | None = None
    description: str | None = None
    default_text_model: str | None = None
    default_image_model: str | None = None
    default_provider_sort: str | None = None
    is_observability_broadcast_enabled: bool | None = None
    is_observability_io_logging_enabled: bool | None = None
    is_data_discount_logging_enabled: bool | None = None
    io_logging_sampling_rate: float | None = None
    io_logging_api_key_ids: list[int] | None = None


class WorkspaceBudget(Answer):
    """A cap on a workspace, in USD. `reset_interval`: `daily`, `weekly`, `monthly`, or None for the whole life."""

    id: str
    workspace_id: Identifier
    limit_usd: Usd
    reset_interval: str | None
    created_at: Instant
    updated_at: Instant | None = None


class WorkspaceBudgets(Answer):
    """A workspace's budgets. `include_byok_in_budgets` holds for all of them; None where OpenRouter did not say."""

    data: list[WorkspaceBudget]
    include_byok_in_budgets: bool | None = None


class BudgetLimit(Request):
    """The body of `PUT /workspaces/{id}/budgets/{interval}`."""

    limit_usd: float
    include_byok_in_budgets: bool = False
