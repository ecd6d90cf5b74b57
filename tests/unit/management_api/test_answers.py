"""What is made of answers and addresses: tolerance where it is due, none where it would mislead."""

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from management_api import AnalyticsQuery, Metric, NewKey, OpenRouter, Unavailable, number
from tests.unit.management_api.far_side import CHAT, ROWS, SECRET, ClientOf, Recorder, key_json


def test_a_chat_answer_tells_how_it_was_served(client_of: ClientOf) -> None:
    far_side = Recorder(CHAT)
    answer = client_of(far_side).chat({"model": "a/b"}, metadata=True)
    assert far_side.request.headers["X-OpenRouter-Metadata"] == "enabled"
    assert answer.usage is not None
    assert answer.openrouter_metadata is not None
    assert (answer.usage.cost, answer.usage.is_byok) == (0.01, True)
    assert [attempt.status for attempt in answer.openrouter_metadata.attempts] == [200]


def test_the_current_key_names_the_budget_that_blocks_first(client_of: ClientOf) -> None:
    budget = {
        "scope": "a_scope_of_tomorrow", "limit_usd": 10, "spend_usd": 9, "remaining_usd": 1, "reset_interval": "daily",
        "resets_at": "2026-08-25T00:00:00Z", "include_byok": True, "budget_id": None, "guardrail_id": "g",
    }  # fmt: skip
    far_side = Recorder({"data": {**key_json(1), "budgets": [budget], "effective_budget": budget, "rate_limit": {}}})
    key = client_of(far_side).with_key(SecretStr("sk-or-v1-fake-inference")).current_key()
    assert far_side.request.headers["Authorization"] == "Bearer sk-or-v1-fake-inference"
    assert key.effective_budget is not None
    assert key.effective_budget == key.budgets[0]
    assert (key.effective_budget.scope, key.effective_budget.remaining_usd) == ("a_scope_of_tomorrow", 1)


def test_analytics_counts_may_be_strings(client_of: ClientOf) -> None:
    result = client_of(Recorder(ROWS)).analytics.query(AnalyticsQuery(metrics=["total_usage", "request_count"]))
    assert result.truncated
    assert [number(result.rows[0][metric]) for metric in ("total_usage", "request_count")] == [1.5, 3.0]
    assert number(None) is None


@pytest.mark.parametrize("cached", [{"cachedAt": 1_795_000_000_000.0}, {"cached_at": 1_795_000_000}])
def test_analytics_says_when_its_rows_were_computed_and_what_it_could_not_resolve(
    client_of: ClientOf, cached: dict[str, float]
) -> None:
    data = {"data": [], "metadata": {"truncated": False}, "warnings": ["api_key_id ab could not be resolved"], **cached}
    result = client_of(Recorder({"data": data})).analytics.query(AnalyticsQuery(metrics=[Metric.REQUEST_COUNT]))
    assert result.cached_at == datetime(2026, 11, 18, 11, 6, 40, tzinfo=UTC)
    assert (result.warnings, result.is_whole) == (["api_key_id ab could not be resolved"], False)


@pytest.mark.parametrize("cached", [{}, {"cachedAt": None}, {"cachedAt": -1}, {"cachedAt": 1e30}])
def test_a_time_of_computing_that_is_none_is_left_out(client_of: ClientOf, cached: dict[str, float | None]) -> None:
    data: dict[str, Any] = {"data": [], "metadata": {"truncated": False}, "warnings": None, **cached}
    result = client_of(Recorder({"data": data})).analytics.query(AnalyticsQuery(metrics=[Metric.REQUEST_COUNT]))
    assert (result.cached_at, result.is_whole) == (None, True)


def test_unknown_fields_and_enum_values_are_tolerated(client_of: ClientOf) -> None:
    odd = key_json(1, limit_reset="fortnightly", invented={"deep": [1]})
    assert client_of(Recorder({"data": odd, "more": 1})).keys.get("ab").limit_reset == "fortnightly"


@pytest.mark.parametrize(
    "text", ["2026-08-24T10:30:00Z", "2026-08-24T12:30:00+02:00", "2026-08-24T10:30:00.000", "2026-08-24 10:30:00"]
)
def test_every_timestamp_is_aware(client_of: ClientOf, text: str) -> None:
    key = client_of(Recorder({"data": key_json(1, created_at=text)})).keys.get("ab")
    assert key.created_at == datetime(2026, 8, 24, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize("identity", ["a/b", "../keys", "a?b#c", "%2e", "ä"])
def test_an_id_cannot_lead_to_another_resource(client_of: ClientOf, identity: str) -> None:
    far_side = Recorder({"data": key_json(1)})
    client_of(far_side).keys.get(identity)
    assert far_side.request.url.raw_path.count(b"/") == 4
    assert far_side.request.url.path == f"/api/v1/keys/{identity}"


@pytest.mark.parametrize("identity", ["", ".", ".."])
def test_an_id_that_names_a_collection_is_refused(client_of: ClientOf, identity: str) -> None:
    with pytest.raises(ValueError, match="must not be"):
        client_of(Recorder({})).keys.delete(identity)


@pytest.mark.parametrize("url", ["openrouter.ai/api/v1", "ftp://openrouter.ai", "https://user:pw@openrouter.ai", ""])
def test_an_address_that_is_none_is_refused_when_the_client_is_made(url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        OpenRouter(SecretStr(SECRET), base_url=url)


def test_an_expiry_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="timezone"):
        NewKey(name="x", expires_at=datetime(2026, 8, 24))  # noqa: DTZ001  # wrong on purpose


def test_another_base_url_is_asked_and_a_closing_slash_does_no_harm() -> None:
    far_side = Recorder({"data": {"total_credits": 1, "total_usage": 0}})
    address = "https://eu.openrouter.ai/api/v1/"
    with OpenRouter(SecretStr(SECRET), base_url=address, transport=httpx.MockTransport(far_side)) as client:
        client.credits()
    assert str(far_side.request.url) == "https://eu.openrouter.ai/api/v1/credits"


FIRST_USE = """
import sys, threading
from management_api._answers import many, whole
from management_api._models.keys import CurrentKey, KeyPage, NewKey
from management_api._models.workspaces import WorkspaceBudgets

sys.setswitchinterval(1e-6)  # threads change places at every chance
together, failures = threading.Barrier(8), []

def first_use():
    together.wait()
    try:
        whole(KeyPage)(b'{"data": []}')
        whole(WorkspaceBudgets)(b'{"data": []}')
        many(CurrentKey)(b'{"data": []}')
        NewKey(name="x")
    except Exception as failure:
        failures.append(failure)

threads = [threading.Thread(target=first_use) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.exit(repr(failures) if failures else 0)
"""


def test_threads_may_race_to_the_first_use_of_a_model() -> None:
    for _ in range(3):
        run = subprocess.run([sys.executable, "-c", FIRST_USE], capture_output=True, text=True, check=False)
        assert run.stderr == ""


@pytest.mark.parametrize("text", ["nan", "Infinity", "-1", "1e18", "x"])
def test_a_metric_that_cannot_be_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be|could not convert"):
        number(text)


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_not_json_is_no_answer(client_of: ClientOf, literal: str) -> None:
    body = f'{{"data": {{"total_credits": 100, "total_usage": {literal}, "more": 1}}}}'.encode()
    with pytest.raises(Unavailable):
        client_of(lambda request: httpx.Response(200, content=body)).credits()
