"""Who paid for a request, told alike by its answer, the key's counters, the account's credits and analytics."""

import pytest

FEE = 0.05
USD = 0.2
CAPTURED = [
    "trace.name", "trace.metadata.provider_responses", "span.type", "span.level", "span.metadata.provider_responses",
    "user.id", "session.id",
    "gen_ai.operation.name", "gen_ai.system", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model",
    "gen_ai.response.id", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.total_tokens",
    "gen_ai.usage.input_cost", "gen_ai.usage.output_cost", "gen_ai.usage.total_cost",
    "gen_ai.usage.input_tokens.cached", "gen_ai.usage.input_tokens.cache_write",
    "gen_ai.usage.output_tokens.reasoning", "gen_ai.response.finish_reasons", "gen_ai.response.finish_reason",
    "trace.metadata.openrouter.source", "trace.metadata.openrouter.api_key_name",
    "trace.metadata.openrouter.entity_id", "trace.metadata.openrouter.creator_user_id",
    "trace.metadata.openrouter.provider_name", "trace.metadata.openrouter.provider_slug",
    "trace.metadata.openrouter.finish_reason",
]  # fmt: skip
"""The root of a captured delivery of a request that fell from BYOK back to credits, in its order."""


@pytest.fixture
def key(simulator):
    simulator.organization.byok_fee = FEE
    simulator.organization.byok_free_requests = 0
    return simulator.create_key("prod-search-agent")


@pytest.fixture
def credential(api, key):
    return api.post("/byok", {"provider": "amazon-bedrock", "key": "fake-raw-key"}).json()["data"]["id"]


def analytics(api, *metrics, **asked):
    return api.post("/analytics/query", {"metrics": list(metrics), **asked}).json()["data"]["data"]


def chat(simulator, api, key):
    answer = api.chat(key[1]).json()
    cost = answer["usage"]["cost_details"]
    return cost["upstream_inference_prompt_cost"] + cost["upstream_inference_completions_cost"]


def ask(simulator, api, key):
    assert simulator.ask(key[1], USD).status == 200
    return USD


def spend(simulator, api, key):
    assert simulator.spend(key[0].hash, USD, byok=None).requests == 1
    return USD


WAYS = pytest.mark.parametrize("way", [chat, ask, spend])


@WAYS
def test_byok_costs_credits_the_fee_only_and_is_counted_apart(simulator, api, key, credential, way):
    usd = way(simulator, api, key)
    counted = api.get(f"/keys/{key[0].hash}").json()["data"]
    assert counted["usage"] == counted["usage_daily"] == pytest.approx(usd * FEE)
    assert counted["byok_usage"] == counted["byok_usage_daily"] == pytest.approx(usd)
    assert api.get("/credits").json()["data"]["total_usage"] == pytest.approx(usd * FEE)
    (row,) = analytics(
        api, "total_usage", "credits_usage", "openrouter_usage", "byok_usage", "byok_fees", "byok_request_count",
        "usage_upstream", dimensions=["provider", "api_key_id"],
    )  # fmt: skip
    assert (row["provider"], row["api_key_id"]) == ("Amazon Bedrock", "prod-search-agent")
    assert row["total_usage"] == pytest.approx(usd * (1 + FEE))
    assert row["credits_usage"] == row["byok_fees"] == pytest.approx(usd * FEE)
    assert row["byok_usage"] == row["usage_upstream"] == pytest.approx(usd)
    assert (row["openrouter_usage"], row["byok_request_count"]) == (0.0, "1")


@WAYS
def test_what_fell_back_costs_credits_the_whole_and_shows_as_another_providers(simulator, api, key, credential, way):
    simulator.trouble(credential=credential, trouble="revoked")
    usd = way(simulator, api, key)
    counted = api.get(f"/keys/{key[0].hash}").json()["data"]
    assert (counted["usage"], counted["byok_usage"]) == (pytest.approx(usd), 0.0)
    assert api.get("/credits").json()["data"]["total_usage"] == pytest.approx(usd)
    metrics = ("credits_usage", "openrouter_usage", "byok_usage", "byok_fees", "byok_request_count")
    (row,) = analytics(api, *metrics, dimensions=["provider"])
    assert row["provider"] == "Anthropic"
    assert row["credits_usage"] == row["openrouter_usage"] == pytest.approx(usd)
    assert (row["byok_usage"], row["byok_fees"], row["byok_request_count"]) == (0.0, 0.0, "0")


@pytest.mark.parametrize("way", [ask, spend])
def test_a_request_that_nothing_served_costs_nothing_in_process_either(simulator, api, key, credential, way):
    api.patch(f"/byok/{credential}", {"is_byok_only": True})
    simulator.trouble(credential=credential, trouble="region_denied")
    for provider in ("anthropic", "google-vertex"):
        simulator.trouble(provider=provider, status=503)
    asked = simulator.ask(key[1], USD)
    spent = simulator.spend(key[0].hash, USD, byok=None)
    assert (asked.status, asked.usd, spent.requests, spent.refusal.status) == (503, 0.0, 0, 503)
    assert (key[0].meter.usage, key[0].meter.byok, analytics(api, "request_count")) == (0.0, 0.0, [])


