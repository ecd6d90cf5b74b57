"""A pattern that never ends ends, and a schema opens nothing but itself."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from governor.policy import GoldenCase
from preset_promotion.fitting import unfit
from preset_promotion.golden import MAX_ANSWER, Answer
from tests.unit.preset_promotion.samples import completion

ENDLESS = r"^(a+)+$"
"""Backtracks for longer than the universe is old over thirty letters and one that does not fit."""


@pytest.mark.parametrize(("regex", "schema"), [(ENDLESS, None), (None, {"type": "string", "pattern": ENDLESS})])
def test_a_pattern_that_would_run_for_ever_is_stopped(regex: str | None, schema: dict[str, Any] | None) -> None:
    text = "a" * 40 + "!"
    assert unfit(regex, schema, json.dumps(text) if schema else text, seconds=2.0) == ["too_slow"]


def test_both_are_judged_at_once() -> None:
    assert unfit("b+", {"type": "object"}, "[]") == ["regex", "json_schema"]
    assert unfit("b+", {"type": "string"}, '"abb"') == []
    assert unfit(None, None, "anything") == []


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000])
def test_an_answer_nested_without_end_does_not_fit(text: str) -> None:
    assert unfit(None, {"type": "object"}, text) == ["json_schema"]


def test_a_reference_opens_no_file(tmp_path: Path) -> None:
    """fastjsonschema asks a handler for http and https, and opens every other address itself: `file:` too."""
    anything = tmp_path / "anything.json"
    anything.write_text("{}")
    assert unfit(None, {"$ref": anything.as_uri()}, "1") == ["json_schema"]
    assert unfit(None, {"$ref": "#/definitions/n", "definitions": {"n": {"type": "number"}}}, "1") == []


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "https://example.com/schema"},
        {"$ref": "file:///etc/hostname"},
        {"properties": {"a": {"items": [{"$ref": "other.json#/a"}]}}},
        {"$id": "https://example.com/schema", "$ref": "#/a"},
    ],
)
def test_a_policy_with_a_reference_out_of_the_schema_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="stay in the schema"):
        GoldenCase(name="case", prompt="p", json_schema=schema)


def test_a_property_may_be_called_like_a_reference() -> None:
    GoldenCase(name="case", prompt="p", json_schema={"properties": {"id": {"type": "string"}, "$ref": {}}})


def test_an_answer_is_clipped_before_it_is_judged() -> None:
    assert len(Answer.of(completion("a" * 10 * MAX_ANSWER), 0.0, 0.0).text) == MAX_ANSWER
