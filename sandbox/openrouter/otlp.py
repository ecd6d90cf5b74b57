"""Generations as OTLP/HTTP JSON, in the shape OpenRouter's Broadcast was seen to send.

One `resourceSpans` per span; the root, `LLM Generation`, has no parent and is the only one that carries cost.
"""

import json
from typing import TYPE_CHECKING, Any

from sandbox.openrouter.broadcast import Delivery
from sandbox.openrouter.destinations import Destination
from sandbox.openrouter.generations import Generation

if TYPE_CHECKING:
    from sandbox.openrouter.organization import Organization

OK, FAILED = 1, 2


def deliveries(organization: "Organization", generation: Generation) -> list[Delivery]:
    """One for every destination of the workspace that takes this key and was sampled."""
    workspace = organization.workspaces[generation.workspace_id]
    if not workspace.settings["is_observability_broadcast_enabled"]:
        return []
    found = [
        each
        for each in organization.destinations.values()
        if each.workspace_id == workspace.id and each.takes(generation.key_hash) and each.address
    ]
    return [
        _delivery(each, _payload(organization, generation, with_content=not each.settings["privacy_mode"]))
        for each in found
        if organization.ids.fraction() < each.settings["sampling_rate"]
    ]


def connection_tests(destination: Destination, now: float) -> list[Delivery]:
    """What a press of Test Connection sends: an empty payload under a header, and a span of its own name."""
    nanoseconds = int(now * 1_000) * 1_000_000
    span = {
        "traceId": "00000000000000000000000000000001",
        "spanId": "0000000000000001",
        "name": "openrouter-connection-test",
        "kind": 1,
        "startTimeUnixNano": str(nanoseconds),
        "endTimeUnixNano": str(nanoseconds + 1_000_000),
        "status": {"code": OK},
        "attributes": [],
    }
    return [
        _delivery(destination, {"resourceSpans": []}, {"X-Test-Connection": "true"}),
        _delivery(destination, {"resourceSpans": [_resource_spans(span, None)]}),
    ]


def _delivery(destination: Destination, payload: dict[str, Any], headers: dict[str, str] | None = None) -> Delivery:
    config = destination.settings["config"]
    all_headers = {**config.get("headers", {}), **(headers or {})}
    return Delivery(destination.id, config.get("method", "POST"), destination.address or "", all_headers, payload)


def _payload(organization: "Organization", generation: Generation, *, with_content: bool) -> dict[str, Any]:
    trace, root = organization.ids.trace(), organization.ids.span()
    begun = int(generation.created_at * 1_000)
    ended = begun + generation.latency + generation.generation_time
    spans = [_span(trace, root, None, "LLM Generation", 3, begun, ended, _root(generation, with_content))]
    if generation.error:
        spans[0]["status"] = {"code": FAILED, "message": generation.error}
    at = begun
    for index, attempt in enumerate(generation.attempts):
        name = f"provider attempt {index + 1}: {attempt.name}"
        attributes = {
            "span.type": "span",
            "span.level": "DEFAULT",
            "span.metadata.attempt_index": index,
            "span.metadata.status_code": attempt.status,
            "span.metadata.is_byok": attempt.is_byok,
            "span.metadata.endpoint_id": generation.model.endpoint_id(attempt.provider),
            "gen_ai.operation.name": "chat",
            "gen_ai.response.id": f"{generation.id}:attempt-{index}",
            "trace.metadata.openrouter.provider_name": attempt.name,
        }
        spans.append(_span(trace, organization.ids.span(), root, name, 2, at, at + attempt.latency, attributes))
        spans[-1]["status"] = {"code": OK if attempt.status == 200 else FAILED}
        at += attempt.latency
    if not generation.error:
        attributes = {
            "span.type": "span",
            "span.level": "DEFAULT",
            "gen_ai.operation.name": "chat",
            "gen_ai.response.id": f"{generation.id}:generation",
        }
        spans.append(_span(trace, organization.ids.span(), root, "generation", 2, at, ended, attributes))
    return {"resourceSpans": [_resource_spans(span, generation.id) for span in spans]}


