"""`/chat/completions` and `/generation`."""

from typing import Any

from sandbox.openrouter.bodies import ChatRequest
from sandbox.openrouter.calls import Call, Routes
from sandbox.openrouter.generations import Generation
from sandbox.openrouter.inference import complete
from sandbox.openrouter.refusals import not_found
from sandbox.openrouter.response_cache import as_hit, asked_for, seconds_of
from sandbox.openrouter.router_metadata import Unserved, is_asked_for, of_served, of_unserved
from sandbox.openrouter.streaming import events

routes = Routes("inference")


@routes.add("POST", "/chat/completions")
def create_chat_completion(call: Call) -> dict[str, Any] | bytes:
    request = call.body(ChatRequest)
    app = call.headers.get("x-openrouter-title") or call.headers.get("x-title") or call.headers.get("http-referer")
    explain = is_asked_for(call.headers)
    seconds = 0 if request.stream else seconds_of(call.headers, _config(call, request.model))
    asked = asked_for(call.caller().hash, request.model, call.raw)
    kept = call.organization.cache.found(asked, call.now) if seconds else None
    if kept is not None:
        call.answer_headers["X-OpenRouter-Cache-Status"] = "HIT"
        return as_hit(kept, call.organization.ids.generation(call.now))
    try:
        generation = complete(call.organization, call.caller(), request, app, call.region)
    except Unserved as unserved:
        if explain:
            unserved.beside["openrouter_metadata"] = of_unserved(unserved, request.model)
        raise
    call.answer_headers["X-Generation-Id"] = generation.id
    result = _result(generation)
    if explain:
        result["openrouter_metadata"] = of_served(generation, request.model)
    if seconds:
        call.answer_headers["X-OpenRouter-Cache-Status"] = "MISS"
        call.organization.cache.keep(asked, result, call.now, seconds)
    if not request.stream:
        return result
    call.answer_headers["Content-Type"] = "text/event-stream"
    return events(generation, result)


@routes.add("GET", "/generation", access="any")
def get_generation(call: Call) -> dict[str, Any]:
    generation = call.organization.generations.get(call.query.get("id", ""))
    if generation is None:
        raise not_found("Generation")
    return {"data": generation.view()}


def _config(call: Call, model: str) -> dict[str, Any]:
    """The config of the preset that is asked for; an empty one where none is."""
    slug = model.partition("@preset/")[2]
    preset = call.organization.presets.get((call.caller().workspace_id, slug))
    return preset.designated.config if preset else {}


def _result(generation: Generation) -> dict[str, Any]:
    message = {"role": "assistant", "content": generation.reply, "refusal": None, "reasoning": None}
    return {
        "id": generation.id,
        "object": "chat.completion",
        "created": int(generation.created_at),
        "model": generation.model.id,
        "provider": generation.attempts[-1].name,
        "system_fingerprint": None,
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": generation.finish_reason,
                "native_finish_reason": generation.finish_reason,
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": generation.prompt_tokens,
            "completion_tokens": generation.completion_tokens,
            "total_tokens": generation.prompt_tokens + generation.completion_tokens,
            "cost": generation.usage,
            "is_byok": generation.is_byok,
            "cost_details": {
                "upstream_inference_cost": generation.upstream or None,
                "upstream_inference_prompt_cost": generation.prompt_cost,
                "upstream_inference_completions_cost": generation.completion_cost,
            },
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }
