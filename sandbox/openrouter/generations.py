"""One inference request as it is remembered: what was tried, who served it, and what it cost."""

from dataclasses import dataclass
from typing import Any

from sandbox.openrouter.catalogue import PROVIDERS, Model
from sandbox.openrouter.periods import iso


@dataclass(frozen=True, slots=True)
class Attempt:
    """One provider asked. `status` is what it answered; latency in milliseconds."""

    provider: str
    status: int
    is_byok: bool
    latency: int

    @property
    def name(self) -> str:
        return PROVIDERS[self.provider]


@dataclass(frozen=True, slots=True)
class Generation:
    """Costs in USD: of prompt and completion at list price, `usage` billed to credits, `upstream` paid elsewhere.

    `considered`: the slugs of the providers that might have served it.
    """

    id: str
    created_at: float
    key_hash: str
    key_name: str
    creator_user_id: str | None
    workspace_id: str
    organization_id: str
    model: Model
    attempts: tuple[Attempt, ...]
    prompt_tokens: int
    completion_tokens: int
    prompt_cost: float
    completion_cost: float
    usage: float
    upstream: float
    finish_reason: str | None
    prompt: str
    reply: str
    user: str | None = None
    session_id: str | None = None
    app: str | None = None
    preset_id: str | None = None
    considered: tuple[str, ...] = ()
    error: str | None = None
    streamed: bool = False
    breaks_after: int | None = None

    @property
    def served_by(self) -> Attempt | None:
        return self.attempts[-1] if self.error is None else None

    @property
    def is_byok(self) -> bool:
        return self.served_by is not None and self.served_by.is_byok

    @property
    def latency(self) -> int:
        """Milliseconds until the last provider began to answer."""
        return sum(attempt.latency for attempt in self.attempts)

    @property
    def generation_time(self) -> int:
        """Milliseconds of writing the reply, at a hundred tokens a second."""
        return self.completion_tokens * 10

    def provider_responses(self) -> list[dict[str, Any]]:
        return [
            {
                "id": self.model.endpoint_id(f"{attempt.provider}/{self.id}/{index}"),
                "provider_name": attempt.name,
                "status": attempt.status,
                "latency": attempt.latency,
                "is_byok": attempt.is_byok,
                "endpoint_id": self.model.endpoint_id(attempt.provider),
                "model_permaslug": self.model.permaslug,
            }
            for index, attempt in enumerate(self.attempts)
        ]

    def view(self) -> dict[str, Any]:
        """`GET /generation?id=`. No field names the credential that served."""
        served = self.served_by
        absent = dict.fromkeys(_NEVER)
        return {
            **absent,
            "id": self.id,
            "api_type": "completions",
            "created_at": iso(self.created_at),
            "data_region": "global",
            "origin": "",
            "model": self.model.permaslug,
            "provider_name": served and served.name,
            "provider_responses": self.provider_responses(),
            "is_byok": self.is_byok,
            "finish_reason": self.finish_reason,
            "native_finish_reason": self.finish_reason,
            "latency": self.latency,
            "generation_time": self.generation_time,
            "tokens_prompt": self.prompt_tokens,
            "tokens_completion": self.completion_tokens,
            "native_tokens_prompt": self.prompt_tokens,
            "native_tokens_completion": self.completion_tokens,
            "native_tokens_cached": 0,
            "native_tokens_reasoning": 0,
            "usage": self.usage,
            "total_cost": self.usage,
            "upstream_inference_cost": self.upstream,
            "cancelled": False,
            "streamed": self.streamed,
            "external_user": self.user,
            "session_id": self.session_id,
            "preset_id": self.preset_id,
            "workspace_id": self.workspace_id,
        }


# Nullable fields of the answer that nothing here ever fills.
_NEVER = (
    "app_id", "cache_discount", "http_referer", "moderation_latency", "native_tokens_completion_images",
    "num_fetches", "num_input_audio_prompt", "num_media_completion", "num_media_prompt", "num_search_results",
    "router", "service_tier", "upstream_id", "user_agent", "web_search_engine",
)  # fmt: skip
