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
            "Tool removed: refund",
        ),
    ],
)
def test_each_change_is_a_line_that_holds_no_text_of_a_person(
    before: dict[str, Any], after: dict[str, Any], line: str
) -> None:
    diff = compare(content(**before), content(**after), CATALOGUE)
    assert line in diff.changes
    assert WRITTEN not in "".join(diff.shown) + diff.masked


def test_a_model_is_shown_with_what_it_costs_before_and_after_and_a_dearer_one_is_a_risk() -> None:
    diff = compare(content(), content(model=DEAR), CATALOGUE)
    assert diff.changes == (
        f"Model removed: {CHEAP} ($1 in, $5 out a million tokens)",
        f"Model tried first: {CHEAP} → {DEAR}",
    )
    assert diff.risks == (
        f"model added: {DEAR} ($3 in, $15 out a million tokens)",
        "prompt tokens may cost $1 → $3 a million (+200 %)",
        "completion tokens may cost $5 → $15 a million (+200 %)",
    )


def test_a_dear_fallback_counts_as_much_as_the_first_model() -> None:
    assert compare(content(), content(models=[DEAR]), CATALOGUE).risks[-1].endswith("(+200 %)")
    assert compare(content(models=[DEAR]), content(), CATALOGUE).risks == ()


def test_a_price_that_varies_or_is_not_listed_is_called_unknown_and_never_free() -> None:
    diff = compare(content(model="router/auto"), content(model="nobody/knows"), CATALOGUE)
    assert diff.changes[0] == "Model removed: router/auto (price unknown)"
    assert diff.risks == ("model added: nobody/knows (price unknown)",)


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
        "tool added: refund",
        "plugin added: web",
    )


def test_a_preset_that_production_has_not_is_all_new_and_has_no_way_back() -> None:
    diff = compare(None, content(), CATALOGUE)
    assert diff.risks[0] == "Production has no such preset yet: nothing to go back to"


def test_what_finds_no_room_is_counted_first_and_called_a_risk_and_stands_in_the_file() -> None:
    many = {f"field_{number:03}": number for number in range(500)}
    diff = compare(content(), Content("Sort tickets.", {"model": CHEAP, **many, "tools": [tool("refund")]}), CATALOGUE)
    first, *rest = diff.shown
    assert first == f"⚠ {501 - len(rest)} of 501 items are not listed here: read the file"
    assert rest[0] == "⚠ tool added: refund"
    assert sum(map(len, diff.shown)) < 6_000
    assert all(f"field_{number:03}: unset → {number}" in diff.masked for number in range(500))
    assert diff.unshown_risks == 0


def test_every_added_tool_has_a_line_of_its_own_and_none_is_clipped() -> None:
    """Forty names in one line were cut after 300 characters, the harmful one at the end of the alphabet."""
    names = [f"lookup_customer_{number:02}" for number in range(40)] + ["zz_run_shell"]
    diff = compare(content(), content(tools=[tool(name) for name in names]), CATALOGUE)
    assert [line for line in diff.shown if "tool added" in line] == [f"⚠ tool added: {name}" for name in names]


def test_a_redefined_tool_and_a_second_one_of_its_name_are_risks() -> None:
    before = content(tools=[tool("refund")])
    assert compare(before, content(tools=[tool("refund", description=WRITTEN)]), CATALOGUE).risks == (
        "tool redefined: refund",
    )
    twice = content(tools=[tool("refund", description=WRITTEN), tool("refund")])
    assert compare(before, twice, CATALOGUE).risks == ("tool redefined: refund, 2 of this name now",)


def test_each_added_model_and_each_loosened_rule_has_a_line_of_its_own() -> None:
    models = [f"maker/{'m' * 60}-{number:02}" for number in range(20)]
    providers = [f"provider-{number:02}" for number in range(40)]
    diff = compare(
        content(provider={"only": ["anthropic"]}),
        content(models=models, provider={"only": ["anthropic", *providers]}),
        CATALOGUE,
    )
    assert all(any(line.startswith(f"⚠ model added: {model} ") for line in diff.shown) for model in models)
    assert all(f"⚠ provider.only loosened: {one} may serve too" in diff.shown for one in providers)


@pytest.mark.parametrize(
    ("before", "after", "risk"),
    [
        ({"max_price": {"prompt": 1}}, {}, "provider.max_price.prompt dropped: any price may be paid"),
        ({"max_price": {"prompt": 1}}, {"max_price": {"prompt": "2"}}, "provider.max_price.prompt raised"),
        ({"quantizations": ["fp8"]}, {"quantizations": ["fp8", "int4"]}, "quantizations loosened: int4 may serve too"),
        ({"quantizations": ["fp8"]}, {}, "provider.quantizations dropped: any quantization may serve"),
        ({"require_parameters": True}, {}, "provider.require_parameters loosened"),
    ],
)
def test_every_provider_rule_that_holds_less_back_is_a_risk(
    before: dict[str, Any], after: dict[str, Any], risk: str
) -> None:
    assert any(risk in line for line in compare(content(provider=before), content(provider=after), CATALOGUE).risks)
    assert compare(content(provider=after), content(provider=before), CATALOGUE).risks == ()


def test_more_risks_than_a_message_holds_are_counted() -> None:
    diff = compare(content(), content(tools=[tool(f"t{number:03}" + "x" * 60) for number in range(200)]), CATALOGUE)
    assert diff.unshown_risks > 0
    shown = [line for line in diff.shown if "tool added" in line]
    assert len(shown) + diff.unshown_risks == 200
    assert diff.shown[0].startswith(f"⚠ {diff.unshown_risks} of 200 items are not listed here, {diff.unshown_risks} of")


def test_a_file_for_private_prompts_holds_every_parameter_and_no_text_of_a_person() -> None:
    before = content("old prompt", temperature=0.2, tools=[tool("ask", description="old words")])
    after = content(WRITTEN, temperature=0.9, tools=[tool("ask", description=WRITTEN)])
    diff = compare(before, after, CATALOGUE)
    assert WRITTEN not in diff.file("private")
    assert '-  "temperature": 0.2,' in diff.file("private") or '-  "temperature": 0.2' in diff.file("private")
    assert "(text 2, 13 characters)" in diff.file("private")
    assert WRITTEN in diff.file("shown")


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
    assert WRITTEN not in "".join(diff.shown) + diff.masked


@pytest.mark.parametrize(
    ("before", "after", "seconds"),
    [
        ({}, {"cache_enabled": True}, "300 s (before: not)"),
        (
            {"cache_enabled": True},
            {"cache_enabled": True, "cache_ttl_seconds": 86_400},
            "86400 s (before: for up to 300 s)",
        ),
    ],
)
def test_answers_that_are_cached_or_for_longer_are_a_risk(
    before: dict[str, Any], after: dict[str, Any], seconds: str
) -> None:
    diff = compare(content(**before), content(**after), CATALOGUE)
    assert f"answers are cached for up to {seconds}" in diff.risks[0]
    assert any(line.startswith("cache_") for line in diff.changes)
    assert compare(content(**after), content(**before), CATALOGUE).risks == ()
