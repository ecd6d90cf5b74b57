"""Replies in the shape that `response_format` asks for: always the same one for the same shape."""

import json
from collections.abc import Callable
from typing import Any

from sandbox.openrouter.refusals import invalid


def shaped_reply(response_format: dict[str, Any] | None) -> str | None:
    """JSON of that shape; None where text is asked for. Raises a 400 on a `json_schema` without a schema."""
    kind = (response_format or {}).get("type", "text")
    if kind == "json_object":
        return json.dumps({"reply": "simulated"})
    if kind != "json_schema":
        return None
    named = (response_format or {}).get("json_schema")
    if not isinstance(named, dict) or not isinstance(named.get("schema"), dict):
        raise invalid("response_format.json_schema.schema is required")
    return json.dumps(example(named["schema"]))


def example(schema: dict[str, Any]) -> Any:
    """The simplest value that the usual keywords of JSON Schema allow; `$ref` and patterns are not followed."""
    for fixed in ("const", "default"):
        if fixed in schema:
            return schema[fixed]
    if schema.get("enum"):
        return schema["enum"][0]
    for choice in ("anyOf", "oneOf"):
        if schema.get(choice):
            return example(schema[choice][0])
    kind = schema.get("type", "object")
    return _OF_TYPE.get(kind[0] if isinstance(kind, list) else kind, _text)(schema)


def _object(schema: dict[str, Any]) -> Any:
    return {name: example(each) for name, each in schema.get("properties", {}).items()}


def _array(schema: dict[str, Any]) -> Any:
    return [example(schema.get("items", {"type": "string"}))] * max(1, schema.get("minItems", 1))


def _number(schema: dict[str, Any]) -> Any:
    return schema.get("minimum", schema.get("maximum", 1))


def _text(schema: dict[str, Any]) -> Any:
    return "simulated".ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength")]


_OF_TYPE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "object": _object,
    "array": _array,
    "integer": _number,
    "number": _number,
    "boolean": lambda _: True,
    "null": lambda _: None,
}
