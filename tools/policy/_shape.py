"""Which fields and words the policy's schema allows at a place, and what a field wants there."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from governor.policy import Policy


@cache
def _schema() -> dict[str, Any]:
    return Policy.model_json_schema()


def fields_at(location: Sequence[str | int]) -> list[str]:
    """The fields of the mapping at `location`; none where no mapping with fixed fields belongs."""
    found = _object(_at(location))
    return list(found.get("properties", {})) if found else []


def every_field() -> dict[str, list[str]]:
    """Each field's name with the sections that have it, to tell where a misplaced one belongs."""
    schema = _schema()
    places: dict[str, list[str]] = {}
    for name in schema["properties"]:
        places.setdefault(name, []).append("the top of the file")
    for title, one in schema["$defs"].items():
        for name in one.get("properties", {}):
            places.setdefault(name, []).append(f"a {title.lower()}")
    return places


def _at(location: Sequence[str | int]) -> dict[str, Any]:
    node = _schema()
    for part in location:
        if isinstance(part, int):
            node = next((one["items"] for one in _branches(node) if isinstance(one.get("items"), dict)), {})
        else:
            found = _object(node) or {}
            node = found.get("properties", {}).get(part, {})
    return node


def _object(node: dict[str, Any]) -> dict[str, Any] | None:
    return next((one for one in _branches(node) if "properties" in one), None)


def _branches(node: dict[str, Any]) -> list[dict[str, Any]]:
    """The alternatives of a schema, references followed."""
    if "$ref" in node:
        return _branches(_schema()["$defs"][node["$ref"].rpartition("/")[2]])
    alternatives = node.get("anyOf") or node.get("allOf") or node.get("oneOf")
    return [found for one in alternatives for found in _branches(one)] if alternatives else [node]
