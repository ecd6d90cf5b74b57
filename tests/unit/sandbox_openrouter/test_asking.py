"""A request in process is checked, routed, limited and counted as one over HTTP is."""

import pytest

NOW, DAY = 1_795_000_000.0, 86_400.0


@pytest.fixture
def key(simulator):
    return simulator.create_key("prod-answers", limit=1.0, limit_reset="daily", include_byok_in_limit=True)


def allow(api, *hashes):
    body = {"provider": "anthropic", "key": "fake-raw-key", "allowed_api_key_hashes": list(hashes)}
    assert api.post("/byok", body).status_code == 201


def test_it_is_counted_where_a_request_over_http_is(simulator, api, key):
    cost = api.chat(key[1]).json()["usage"]["cost"]
    over_http = api.get(f"/keys/{key[0].hash}").json()["data"]
    other, plaintext = simulator.create_key("other")
    assert simulator.ask(plaintext, cost).status == 200
    counted = api.get(f"/keys/{other.hash}").json()["data"]
    for field in ("usage", "usage_daily", "usage_monthly", "byok_usage", "last_used_at"):
        assert counted[field] == over_http[field], field


def test_the_organizations_own_credential_serves_only_the_keys_it_allows(simulator, api, key):
    _, other = simulator.create_key("other")
    allow(api, key[0].hash)
    assert simulator.ask(key[1], 0.25).is_byok
    assert not simulator.ask(other, 0.25).is_byok
    assert (key[0].meter.usage, key[0].meter.byok) == (0.0, 0.25)


def test_a_spent_limit_answers_403_until_utc_midnight(simulator, key):
    assert [simulator.ask(key[1], 0.5).status for _ in range(3)] == [200, 200, 403]
    midnight = NOW - NOW % DAY + DAY
    assert simulator.ask(key[1], 0.5, midnight - 1).status == 403
    assert simulator.ask(key[1], 0.5, midnight).status == 200


def test_a_guardrails_budget_counts_for_each_key_apart(simulator, key):
    guardrail = simulator.organization.create_guardrail("answers", limit_usd=0.5, reset_interval="daily")
    other, plaintext = simulator.create_key("other")
    simulator.organization.assign(guardrail, [key[0].hash, other.hash])
    assert [simulator.ask(key[1], 0.5).status for _ in range(2)] == [200, 403]
    assert simulator.ask(plaintext, 0.5).status == 200


def test_a_key_that_is_off_or_gone_answers_401_and_an_empty_account_402(simulator, key):
    key[0].disabled = True
    assert simulator.ask(key[1], 0.1).status == 401
    key[0].disabled = False
    simulator.organization.credits = 0.0
    assert simulator.ask(key[1], 0.1).status == 402
    simulator.organization.delete_key(key[0].hash)
    assert simulator.ask(key[1], 0.1).status == 401
    assert key[0].meter.usage == 0


def test_a_provider_that_rate_limits_and_a_model_that_a_guardrail_forbids_are_refused_and_cost_nothing(
    simulator, api, key
):
    allow(api, key[0].hash)
    for provider in ("anthropic", "amazon-bedrock", "google-vertex"):
        simulator.trouble(provider=provider, status=429)
    assert simulator.ask(key[1], 0.1).status == 429
    guardrail = simulator.organization.create_guardrail("narrow", allowed_models=["openai/gpt-5.1"])
    simulator.organization.assign(guardrail, [key[0].hash])
    assert simulator.ask(key[1], 0.1).status == 403
    assert (key[0].meter.usage, key[0].meter.byok) == (0.0, 0.0)


def test_whoever_listens_hears_of_each_write_after_its_effect(simulator, api, key):
    seen = []
    simulator.on_write = lambda: seen.append(key[0].disabled)
    api.patch(f"/keys/{key[0].hash}", {"disabled": True})
    api.get(f"/keys/{key[0].hash}")
    assert seen == [True]


def test_a_limit_lowered_to_the_spend_that_is_shown_lets_nothing_more_through(simulator, api):
    key, plaintext = simulator.create_key("agent")
    for _ in range(7):
        simulator.ask(plaintext, 0.02 / 3)
    shown = api.get(f"/keys/{key.hash}").json()["data"]["usage"]
    assert shown > key.meter.usage, "rounded up"
    api.patch(f"/keys/{key.hash}", {"limit": shown})
    assert simulator.ask(plaintext, 0.01).status == 403
