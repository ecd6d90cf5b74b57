"""A chat completion: admitted, routed, answered, metered and put in the outbox."""

import json
import math
from typing import TYPE_CHECKING, Any

from sandbox.openrouter.analytics import Traffic, tally_of
from sandbox.openrouter.bodies import ChatRequest, Region
from sandbox.openrouter.catalogue import MODELS, Model
from sandbox.openrouter.generations import Attempt, Generation
from sandbox.openrouter.keys import Key
from sandbox.openrouter.otlp import deliveries
from sandbox.openrouter.presets import Preset
from sandbox.openrouter.refusals import Refusal, invalid
from sandbox.openrouter.router_metadata import Unserved
from sandbox.openrouter.routing import attempts, chain
from sandbox.openrouter.shaped import shaped_reply
from sandbox.openrouter.traffic import admit

if TYPE_CHECKING:
    from sandbox.openrouter.organization import Organization

CHARACTERS_PER_TOKEN = 4
NATURAL_LENGTH = 120
"""Tokens an unscripted reply has when nothing cuts it short."""
LEAST_OUTPUT = {"openai/gpt-5.1": 16, "openai/gpt-5-mini": 16, "openai/gpt-5.1-codex-mini": 16}
"""Reasoning models refuse a smaller `max_tokens`."""


def complete(
    organization: "Organization", key: Key, request: ChatRequest, app: str | None, region: Region = "global"
) -> Generation:
    """Serve one request. Raises `Refusal`; a request that providers failed is remembered and broadcast first."""
    now = organization.now
    _, refusal = admit(organization, key, 1, 0.0, 0.0, now)
    if refusal:
        raise refusal
    preset, body = _with_preset(organization, key, request)
    prompt = json.dumps(body["messages"], ensure_ascii=False, separators=(",", ":"))
    model, considered, tried = _first_that_serves(organization, key, body, region)
    reply, completion_tokens, finish_reason, breaks_after = _reply(organization, model, body)
    prompt_tokens = math.ceil(len(prompt) / CHARACTERS_PER_TOKEN)
    prompt_cost, completion_cost = model.cost(prompt_tokens, completion_tokens)
    failed = tried[-1].status != 200
    cost = 0.0 if failed else prompt_cost + completion_cost
    usage, upstream = organization.bill(cost, 1, now, is_byok=tried[-1].is_byok)
    _, refusal = admit(organization, key, 1, usage, upstream, now)
    if refusal:
        raise refusal
    generation = Generation(
        organization.ids.generation(now),
        now,
        key.hash,
        key.name,
        key.creator_user_id,
        key.workspace_id,
        organization.id,
        model,
        tried,
        prompt_tokens,
        completion_tokens,
        prompt_cost,
        completion_cost,
        usage,
        upstream,
        finish_reason,
        prompt,
        reply,
        user=body.get("user"),
        session_id=body.get("session_id"),
        app=app,
        preset_id=preset.id if preset else None,
        considered=considered,
        error="Provider returned error" if failed else None,
        streamed=request.stream,
        breaks_after=breaks_after,
    )
    organization.outbox.extend(deliveries(organization, generation))
    organization.generations[generation.id] = generation
    if failed:
        raise _failure(generation)
    record(organization, key, generation)
    return generation


def record(organization: "Organization", key: Key, generation: Generation) -> None:
    """Count a served request in every layer and in analytics."""
    organization.charge(key, generation.created_at, generation.usage, generation.upstream)
    tokens = (generation.prompt_tokens, generation.completion_tokens)
    served = generation.attempts[-1]
    who = Traffic(key.hash, key.workspace_id, generation.model.id, served.provider, generation.app, generation.user)
    tally = tally_of(1, generation.usage, generation.upstream, *tokens, is_byok=served.is_byok)
    organization.record(generation.created_at, who, tally)


