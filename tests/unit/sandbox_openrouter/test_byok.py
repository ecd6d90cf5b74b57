"""BYOK: the rules of its allowlists, the order of trial, and what a credential in trouble does to a request."""

import pytest


def credential(api, **fields):
    answer = api.post("/byok", {"provider": "anthropic", "key": "fake-raw-key", **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def served(answer):
    """Every attempt as (provider, status), and whether BYOK served."""
    metadata = answer.json()["openrouter_metadata"]
    return [(each["provider"], each["status"]) for each in metadata["attempts"]], metadata["is_byok"]


@pytest.fixture
def key(simulator):
    return simulator.create_key("prod-search-agent")


def test_an_allowlist_may_not_be_empty_nor_name_a_key_that_does_not_live(simulator, api, key):
    made = credential(api, allowed_api_key_hashes=[key[0].hash])
    path = f"/byok/{made['id']}"
    assert api.patch(path, {"allowed_api_key_hashes": []}).status_code == 400
    assert api.patch(path, {"allowed_api_key_hashes": ["0" * 64]}).status_code == 400
    assert api.patch(path, {"allowed_api_key_hashes": [key[0].hash] * 101}).status_code == 400
    assert api.get(path).json()["data"]["allowed_api_key_hashes"] == [key[0].hash]
    other, _ = simulator.create_key("other")
    replaced = api.patch(path, {"allowed_api_key_hashes": [other.hash]}).json()["data"]
    assert replaced["allowed_api_key_hashes"] == [other.hash], "replaced, not merged"
    assert api.patch(path, {"allowed_api_key_hashes": None}).json()["data"]["allowed_api_key_hashes"] is None


def test_a_hash_must_leave_the_allowlist_before_its_key_is_deleted(simulator, api, key):
    other, _ = simulator.create_key("other")
    made = credential(api, allowed_api_key_hashes=[key[0].hash, other.hash])
    api.delete(f"/keys/{key[0].hash}")
    kept = made["allowed_api_key_hashes"]
    assert api.patch(f"/byok/{made['id']}", {"allowed_api_key_hashes": kept}).status_code == 400
    assert api.patch(f"/byok/{made['id']}", {"allowed_api_key_hashes": [other.hash]}).status_code == 200


def test_the_raw_key_never_comes_back(api):
    made = credential(api)
    assert "fake-raw-key" not in api.get("/byok").text + api.get(f"/byok/{made['id']}").text
    assert made["label"] == "fak...-key"


def test_prioritized_credentials_go_first_then_shared_endpoints_then_fallbacks(simulator, api, key):
    first, second = credential(api), credential(api)
    credential(api, is_fallback=True)
    assert [first["sort_order"], second["sort_order"]] == [0, 1]
    assert served(api.chat(key[1])) == ([("Anthropic", 200)], True)
    simulator.trouble(credential=first["id"], trouble="revoked")
    simulator.trouble(credential=second["id"], trouble="rate_limited")
    assert served(api.chat(key[1])) == ([("Anthropic", 401), ("Anthropic", 429), ("Anthropic", 200)], False)
    for provider in ("amazon-bedrock", "google-vertex"):
        simulator.trouble(provider=provider, status=503)
    shared_only = {"provider": {"only": ["amazon-bedrock", "google-vertex"]}}
    assert api.chat(key[1], **shared_only).status_code == 503


def test_byok_goes_first_whatever_order_the_caller_asks_for(simulator, api, key):
    credential(api, provider="amazon-bedrock")
    assert served(api.chat(key[1], provider={"order": ["google-vertex"]})) == ([("Amazon Bedrock", 200)], True)


def test_a_fallback_credential_serves_only_when_shared_capacity_cannot(simulator, api, key):
    credential(api, provider="mistral", is_fallback=True)
    model = {"model": "mistralai/mistral-large-2411"}
    assert served(api.chat(key[1], **model)) == ([("Mistral", 200)], False)


@pytest.mark.parametrize("field", ["is_required", "is_byok_only"])
def test_shared_capacity_can_be_taken_out(simulator, api, key, field):
    made = credential(api, provider="mistral", **{field: True})
    simulator.trouble(credential=made["id"], trouble="rate_limited")
    answer = api.chat(key[1], model="mistralai/mistral-large-2411")
    assert (answer.status_code, answer.json()["error"]["metadata"]["is_byok"]) == (429, True)
    assert api.patch(f"/byok/{made['id']}", {"is_byok_only": True, "is_fallback": True}).status_code == 400


def test_a_credential_that_does_not_allow_the_key_is_passed_over(simulator, api, key):
    other, _ = simulator.create_key("other")
    credential(api, allowed_api_key_hashes=[other.hash])
    credential(api, allowed_models=["anthropic/claude-opus-4.5"])
    credential(api, disabled=True)
    assert served(api.chat(key[1])) == ([("Anthropic", 200)], False)


@pytest.mark.parametrize(
    ("provider", "model", "trouble", "status"),
    [
        ("anthropic", "anthropic/claude-haiku-4.5", "region_denied", 403),
        ("google-vertex", "google/gemini-2.5-pro", "revoked", 400),
    ],
)
def test_each_trouble_shows_the_status_its_provider_gives(simulator, api, key, provider, model, trouble, status):
    made = credential(api, provider=provider)
    simulator.trouble(credential=made["id"], trouble=trouble)
    attempts, is_byok = served(api.chat(key[1], model=model))
    assert (attempts[0][1], is_byok) == (status, False)
    simulator.trouble(credential=made["id"])
    assert served(api.chat(key[1], model=model))[1] is True


def test_a_slow_credential_serves_and_its_latency_shows(simulator, api, key):
    made = credential(api)
    simulator.trouble(credential=made["id"], trouble="slow")
    answer = api.chat(key[1])
    data = api.get(f"/generation?id={answer.json()['id']}").json()["data"]
    assert (data["is_byok"], data["latency"], data["provider_responses"][0]["status"]) == (True, 9000, 200)
    assert made["id"] not in str(data) + answer.text


def test_without_fallbacks_the_first_endpoint_decides(simulator, api, key):
    made = credential(api)
    simulator.trouble(credential=made["id"], trouble="rate_limited")
    assert api.chat(key[1], provider={"allow_fallbacks": False}).status_code == 429


def test_byok_inference_is_counted_apart_from_credits(simulator, api, key):
    credential(api)
    answer = api.chat(key[1]).json()
    data = api.get(f"/keys/{key[0].hash}").json()["data"]
    assert (answer["usage"]["cost"], data["usage"]) == (0, 0)
    assert data["byok_usage"] > 0
    assert data["byok_usage"] == pytest.approx(answer["usage"]["cost_details"]["upstream_inference_cost"])
