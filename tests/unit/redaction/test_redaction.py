"""Credentials are taken out of whatever text they stand in, and nothing else is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redaction import REDACTED, redact, redact_all
from tests.credentials import PASTED, core

WORDS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40)
INNOCENT = [
    "prod-search-agent",
    "prod-sk-support-agent#20261101-1",
    "risk-of-a-very-long-workload-name-2026",
    "ab" * 32,
    "secret: openrouter/prod/search-agent-2",
    "the token budget is 1234567890123456789",
    "workloads.0.key.limit_usd: Input should be a valid number",
    "anthropic/claude-haiku-4.5",
    "https://hooks.slack.com/",
    "evt_0123456789abcdef0123456789abcdef",
    "<@U0LEAD> approved it; digest " + "0123456789abcdef" * 4,
    "arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:openrouter/prod/search-agent-AbCdEf",
]


@pytest.mark.parametrize("kind", PASTED)
@pytest.mark.parametrize(
    "around", ["{}", "my key is {} please", '{{"key":"{}"}}', "({}),", "key:{}\n", "x={}&y=1", "`{}`"]
)
def test_a_pasted_credential_is_taken_out(kind: str, around: str) -> None:
    text = redact(around.format(PASTED[kind]))
    assert core(PASTED[kind]) not in text
    assert REDACTED in text


@pytest.mark.parametrize("text", INNOCENT)
def test_what_is_no_credential_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


@given(WORDS, st.sampled_from(sorted(PASTED)), WORDS)
def test_no_surrounding_text_hides_a_credential_behind_a_space(before: str, kind: str, after: str) -> None:
    assert core(PASTED[kind]) not in redact(f"{before} {PASTED[kind]} {after}")


@given(WORDS, st.sampled_from(sorted(PASTED)), WORDS)
def test_to_redact_again_changes_nothing(before: str, kind: str, after: str) -> None:
    once = redact(before + PASTED[kind] + after)
    assert redact(once) == once


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.sampled_from([*PASTED.values(), *INNOCENT]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*PASTED.values(), "a"]), inner),
        max_leaves=8,
    )
)
def test_every_text_of_a_json_value_is_redacted_and_its_shape_is_kept(value: object) -> None:
    clean = redact_all(value)
    text = json.dumps(clean)
    assert not [kind for kind, pasted in PASTED.items() if core(pasted) in text]
    assert type(clean) is type(value)