def _resource_spans(span: dict[str, Any], generation_id: str | None) -> dict[str, Any]:
    resource = {"service.name": "openrouter"}
    if generation_id is not None:
        resource |= {"openrouter.trace.id": generation_id, "service.version": "1.0.0"}
    scope_spans = [{"scope": {"name": "openrouter"}, "spans": [span]}]
    return {"resource": {"attributes": _attributes(resource)}, "scopeSpans": scope_spans}


def _span(
    trace: str, span: str, parent: str | None, name: str, kind: int, begun: int, ended: int, attributes: dict[str, Any]
) -> dict[str, Any]:
    """Times in milliseconds since the epoch."""
    return {
        "traceId": trace,
        "spanId": span,
        **({} if parent is None else {"parentSpanId": parent}),
        "name": name,
        "kind": kind,
        "startTimeUnixNano": f"{begun}000000",
        "endTimeUnixNano": f"{ended}000000",
        "status": {"code": OK},
        "attributes": _attributes(attributes),
    }


def _root(generation: Generation, with_content: bool) -> dict[str, Any]:
    responses = json.dumps(generation.provider_responses(), separators=(",", ":"))
    served = generation.served_by
    return {
        "trace.name": "OpenRouter Request",
        **({"trace.metadata.provider_responses": responses} if served else {}),
        "span.type": "generation",
        "span.level": "ERROR" if generation.error else "DEFAULT",
        **({"span.status_message": generation.error} if generation.error else {}),
        **({"span.metadata.provider_responses": responses} if served else {}),
        **({"span.input": generation.prompt} if with_content else {}),
        **({"span.output": generation.reply} if with_content and served else {}),
        **({"user.id": generation.user} if generation.user else {}),
        **({"session.id": generation.session_id} if generation.session_id else {}),
        "gen_ai.operation.name": "chat",
        "gen_ai.system": generation.model.author,
        "gen_ai.provider.name": generation.model.author,
        "gen_ai.request.model": generation.model.id,
        "gen_ai.response.model": generation.model.id,
        "gen_ai.response.id": generation.id,
        **(_usage(generation) if served else {}),
        "trace.metadata.openrouter.source": "openrouter",
        "trace.metadata.openrouter.api_key_name": generation.key_name,
        "trace.metadata.openrouter.entity_id": generation.organization_id,
        "trace.metadata.openrouter.creator_user_id": generation.creator_user_id or "",
        **(_served(generation) if served else {}),
    }


def _usage(generation: Generation) -> dict[str, Any]:
    # Under BYOK the total is what credits were billed: no source says what the vendor sends.
    prompt_cost, completion_cost, total = (
        (0.0, 0.0, generation.usage)
        if generation.is_byok
        else (generation.prompt_cost, generation.completion_cost, generation.usage)
    )
    return {
        "gen_ai.usage.input_tokens": generation.prompt_tokens,
        "gen_ai.usage.output_tokens": generation.completion_tokens,
        "gen_ai.usage.total_tokens": generation.prompt_tokens + generation.completion_tokens,
        "gen_ai.usage.input_cost": prompt_cost,
        "gen_ai.usage.output_cost": completion_cost,
        "gen_ai.usage.total_cost": total,
        "gen_ai.usage.input_tokens.cached": 0,
        "gen_ai.usage.input_tokens.cache_write": 0,
        "gen_ai.usage.output_tokens.reasoning": 0,
        "gen_ai.response.finish_reasons": json.dumps([generation.finish_reason]),
        "gen_ai.response.finish_reason": generation.finish_reason,
    }


def _served(generation: Generation) -> dict[str, Any]:
    last = generation.attempts[-1]
    return {
        "trace.metadata.openrouter.provider_name": last.name,
        "trace.metadata.openrouter.provider_slug": last.provider,
        "trace.metadata.openrouter.finish_reason": generation.finish_reason,
    }


def _attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": value}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}
