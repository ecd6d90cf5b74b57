"""Request bodies as OpenRouter documents them. Unknown fields are dropped without a word, as the vendor does."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from sandbox.openrouter.byok_providers import BYOK_PROVIDER

type Reset = Literal["daily", "weekly", "monthly"]
type Hashes = Annotated[list[str], Field(min_length=1, max_length=100)]
type Named = Annotated[list[str], Field(min_length=1)]
type Region = Literal["global", "europe", "us"]


class Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    def changes(self) -> dict[str, Any]:
        """Only what the caller sent: absent is not null."""
        return self.model_dump(exclude_unset=True)


class External(Body):
    """A partner's own end user, whom the key is counted for. What else it may hold is never shown again."""

    user: str = Field(min_length=1)


class KeyCreation(Body):
    name: str = Field(min_length=1)
    limit: float | None = Field(None, ge=0)
    limit_reset: Reset | None = None
    include_byok_in_limit: bool = False
    expires_at: AwareDatetime | None = None
    creator_user_id: str | None = Field(None, min_length=1)
    external: External | None = None
    workspace_id: str | None = None


class KeyChange(Body):
    """`expires_at` is not among them: once set it cannot be changed."""

    name: str = ""
    disabled: bool = False
    limit: float | None = Field(None, ge=0)
    limit_reset: Reset | None = None
    include_byok_in_limit: bool = False
    workspace_id: str = ""


class WorkspaceChange(Body):
    name: str = Field("", min_length=1, max_length=100)
    slug: str = Field("", min_length=1, max_length=50, pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$")
    description: str | None = Field(None, max_length=500)
    default_text_model: str | None = None
    default_image_model: str | None = None
    default_provider_sort: str | None = None
    io_logging_api_key_ids: list[int] | None = None
    io_logging_sampling_rate: float = 1.0
    is_data_discount_logging_enabled: bool = True
    is_observability_broadcast_enabled: bool = False
    is_observability_io_logging_enabled: bool = False


class WorkspaceCreation(WorkspaceChange):
    name: str = Field(min_length=1, max_length=100)
    slug: str = Field(min_length=1, max_length=50, pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$")


class WorkspaceBudgetLimit(Body):
    limit_usd: float = Field(gt=0)
    include_byok_in_budgets: bool | None = None


type FilterAction = Literal["redact", "block", "flag"]


class ContentFilter(Body):
    """A regex over what a request says."""

    pattern: str = Field(min_length=1)
    action: FilterAction
    label: str | None = Field(None, max_length=100)


class BuiltinFilter(Body):
    """A detector of OpenRouter's own. A `label` that is sent is dropped: it is the system's to assign."""

    slug: Literal[
        "email", "phone", "ssn", "credit-card", "ip-address", "person-name", "address", "regex-prompt-injection"
    ]
    action: FilterAction
    scan_scope: Literal["user_only", "all_messages"] | None = None


class GuardrailChange(Body):
    name: str = Field("", min_length=1, max_length=200)
    description: str | None = Field(None, max_length=1000)
    limit_usd: float | None = Field(None, gt=0)
    reset_interval: Reset | None = None
    include_byok_in_budgets: bool = False
    allowed_models: Named | None = None
    ignored_models: Named | None = None
    allowed_providers: Named | None = None
    ignored_providers: Named | None = None
    allowed_data_regions: Annotated[list[Region], Field(min_length=1)] | None = None
    enable_free_model_publication: bool | None = None
    enable_free_model_training: bool | None = None
    enable_paid_model_training: bool | None = None
    enforce_zdr: bool | None = None
    enforce_zdr_anthropic: bool | None = None
    enforce_zdr_google: bool | None = None
    enforce_zdr_openai: bool | None = None
    enforce_zdr_other: bool | None = None
    enforce_zdr_xai: bool | None = None
    allow_safety_retention_google: bool | None = None
    allow_safety_retention_other: bool | None = None
    content_filters: list[ContentFilter] | None = None
    content_filter_builtins: list[BuiltinFilter] | None = None


class GuardrailCreation(GuardrailChange):
    name: str = Field(min_length=1, max_length=200)
    workspace_id: str | None = None


class KeyAssignments(Body):
    key_hashes: list[str] = Field(min_length=1)


class MemberAssignments(Body):
    member_user_ids: list[str] = Field(min_length=1)


class CredentialChange(Body):
    """A BYOK credential. `null` lifts an allowlist; an empty one is refused."""

    key: str = Field("", min_length=1)
    name: str | None = Field(None, max_length=255)
    disabled: bool = False
    is_fallback: bool = False
    is_required: bool = False
    is_byok_only: bool = False
    allowed_models: Hashes | None = None
    allowed_api_key_hashes: Hashes | None = None
    allowed_user_ids: Hashes | None = None
    declared_region: Region | None = None
    declared_zdr: bool | None = None


class CredentialCreation(CredentialChange):
    key: str = Field(min_length=1)
    provider: str = Field(pattern=BYOK_PROVIDER)
    workspace_id: str | None = None


class DestinationChange(Body):
    name: str = ""
    enabled: bool = True
    config: dict[str, Any] = Field(default_factory=dict)
    privacy_mode: bool = False
    sampling_rate: float = Field(1.0, ge=0, le=1)
    api_key_hashes: Hashes | None = None
    filter_rules: dict[str, Any] | None = None
    regions: list[str] = Field(default_factory=lambda: ["global"])
    broadcast_generation_cost: bool = False
    broadcast_generation_cost_allocation: bool = False
    broadcast_generation_identity: bool = False
    broadcast_generation_request_context: bool = False


class DestinationCreation(DestinationChange):
    type: str
    name: str = Field(min_length=1)
    config: dict[str, Any]
    workspace_id: str | None = None


class TimeRange(Body):
    start: AwareDatetime
    end: AwareDatetime


class Filter(Body):
    field: str
    operator: Literal["eq", "neq", "in", "not_in", "gt", "gte", "lt", "lte"]
    value: str | float | list[str | float]


class OrderBy(Body):
    field: str
    direction: Literal["asc", "desc"]


class AnalyticsQuery(Body):
    metrics: list[str] = Field(min_length=1)
    dimensions: list[str] = Field(default_factory=list, max_length=2)
    granularity: Literal["minute", "hour", "day", "week", "month"] | None = None
    filters: list[Filter] = Field(default_factory=list, max_length=20)
    time_range: TimeRange | None = None
    limit: int = Field(1000, ge=1)
    order_by: OrderBy | None = None


class ChatRequest(Body):
    """The fields that inference here acts on. `provider` holds the caller's routing preferences."""

    model_config = ConfigDict(strict=True, extra="allow")

    model: str = ""
    models: list[str] = Field(default_factory=list)
    preset: str | None = None
    response_format: dict[str, Any] | None = None
    messages: list[dict[str, Any]] = Field(min_length=1)
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    provider: dict[str, Any] | None = None
    user: str | None = None
    session_id: str | None = None
    stream: bool = False