def _first_that_serves(
    organization: "Organization", key: Key, body: dict[str, Any], region: Region
) -> tuple[Model, tuple[str, ...], tuple[Attempt, ...]]:
    """The model that serves, the providers considered for it, and what was tried: `model`, then each of `models`.

    The last model's refusal or failure is the request's (vendor: guide on model fallbacks).
    """
    names = list(dict.fromkeys(name for name in (body.get("model"), *(body.get("models") or ())) if name))
    if not names:
        raise invalid("No models provided")
    models = [_model(name) for name in names]
    for model in models[:-1]:
        try:
            considered, tried = _routed(organization, key, model, body.get("provider") or {}, region)
        except Refusal:
            continue
        if tried[-1].status == 200:
            return model, considered, tried
    return models[-1], *_routed(organization, key, models[-1], body.get("provider") or {}, region)


def _routed(
    organization: "Organization", key: Key, model: Model, preferences: dict[str, Any], region: Region
) -> tuple[tuple[str, ...], tuple[Attempt, ...]]:
    """The providers that might serve, and what was tried of them."""
    endpoints = chain(organization, key, model, preferences, region)
    considered = tuple(dict.fromkeys(endpoint.provider for endpoint in endpoints))
    try:
        return considered, attempts(organization, key, model, preferences, organization.now, region)
    except Refusal as refusal:
        # Of those that were filtered out, the vendor's answer still names every one.
        raise Unserved(refusal.status, refusal.message, model, model.providers, ()) from refusal


def _with_preset(organization: "Organization", key: Key, request: ChatRequest) -> tuple[Preset | None, dict[str, Any]]:
    """The body with a preset's config under it: what the caller sent wins, the system prompt goes first."""
    body = request.model_dump(exclude_unset=True)
    name, _, slug = request.model.partition("@preset/")
    slug = slug or request.preset or ""
    if not slug:
        return None, body
    preset = organization.preset(key.workspace_id, slug)
    if preset.status != "active":
        raise invalid(f"Preset {slug} is {preset.status}")
    merged = {**preset.designated.config, **body, "model": name or preset.designated.config.get("model", "")}
    if preset.designated.system_prompt is not None:
        system = {"role": "system", "content": preset.designated.system_prompt}
        merged["messages"] = [system, *body["messages"]]
    return preset, merged


def _model(model_id: str) -> Model:
    model = MODELS.get(model_id)
    if not model:
        raise invalid(f"{model_id} is not a valid model ID")
    return model


def _reply(organization: "Organization", model: Model, body: dict[str, Any]) -> tuple[str, int, str, int | None]:
    """Text, tokens, finish reason, and the characters after which a stream of it breaks off."""
    asked = body.get("max_completion_tokens") or body.get("max_tokens")
    if asked is not None and asked < LEAST_OUTPUT.get(model.id, 1):
        raise invalid(f"max_tokens must be at least {LEAST_OUTPUT.get(model.id, 1)} for {model.id}")
    last = json.dumps(body["messages"][-1].get("content", ""), ensure_ascii=False)
    system = json.dumps([each for each in body["messages"] if each.get("role") == "system"], ensure_ascii=False)
    scripted = next((each for each in organization.scripts if each.answers(model.id, last, system)), None)
    shaped = None if scripted else shaped_reply(body.get("response_format"))
    text = scripted.text if scripted else shaped or f"A simulated reply by {model.name}. " * 12
    natural = math.ceil(len(text) / CHARACTERS_PER_TOKEN) if scripted or shaped else NATURAL_LENGTH
    breaks_after = scripted.breaks_after if scripted else None
    if model.completion_price == 0 and not model.is_free:
        return "", 0, "stop", None
    if asked is not None and asked < natural:
        return text[: asked * CHARACTERS_PER_TOKEN], asked, "length", breaks_after
    return text.strip(), natural, "stop", breaks_after


def _failure(failed: Generation) -> Unserved:
    """The last attempt's status: the caller's own 401 looks different only by what `metadata` says."""
    last = failed.attempts[-1]
    metadata = {"provider_name": last.name, "is_byok": last.is_byok, "raw": f"status {last.status}"}
    if last.status not in (429, 500, 502):
        metadata["error_type"] = "provider_unavailable"
    status = 502 if last.status == 500 else last.status
    refusal = Unserved(
        status, "Provider returned error", failed.model, failed.considered, failed.attempts, metadata=metadata
    )
    refusal.headers["X-Generation-Id"] = failed.id
    return refusal
