"""What a delivery tells: the root's cost, once, and no word of any prompt."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcast_gateway.decide import Refused
from broadcast_gateway.otlp import MOST_SPANS, Read, read
from governor.broadcast.messages import Pushed, digest_of
from governor.policy import lineage_name
from tests.unit.broadcast_gateway.otlp import DROP, NOW, attribute, document, request, span


def told(body: Any) -> Read:
    return read(json.dumps(body).encode())


def test_a_request_costs_what_its_root_says_and_its_children_cost_nothing() -> None:
    body = request(usd=0.25)
    for one in body["resourceSpans"][1:]:
        one["scopeSpans"][0]["spans"][0]["attributes"].append(attribute("gen_ai.usage.total_cost", 7.0))
    assert told(body) == Read((Pushed.of("gen-1", "prod-search-agent", 0.25, NOW),))


@pytest.mark.parametrize("usd", [0.25, "0.25"])
def test_a_cost_may_be_a_number_or_a_text(usd: Any) -> None:
    assert [one.usd for one in told(request(usd=usd)).pushed] == [0.25]


def test_a_whole_number_of_dollars_may_be_an_integer_and_an_integer_a_text() -> None:
    body = request(usd=3)
    assert [one.usd for one in told(body).pushed] == [3.0]
    root = body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    for one in root["attributes"]:
        if one["key"] == "gen_ai.usage.total_cost":
            one["value"] = {"intValue": "3"}
    assert [one.usd for one in told(body).pushed] == [3.0]


def test_a_request_that_failed_has_no_cost_and_tells_nothing() -> None:
    assert told(request(usd=DROP)) == Read()


@pytest.mark.parametrize("usd", [-1.0, 10_000.5, "much", True, "inf", "nan", [1]])
def test_a_cost_that_cannot_be_is_not_counted_and_said_to_be(usd: Any) -> None:
    assert told(request(usd=usd)) == Read(uncounted=1)


def test_a_request_without_a_keys_name_is_not_counted_and_said_to_be() -> None:
    assert told(request(name=DROP)) == Read(uncounted=1)


def test_a_clients_own_names_and_parent_hide_no_root() -> None:
    body = request()
    root = body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    root |= {"name": "my step", "parentSpanId": "0123456789abcdef"}
    assert len(told(body).pushed) == 1


def test_several_requests_may_come_in_one_delivery() -> None:
    spans = [
        span(f"{n:016x}", None, "LLM Generation", NOW, gen_ai__response__id=f"gen-{n}",
             gen_ai__usage__total_cost=0.1, trace__metadata__openrouter__api_key_name="prod-x")
        for n in range(1, 4)
    ]  # fmt: skip
    assert len(told(document(*spans)).pushed) == 3


@pytest.mark.parametrize(
    "name",
    ["span.input", "span.output", "gen_ai.prompt.0.content", "gen_ai.completion", "gen_ai.input.messages",
     "gen_ai.output.messages", "gen_ai.system_instructions", "input.value", "output.value", "llm.input_messages.0"],
)  # fmt: skip
@pytest.mark.parametrize("where", [0, 1, 2])
def test_a_prompt_anywhere_in_a_delivery_drops_all_of_it(name: str, where: int) -> None:
    body = request()
    body["resourceSpans"][where]["scopeSpans"][0]["spans"][0]["attributes"].append(attribute(name, "a secret question"))
    assert told(body) == Read(content=True)


def test_a_prompt_in_an_event_of_a_span_drops_all_of_it() -> None:
    body = request()
    events = [{"name": "gen_ai.content.prompt", "attributes": [attribute("gen_ai.prompt", "a secret question")]}]
    body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["events"] = events
    assert told(body) == Read(content=True)


def test_how_many_tokens_and_how_it_ended_are_no_content() -> None:
    body = request(
        gen_ai__usage__input_tokens=12,
        gen_ai__usage__output_tokens=3,
        gen_ai__usage__input_cost=0.1,
        gen_ai__response__finish_reason="stop",
    )
    assert not told(body).content


@pytest.mark.parametrize("body", [b"", b"{}", b'{"resourceSpans":[]}', b'{"resourceSpans":null}'])
def test_an_empty_delivery_is_a_connection_test_and_tells_nothing(body: bytes) -> None:
    assert read(body) == Read()


def test_a_connection_tests_span_tells_nothing() -> None:
    assert told(document(span("1" * 16, None, "openrouter-connection-test", NOW))) == Read()


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000])
def test_what_is_no_otlp_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        read(body)
    assert refused.value.status == 400


def test_more_spans_than_a_delivery_has_are_refused() -> None:
    with pytest.raises(Refused) as refused:
        told(document(*[span("1" * 16, None, "x", NOW)] * (MOST_SPANS + 1)))
    assert refused.value.status == 413


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["resourceSpans", "scopeSpans", "spans", "attributes", "events", "key", "value", "stringValue",
                 "doubleValue", "intValue", "spanId", "parentSpanId", "endTimeUnixNano"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)  # fmt: skip


@given(JSON)
def test_any_json_at_all_tells_something_nothing_or_is_refused(body: Any) -> None:
    with contextlib.suppress(Refused):
        assert all(one.usd >= 0 for one in told(body).pushed)


def test_what_is_kept_holds_no_name_and_no_id() -> None:
    (pushed,) = told(request(generation="gen-secret", name="sk-or-v1-" + "a" * 8)).pushed
    kept = pushed.encode().decode()
    assert "gen-secret" not in kept
    assert "sk-or" not in kept
    assert Pushed.decode(pushed.encode()) == pushed


def test_all_keys_of_a_lineage_have_one_digest_by_the_policys_own_rule() -> None:
    for name in ("prod-search-agent", "prod-search-agent#2026-01", "a#b#c", "#x", ""):
        assert digest_of(name) == digest_of(lineage_name(name))
    assert digest_of("prod-search-agent") != digest_of("prod-search-agent-2")
