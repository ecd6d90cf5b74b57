"""The vendor's guide "Router Metadata": for callers who ask only, on answers and on most errors."""

import pytest

CLAUDE = "anthropic/claude-haiku-4.5"


@pytest.fixture
def key(simulator):
    return simulator.create_key("prod-search-agent")


@pytest.fixture
def send(api, key):
    def post(headers=None, **body):
        messages = [{"role": "user", "content": "hi"}]
        request = {"model": CLAUDE, "messages": messages, **body}
        return api.post("/chat/completions", request, key=key[1], headers=headers or {})

    return post


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"X-OpenRouter-Metadata": "enabled"}, True),
        ({"X-OpenRouter-Metadata": "Enabled"}, True),
        ({"X-OpenRouter-Experimental-Metadata": "enabled"}, True),
        ({"X-OpenRouter-Metadata": "disabled"}, False),
        ({"X-OpenRouter-Metadata": "true"}, False),
        ({}, False),
    ],
)
def test_it_is_told_to_those_who_ask(simulator, send, headers, told):
    assert ("openrouter_metadata" in send(headers).json()) is told
    for provider in ("anthropic", "amazon-bedrock", "google-vertex"):
        simulator.trouble(provider=provider, status=503)
    assert ("openrouter_metadata" in send(headers).json()) is told


ASKED = {"X-OpenRouter-Metadata": "enabled"}


def test_a_served_request_tells_what_was_considered_and_what_was_tried(simulator, api, send):
    made = api.post("/byok", {"provider": "google-vertex", "key": "fake-raw-key"}).json()["data"]
    simulator.trouble(credential=made["id"], trouble="rate_limited")
    told = send(ASKED, provider={"only": ["google-vertex", "amazon-bedrock"]}).json()["openrouter_metadata"]
    model = "anthropic/claude-haiku-4.5-20251001"
    assert told.pop("generation_time") > 0
    assert told == {
        "requested": CLAUDE, "strategy": "direct", "region": None, "summary": "available=2, selected=Amazon Bedrock",
        "attempt": 2, "is_byok": False,
        "endpoints": {"total": 2, "available": [
            {"model": model, "provider": "Google", "selected": False},
            {"model": model, "provider": "Amazon Bedrock", "selected": True},
        ]},
        "attempts": [
            {"provider": "Google", "model": model, "status": 429},
            {"provider": "Amazon Bedrock", "model": model, "status": 200},
        ],
    }  # fmt: skip


def test_on_failure_it_stands_beside_the_error_with_every_attempt_and_nothing_selected(simulator, send):
    for provider in ("amazon-bedrock", "google-vertex"):
        simulator.trouble(provider=provider, status=429)
    body = send(ASKED, provider={"only": ["amazon-bedrock", "google-vertex"]}).json()
    told = body["openrouter_metadata"]
    assert body["error"]["code"] == 429
    assert (told["attempt"], [each["status"] for each in told["attempts"]]) == (2, [429, 429])
    assert [each["selected"] for each in told["endpoints"]["available"]] == [False, False]
    assert not told["is_byok"]


def test_where_every_candidate_was_filtered_out_no_attempt_was_made(send):
    answer = send(ASKED, provider={"only": ["groq"]})
    told = answer.json()["openrouter_metadata"]
    assert (answer.status_code, told["attempt"], "attempts" in told) == (404, 0, False)
    assert not any(each["selected"] for each in told["endpoints"]["available"])
    assert "X-Generation-Id" not in answer.headers


def test_a_request_refused_before_routing_carries_none(simulator, api, key, send):
    assert "openrouter_metadata" not in send(ASKED, model="no/such").json()
    api.patch(f"/keys/{key[0].hash}", {"disabled": True})
    refused = send(ASKED)
    assert (refused.status_code, "openrouter_metadata" in refused.json()) == (401, False)
    assert "provider_name" not in refused.json()["error"]["metadata"], "which tells it from a provider's 401"


def test_every_answer_names_its_generation(api, send):
    answer = send()
    assert answer.headers["X-Generation-Id"] == answer.json()["id"]
