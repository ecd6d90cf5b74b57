"""OpenRouter over HTTP, and nothing else: `OpenRouter` is the client, `management_api.errors` what it raises."""

from management_api._client import OpenRouter
from management_api._models.analytics import (
    ActivityItem,
    AnalyticsFilter,
    AnalyticsOrder,
    AnalyticsQuery,
    AnalyticsResult,
    Credits,
    TimeRange,
    number,
)
from management_api._models.byok import ByokKey, ByokPatch, NewByok
from management_api._models.destinations import Destination, DestinationPatch, NewDestination
from management_api._models.guardrails import Guardrail, GuardrailPatch, KeyAssignment, MemberAssignment, NewGuardrail
from management_api._models.inference import (
    ChatChoice,
    ChatCompletion,
    ChatMessage,
    ChatUsage,
    Generation,
    Model,
    OpenRouterMetadata,
    Pricing,
    ProviderResponse,
    RouterAttempt,
)
from management_api._models.keys import ApiKey, CreatedKey, CurrentKey, External, KeyBudget, KeyPatch, NewKey
from management_api._models.members import Member
from management_api._models.presets import Preset, PresetVersion
from management_api._models.workspaces import Workspace, WorkspaceBudget, WorkspaceBudgets, WorkspacePatch
from management_api._retry import Deadline, Pacing, Retry
from management_api._sweep import Read, Unknown, WorkspaceReading
from management_api.errors import (
    AuthenticationFailed,
    Conflict,
    NotFound,
    OpenRouterError,
    OutcomeUnknown,
    RateLimited,
    ReadForbidden,
    Rejected,
    Unavailable,
    WriteForbidden,
)

__all__ = [
    "ActivityItem",
    "AnalyticsFilter",
    "AnalyticsOrder",
    "AnalyticsQuery",
    "AnalyticsResult",
    "ApiKey",
    "AuthenticationFailed",
    "ByokKey",
    "ByokPatch",
    "ChatChoice",
    "ChatCompletion",
    "ChatMessage",
    "ChatUsage",
    "Conflict",
    "CreatedKey",
    "Credits",
    "CurrentKey",
    "Deadline",
    "Destination",
    "DestinationPatch",
    "External",
    "Generation",
    "Guardrail",
    "GuardrailPatch",
    "KeyAssignment",
    "KeyBudget",
    "KeyPatch",
    "Member",
    "MemberAssignment",
    "Model",
    "NewByok",
    "NewDestination",
    "NewGuardrail",
    "NewKey",
    "NotFound",
    "OpenRouter",
    "OpenRouterError",
    "OpenRouterMetadata",
    "OutcomeUnknown",
    "Pacing",
    "Preset",
    "PresetVersion",
    "Pricing",
    "ProviderResponse",
    "RateLimited",
    "Read",
    "ReadForbidden",
    "Rejected",
    "Retry",
    "RouterAttempt",
    "TimeRange",
    "Unavailable",
    "Unknown",
    "Workspace",
    "WorkspaceBudget",
    "WorkspaceBudgets",
    "WorkspacePatch",
    "WorkspaceReading",
    "WriteForbidden",
    "number",
]
