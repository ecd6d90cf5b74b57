"""A delivery's OTLP/HTTP JSON, read for what each request cost. Pure; it keeps no text of the delivery but digests.

The shape is the one that OpenRouter was seen to send: one `resourceSpans` per span. Only the root span of a request
counts. Its children, the attempts and the generation, have ids of the same generation with a `:` and more behind it.
A client may give a span a name and a parent of its own (the `trace` field of a request), so neither the name nor a
missing parent makes a root: a root's parent is not in the delivery, and its generation id has no `:`.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from broadcast_gateway.decide import Refused
from governor.broadcast.messages import Pushed

GENERATION = "gen_ai.response.id"
COST = "gen_ai.usage.total_cost"
KEY_NAME = "trace.metadata.openrouter.api_key_name"
MOST_SPANS = 2_000
MOST_USD = 10_000.0
"""USD of one request. More is no cost but a mistake, and is left to the counters."""
CONTENT = (
    "span.input", "span.output", "trace.input", "trace.output", "input.", "output.", "llm.input", "llm.output",
    "gen_ai.prompt", "gen_ai.completion", "gen_ai.input", "gen_ai.output", "gen_ai.content",
    "gen_ai.system_instructions",
)  # fmt: skip
"""How the names of attributes begin that hold prompts and completions: OpenRouter's own (`span.input`), and those of
OpenTelemetry's and OpenInference's conventions, which its other destinations use."""


@dataclass(frozen=True)
class Read:
    """`pushed`: a cost for each root span that has one. `uncounted`: roots whose cost is none that could be.
    `content`: an attribute holds a prompt or a completion; then nothing is pushed."""

    pushed: tuple[Pushed, ...] = ()
    uncounted: int = 0
    content: bool = False


@dataclass
class _Span:
    id: str
    parent: str
    ended: int
    attributes: Mapping[str, Any] = field(repr=False)


def read(body: bytes) -> Read:
    """What the delivery tells; a connection test tells nothing. Raises `Refused` for what is not OTLP JSON."""
    try:
        document = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise Refused(400, "the body is not JSON") from None
    if not isinstance(document, dict):
        raise Refused(400, "the body is not an OTLP request")
    spans: list[_Span] = []
    for raw in _raw_spans(document):
        if len(spans) == MOST_SPANS:
            raise Refused(413, "more spans than a delivery has")
        if _holds_content(raw):
            return Read(content=True)
        spans.append(_span(raw))
    ids = {one.id for one in spans if one.id}
    pushed, uncounted = [], 0
    for one in spans:
        generation, cost = one.attributes.get(GENERATION), one.attributes.get(COST)
        if cost is None or one.parent in ids or not isinstance(generation, str) or not generation or ":" in generation:
            continue
        usd = _amount(cost)
        name = one.attributes.get(KEY_NAME)
        if usd is None or not isinstance(name, str):
            uncounted += 1
        else:
            pushed.append(Pushed.of(generation, name, usd, one.ended))
    return Read(tuple(pushed), uncounted)


def _raw_spans(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for resource in _objects(document.get("resourceSpans")):
        for scope in _objects(resource.get("scopeSpans")):
            yield from _objects(scope.get("spans"))


def _span(raw: Mapping[str, Any]) -> _Span:
    attributes = {str(one.get("key")): _value(one.get("value")) for one in _objects(raw.get("attributes"))}
    ended = _integer(raw.get("endTimeUnixNano")) // 1_000_000_000
    return _Span(str(raw.get("spanId") or ""), str(raw.get("parentSpanId") or ""), ended, attributes)


def _holds_content(raw: Mapping[str, Any]) -> bool:
    """Attributes of the span, and of its events, where older conventions keep messages."""
    holders = [raw, *_objects(raw.get("events"))]
    names = (str(one.get("key")) for holder in holders for one in _objects(holder.get("attributes")))
    return any(name.startswith(CONTENT) for name in names)


def _value(value: Any) -> Any:
    """An OTLP value; OpenRouter was seen to send `intValue` as a number and as a string."""
    if not isinstance(value, dict):
        return None
    return next(
        (value[kind] for kind in ("stringValue", "doubleValue", "intValue", "boolValue") if kind in value), None
    )


def _amount(cost: Any) -> float | None:
    """USD; None for what is not an amount, or more than a request can cost."""
    if isinstance(cost, bool) or not isinstance(cost, int | float | str):
        return None
    try:
        usd = float(cost)
    except (ValueError, OverflowError):
        return None
    return usd if math.isfinite(usd) and 0 <= usd <= MOST_USD else None


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return 0
    try:
        return int(value) if isinstance(value, int) or len(value) <= 20 else 0
    except ValueError:
        return 0


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, dict))