def test_the_share_of_byok_falls_in_the_minute_the_credential_dies(simulator, api, key, credential):
    start = simulator.clock.now()
    simulator.trouble(credential=credential, trouble="revoked", since=start + 120)
    for minute in range(4):
        for second in range(0, 60, 10):
            simulator.ask(key[1], USD, start + minute * 60 + second)
    simulator.clock.set(start + 300)
    rows = analytics(api, "byok_request_count", "request_count", "openrouter_usage", granularity="hour")
    assert rows == [
        {"date__hour": rows[0]["date__hour"], "byok_request_count": "12", "request_count": "24",
         "openrouter_usage": pytest.approx(12 * USD)},
    ]  # fmt: skip
    minutes = analytics(api, "byok_usage", dimensions=["provider"], granularity="minute")
    # 11:06:40 is where it began: the first and the last bucket hold parts of a minute.
    assert {row["provider"] for row in minutes if row["byok_usage"]} == {"Amazon Bedrock"}
    assert {row["provider"] for row in minutes if not row["byok_usage"]} == {"Anthropic"}


def test_credits_that_are_gone_stop_shared_capacity_and_not_byok(simulator, api, key, credential):
    simulator.organization.byok_fee = 0.0
    simulator.organization.credits = 0.0
    assert api.chat(key[1]).json()["usage"]["is_byok"]
    simulator.trouble(credential=credential, trouble="revoked")
    assert api.chat(key[1]).status_code == 402


def test_the_answer_and_its_generation_say_who_paid(simulator, api, key, credential):
    by_account = api.chat(key[1]).json()
    simulator.trouble(credential=credential, trouble="rate_limited")
    by_credits = api.chat(key[1]).json()
    for answer, byok in ((by_account, True), (by_credits, False)):
        usage = answer["usage"]
        data = api.get(f"/generation?id={answer['id']}").json()["data"]
        price = usage["cost_details"]["upstream_inference_prompt_cost"]
        price += usage["cost_details"]["upstream_inference_completions_cost"]
        assert (usage["is_byok"], data["is_byok"], answer["openrouter_metadata"]["is_byok"]) == (byok, byok, byok)
        assert usage["cost"] == data["total_cost"] == pytest.approx(price * FEE if byok else price)
        assert usage["cost_details"]["upstream_inference_cost"] == (pytest.approx(price) if byok else None)
        assert data["upstream_inference_cost"] == (pytest.approx(price) if byok else 0.0)
    assert [(each["provider_name"], each["status"], each["is_byok"]) for each in data["provider_responses"]] == [
        ("Amazon Bedrock", 429, True), ("Anthropic", 200, False),
    ]  # fmt: skip


def test_a_request_that_nothing_served_is_remembered_with_its_attempts(simulator, api, key, credential):
    simulator.trouble(credential=credential, trouble="revoked")
    failed = api.chat(key[1], provider={"only": ["amazon-bedrock"], "allow_fallbacks": False})
    data = api.get(f"/generation?id={failed.headers['X-Generation-Id']}").json()["data"]
    assert [(each["status"], each["is_byok"]) for each in data["provider_responses"]] == [(401, True)]
    assert (failed.status_code, data["provider_name"], data["total_cost"], data["is_byok"]) == (401, None, 0.0, False)


@pytest.mark.parametrize("way", ["chat", "spend"])
def test_a_broadcast_of_a_fall_back_has_the_captured_shape(simulator, api, key, credential, way):
    simulator.organization.default_workspace.settings["is_observability_broadcast_enabled"] = True
    body = {"type": "webhook", "name": "tap", "config": {"url": "http://localhost:9"}, "privacy_mode": True}
    assert api.post("/observability/destinations", body).status_code == 201
    sent = []
    simulator.broadcaster.send = lambda deliveries: sent.extend(deliveries)
    simulator.trouble(credential=credential, trouble="slow", seconds=3)
    simulator.trouble(provider="amazon-bedrock", status=429)
    if way == "chat":
        api.chat(key[1], user="user_42", session_id="sess-7")
    else:
        simulator.spend(key[0].hash, USD, byok=None, broadcast=True, user="user_42")
    (delivery,) = sent
    spans = [each["scopeSpans"][0]["spans"][0] for each in delivery.payload["resourceSpans"]]
    names = ["LLM Generation", "provider attempt 1: Amazon Bedrock", "provider attempt 2: Anthropic", "generation"]
    assert [span["name"] for span in spans] == names
    assert [span["status"]["code"] for span in spans] == [1, 2, 1, 1]
    root = [each["key"] for each in spans[0]["attributes"]]
    assert root == [name for name in CAPTURED if way == "chat" or name != "session.id"]
    told = [{each["key"]: each["value"] for each in span["attributes"]} for span in spans]
    assert [one.get("span.metadata.is_byok") for one in told[1:3]] == [{"boolValue": True}, {"boolValue": False}]
    assert [one.get("span.metadata.status_code") for one in told[1:3]] == [{"intValue": 429}, {"intValue": 200}]
    assert told[0]["gen_ai.usage.total_cost"]["doubleValue"] == pytest.approx(key[0].meter.usage)
    assert int(spans[1]["endTimeUnixNano"]) - int(spans[1]["startTimeUnixNano"]) == 3_000_000_000
