"""Models, chat completions and generations: what a request was served by, and what it cost."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from management_api._models._base import MOST_USD, Answer, Instant, Usd

Price = Annotated[Decimal, Field(ge=-1, le=MOST_USD, allow_inf_nan=False)]
"""USD for one of something; -1 for a price that varies."""


class Pricing(Answer):
    """USD per token, and per request."""

    prompt: Price
    completion: Price
    request: Price = Decimal(0)
    input_cache_read: Price | None = None
    """A prompt token that was read from the provider's cache; None where the model's list has no such price."""


class Model(Answer):
    """One model of the catalogue. `pricing` is in USD per token; -1 stands for a price that varies (routers).

    `expiration_date`: `YYYY-MM-DD`, after which the model may be removed; None where there is no such day.
    """

    id: str
    name: str = ""
    canonical_slug: str = ""
    context_length: int | None = None
    pricing: Pricing
    supported_parameters: list[str] = Field(default_factory=list)
    expiration_date: str | None = None


class Provider(Answer):
    """A provider: `slug` is what filters name, `name` what answers and analytics show."""

    slug: str
    name: str


class ChatMessage(Answer):
    """`content` is text, parts, or None. `refusal`: the model's own words for saying no, where it has such a field."""

    role: str = "assistant"
    content: Any = None
    refusal: str | None = None


class ChatChoice(Answer):
    """One completion. `finish_reason`: `stop`, `length`, `tool_calls`, `content_filter`, `error`."""

    index: int = 0
    finish_reason: str | None = None
    message: ChatMessage


class ChatUsage(Answer):
    """Tokens, and `cost` in USD. `is_byok`: served by a credential of our own."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cost: Usd | None = None
    cost_details: dict[str, Any] | None = None
    is_byok: bool | None = None


class RouterAttempt(Answer):
    """One try at one provider, and the HTTP status it gave."""

    provider: str
    model: str = ""
    status: int | None = None


class OpenRouterMetadata(Answer):
    """How a request was routed. No field names the credential that served it. `generation_time`: milliseconds."""

    is_byok: bool
    attempt: int
    attempts: list[RouterAttempt] = Field(default_factory=list)
    strategy: str = ""
    summary: str = ""
    generation_time: float | None = None


class ChatCompletion(Answer):
    """An answered chat request. `model` is the one that served."""

    id: str
    model: str
    choices: list[ChatChoice]
    usage: ChatUsage | None = None
    openrouter_metadata: OpenRouterMetadata | None = None


class ProviderResponse(Answer):
    """One provider's answer within a generation; `latency` in milliseconds."""

    provider_name: str | None = None
    status: int | None = None
    is_byok: bool | None = None
    latency: float | None = None


class Generation(Answer):
    """What one request became. `total_cost` and `usage` in USD, latencies in milliseconds."""

    id: str
    model: str
    total_cost: Usd
    usage: Usd
    is_byok: bool
    upstream_inference_cost: Usd | None = None
    provider_name: str | None = None
    provider_responses: list[ProviderResponse] | None = None
    finish_reason: str | None = None
    native_finish_reason: str | None = None
    tokens_prompt: int | None = None
    tokens_completion: int | None = None
    latency: float | None = None
    generation_time: float | None = None
    cancelled: bool | None = None
    streamed: bool | None = None
    preset_id: str | None = None
    session_id: str | None = None
    workspace_id: str | None = None
    created_at: Instant
