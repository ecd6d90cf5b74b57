"""What people are shown of a change, and what they never are."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preset_promotion.catalogue import Catalogue
from preset_promotion.content import Content
from preset_promotion.diff import compare
from tests.unit.preset_promotion.samples import CATALOGUE, CHEAP, DEAR, content

WRITTEN = "say xylophone"
"""Stands for any text that a person wrote into a preset."""


def tool(name: str, **more: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **more}}


def test_a_prompt_is_counted_in_lines_and_never_quoted() -> None:
    diff = compare(content("a\nb\nc"), content(f"a\n{WRITTEN}\nc\nd"), CATALOGUE)
    assert diff.changes == ("System prompt: +2 −1 lines, 19 characters now",)
    assert f"+{WRITTEN}" in diff.text
    assert WRITTEN not in "".join(diff.shown) + repr(diff)


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ({"temperature": 0.2}, {"temperature": 0.9}, "temperature: 0.2 → 0.9"),
        ({}, {"seed": 7}, "seed: unset → 7"),
        ({"stop": ["###"]}, {"stop": [WRITTEN]}, "stop: set → set"),
        ({}, {"response_format": {"type": "json_object", "x": WRITTEN}}, "response_format: unset → set"),
        ({"reasoning": {"effort": "low"}}, {"reasoning": {"effort": "high"}}, "reasoning.effort: low → high"),
        ({"provider": {"sort": "price"}}, {"provider": {"sort": "throughput"}}, "provider.sort: price → throughput"),
        ({"provider": {"order": ["anthropic"]}}, {}, "provider.order: anthropic → unset"),
        (
            {"tools": [tool("refund"), tool("ask")]},
            {"tools": [tool("ask", description=WRITTEN), {"type": "web_search"}]},
            "Tools: +web_search, −refund, ~ask",
        ),
    ],
)
def test_each_change_is_a_line_that_holds_no_text_of_a_person(
    before: dict[str, Any], after: dict[str, Any], line: str
) -> None:
    diff = compare(content(**before), content(**after), CATALOGUE)
    assert line in diff.changes
    assert WRITTEN not in "".join(diff.shown)


def test_a_model_is_shown_with_what_it_costs_before_and_after_and_a_dearer_one_is_a_risk() -> None:
    diff = compare(content(), content(model=DEAR), CATALOGUE)
    assert diff.changes == (
        f"Models: {CHEAP} ($1 in, $5 out a million tokens) → {DEAR} ($3 in, $15 out a million tokens)",
    )
    assert diff.risks == (
        "prompt tokens may cost $1 → $3 a million (+200 %)",
        "completion tokens may cost $5 → $15 a million (+200 %)",
    )


def test_a_dear_fallback_counts_as_much_as_the_first_model() -> None:
    assert compare(content(), content(models=[DEAR]), CATALOGUE).risks[0].endswith("(+200 %)")
    assert compare(content(models=[DEAR]), content(), CATALOGUE).risks == ()


def test_a_price_that_varies_or_is_not_listed_is_called_unknown_and_never_free() -> None:
    diff = compare(content(model="router/auto"), content(model="nobody/knows"), CATALOGUE)
    assert diff.changes == ("Models: router/auto (price unknown) → nobody/knows (price unknown)",)
    assert diff.risks == ()


@pytest.mark.parametrize(
    ("before", "after", "risk"),
    [
        ({"data_collection": "deny"}, {}, "data_collection loosened"),
        ({"zdr": True}, {"zdr": False}, "ZDR dropped"),
        ({"only": ["anthropic"]}, {"only": ["anthropic", "deepinfra"]}, "deepinfra may serve too"),
        ({"only": ["anthropic"]}, {}, "any provider may serve"),
        ({"ignore": ["deepseek"]}, {}, "deepseek may serve again"),
        ({"allow_fallbacks": False}, {}, "allow_fallbacks loosened"),
    ],
)
def test_what_lets_prompts_go_further_is_a_risk_and_stands_before_every_change(
    before: dict[str, Any], after: dict[str, Any], risk: str
) -> None:
    diff = compare(content(provider=before), content(provider=after), CATALOGUE)
    assert risk in diff.risks[0]
    assert diff.shown[0] == f"⚠ {diff.risks[0]}"
    assert compare(content(provider=after), content(provider=before), CATALOGUE).risks == ()


def test_a_bound_that_is_gone_a_new_tool_and_a_plugin_are_risks() -> None:
    before = content(max_tokens=300)
    after = content(tools=[tool("refund")], plugins=[{"id": "web"}])
    assert compare(before, after, CATALOGUE).risks == (
        "max_tokens dropped: answers are as long as the model likes (was 300)",
        "tools added: refund",
        "plugins added: what they send elsewhere is theirs to say",
    )


def test_a_preset_that_production_has_not_is_all_new_and_has_no_way_back() -> None:
    diff = compare(None, content(), CATALOGUE)
    assert diff.risks[0] == "Production has no such preset yet: nothing to go back to"


def test_a_change_of_very_much_is_cut_to_what_a_message_holds() -> None:
    diff = compare(
        content(),
        Content("Sort tickets.", {"model": CHEAP, **{f"field_{number:03}": number for number in range(100)}}),
        CATALOGUE,
    )
    assert (len(diff.shown), diff.shown[-1]) == (26, "… and 75 lines more")
    long = compare(content(), content(models=[f"{n}{'a' * 70}" for n in range(20)]), CATALOGUE)
    assert max(map(len, long.shown)) == 300


def test_the_same_content_in_another_order_is_no_change() -> None:
    before = Content("p", {"model": CHEAP, "temperature": 1, "seed": None})
    after = Content("p", {"temperature": 1.0, "model": CHEAP})
    assert compare(before, after, CATALOGUE).shown == ()
    assert Content("p", {"a": 1, "b": 2}).digest == Content("p", {"b": 2, "a": 1}).digest


_KEYS = st.sampled_from(["effort", "sort", "only", "order", "data_collection", "name", "function", WRITTEN])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.just(WRITTEN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
)
_CONFIG = st.dictionaries(
    st.sampled_from(
        [
            "temperature",
            "stop",
            "plugins",
            "tool_choice",
            "reasoning",
            "provider",
            "tools",
            "model",
            "unheard_of",
            WRITTEN,
        ]
    ),
    _JSON,
)


@given(_CONFIG, _CONFIG, st.just(WRITTEN) | st.none())
def test_no_config_however_odd_puts_a_persons_text_into_a_line(
    before: dict[str, Any], after: dict[str, Any], prompt: str | None
) -> None:
    diff = compare(Content("", before), Content(prompt, after), Catalogue({}))
    assert WRITTEN not in "".join(diff.shown)
