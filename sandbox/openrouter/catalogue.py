"""The models this OpenRouter serves, who serves them, and what a token costs (USD, as the vendor publishes prices)."""

from dataclasses import dataclass
from typing import Any

from sandbox.openrouter.identities import hash_of

PROVIDERS = {
    "anthropic": "Anthropic",
    "amazon-bedrock": "Amazon Bedrock",
    "google-vertex": "Google",
    "google-ai-studio": "Google AI Studio",
    "openai": "OpenAI",
    "azure": "Azure",
    "mistral": "Mistral",
    "deepseek": "DeepSeek",
    "deepinfra": "DeepInfra",
    "groq": "Groq",
    "xai": "xAI",
}
"""Slug to display name. Filters and credentials name providers by slug, responses by display name."""


@dataclass(frozen=True)
class Model:
    """Prices in USD per token. `providers` in the order the router prefers them."""

    id: str
    name: str
    permaslug: str
    prompt_price: float
    completion_price: float
    providers: tuple[str, ...]
    context_length: int = 200_000
    tokenizer: str = "Other"
    created: int = 1_760_000_000

    @property
    def author(self) -> str:
        return self.id.partition("/")[0]

    @property
    def is_free(self) -> bool:
        return self.prompt_price == self.completion_price == 0

    def cost(self, prompt_tokens: int, completion_tokens: int) -> tuple[float, float]:
        """USD for the prompt and for the completion."""
        return prompt_tokens * self.prompt_price, completion_tokens * self.completion_price

    def endpoint_id(self, provider: str) -> str:
        digest = hash_of(f"{self.permaslug}/{provider}")
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"

    @property
    def pricing(self) -> dict[str, str]:
        """Decimal strings, USD per token."""
        return {"prompt": f"{self.prompt_price:.10f}", "completion": f"{self.completion_price:.10f}", "request": "0"}


def _model(
    id: str, name: str, permaslug: str, prompt: float, completion: float, *providers: str, tokenizer: str = "Other"
) -> Model:
    """Prices per million tokens, as price lists give them."""
    return Model(id, name, permaslug, prompt / 1e6, completion / 1e6, providers, tokenizer=tokenizer)


_CLAUDE = ("anthropic", "amazon-bedrock", "google-vertex")

MODELS = {
    model.id: model
    for model in (
        _model("anthropic/claude-haiku-4.5", "Anthropic: Claude Haiku 4.5", "anthropic/claude-haiku-4.5-20251001",
               1, 5, *_CLAUDE, tokenizer="Claude"),
        _model("anthropic/claude-sonnet-4.5", "Anthropic: Claude Sonnet 4.5", "anthropic/claude-sonnet-4.5-20250929",
               3, 15, *_CLAUDE, tokenizer="Claude"),
        _model("anthropic/claude-opus-4.5", "Anthropic: Claude Opus 4.5", "anthropic/claude-opus-4.5-20251124",
               5, 25, *_CLAUDE, tokenizer="Claude"),
        _model("openai/gpt-5.1", "OpenAI: GPT-5.1", "openai/gpt-5.1-20251113",
               1.25, 10, "openai", "azure", tokenizer="GPT"),
        _model("openai/gpt-5-mini", "OpenAI: GPT-5 Mini", "openai/gpt-5-mini-2025-08-07",
               0.25, 2, "openai", "azure", tokenizer="GPT"),
        _model("openai/gpt-5.1-codex-mini", "OpenAI: GPT-5.1-Codex-Mini", "openai/gpt-5.1-codex-mini-20251113",
               0.25, 2, "openai", tokenizer="GPT"),
        _model("openai/text-embedding-3-large", "OpenAI: Text Embedding 3 Large", "openai/text-embedding-3-large",
               0.13, 0, "openai", "azure", tokenizer="GPT"),
        _model("google/gemini-2.5-pro", "Google: Gemini 2.5 Pro", "google/gemini-2.5-pro",
               1.25, 10, "google-vertex", "google-ai-studio", tokenizer="Gemini"),
        _model("google/gemini-2.5-flash", "Google: Gemini 2.5 Flash", "google/gemini-2.5-flash",
               0.3, 2.5, "google-vertex", "google-ai-studio", tokenizer="Gemini"),
        _model("mistralai/mistral-large-2411", "Mistral Large 2411", "mistralai/mistral-large-2411",
               2, 6, "mistral", tokenizer="Mistral"),
        _model("deepseek/deepseek-chat-v3.1", "DeepSeek: DeepSeek V3.1", "deepseek/deepseek-chat-v3.1",
               0.2, 0.8, "deepseek", "deepinfra", tokenizer="DeepSeek"),
        _model("x-ai/grok-4-fast", "xAI: Grok 4 Fast", "x-ai/grok-4-fast", 0.2, 0.5, "xai", tokenizer="Grok"),
        _model("meta-llama/llama-3.3-70b-instruct:free", "Meta: Llama 3.3 70B Instruct (free)",
               "meta-llama/llama-3.3-70b-instruct", 0, 0, "deepinfra", "groq", tokenizer="Llama3"),
    )
}  # fmt: skip

_PARAMETERS = ["max_tokens", "temperature", "top_p", "stop", "seed", "tools", "tool_choice", "response_format"]


def model_view(model: Model) -> dict[str, Any]:
    """A row of `GET /models`."""
    return {
        "id": model.id,
        "canonical_slug": model.permaslug,
        "name": model.name,
        "created": model.created,
        "description": f"{model.name}, simulated.",
        "context_length": model.context_length,
        "architecture": architecture(model),
        "pricing": model.pricing,
        "top_provider": {
            "is_moderated": False,
            "context_length": model.context_length,
            "max_completion_tokens": 64_000,
        },
        "per_request_limits": None,
        "supported_parameters": _PARAMETERS,
        "supported_voices": None,
        "default_parameters": None,
        "expiration_date": None,
        "links": {"details": f"/api/v1/models/{model.permaslug}/endpoints"},
    }


def architecture(model: Model) -> dict[str, Any]:
    output = "embeddings" if "embedding" in model.id else "text"
    return {
        "modality": f"text->{output}",
        "input_modalities": ["text"],
        "output_modalities": [output],
        "tokenizer": model.tokenizer,
        "instruct_type": None,
    }


def endpoint_view(model: Model, provider: str) -> dict[str, Any]:
    """A row of `GET /models/{author}/{slug}/endpoints`."""
    return {
        "name": f"{PROVIDERS[provider]} | {model.permaslug}",
        "model_id": model.id,
        "model_name": model.name,
        "provider_name": PROVIDERS[provider],
        "tag": provider,
        "context_length": model.context_length,
        "max_completion_tokens": 64_000,
        "max_prompt_tokens": None,
        "pricing": model.pricing,
        "quantization": "unknown",
        "service_tier": None,
        "status": 0,
        "supported_parameters": _PARAMETERS,
        "supports_implicit_caching": False,
        "supports_diarization": False,
        "supports_tool_choice": {"auto": True, "function": True, "none": True, "required": True},
        "native_tools": {},
        "latency_last_30m": None,
        "throughput_last_30m": None,
        "uptime_last_1d": 100.0,
        "uptime_last_30m": 100.0,
        "uptime_last_5m": 100.0,
    }
