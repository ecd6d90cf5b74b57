"""Deliveries in the shape that OpenRouter's Broadcast sends: one `resourceSpans` per span, costs on the root only."""

import json
from typing import Any

NOW = 1_790_000_000
TOKEN = "fake-broadcast-token-" + "x" * 20
DROP = object()
"""As a value: the attribute is not there."""


def attribute(key: str, value: Any) -> dict[str, Any]:
    kind = {bool: "boolValue", int: "intValue", float: "doubleValue"}.get(type(value), "stringValue")
    return {"key": key, "value": {kind: value}}


def span(span_id: str, parent: str | None, name: str, ended: int, **attributes: Any) -> dict[str, Any]:
    given = {key.replace("__", "."): value for key, value in attributes.items() if value is not DROP}
    return {
        "traceId": "f" * 32,
        "spanId": span_id,
        **({"parentSpanId": parent} if parent else {}),
        "name": name,
        "kind": 3,
        "startTimeUnixNano": f"{ended - 2}000000000",
        "endTimeUnixNano": f"{ended}000000000",
        "status": {"code": 1},
        "attributes": [attribute(key, value) for key, value in given.items()],
    }


def document(*spans: dict[str, Any]) -> dict[str, Any]:
    resource = {"attributes": [attribute("service.name", "openrouter")]}
    return {
        "resourceSpans": [
            {"resource": resource, "scopeSpans": [{"scope": {"name": "openrouter"}, "spans": [one]}]} for one in spans
        ]
    }


def request(
    generation: str = "gen-1", usd: Any = 0.25, name: Any = "prod-search-agent", ended: int = NOW, **root: Any
) -> dict[str, Any]:
    """A request that one provider served: the root, an attempt, and the generation."""
    own = {
        "gen_ai__response__id": generation,
        "gen_ai__usage__total_cost": usd,
        "trace__metadata__openrouter__api_key_name": name,
        **root,
    }
    return document(
        span("a" * 16, None, "LLM Generation", ended, **own),
        span("b" * 16, "a" * 16, "provider attempt 1: X", ended, gen_ai__response__id=f"{generation}:attempt-0"),
        span("c" * 16, "a" * 16, "generation", ended, gen_ai__response__id=f"{generation}:generation"),
    )


def event(body: Any, token: str | None = TOKEN, **changes: Any) -> dict[str, Any]:
    """A function URL's event that carries the delivery."""
    text = body if isinstance(body, str) else json.dumps(body)
    headers = {"content-type": "application/json", **({"x-governor-broadcast": token} if token else {})}
    return {
        "rawPath": "/",
        "headers": {**headers, **changes.pop("headers", {})},
        "requestContext": {"http": {"method": changes.pop("method", "POST")}},
        "body": text,
        **changes,
    }
