"""Broadcast: the captured shape, cost on the root only, and nothing that harms the request."""

import json

import httpx
import pytest

ROOT_ATTRIBUTES = [
    "trace.name", "trace.metadata.provider_responses", "span.type", "span.level", "span.metadata.provider_responses",
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
"""As captured from a delivery in privacy mode, in its order."""


@pytest.fixture
def received(simulator):
    """The requests destinations get; the first workspace broadcasts."""
    requests: list[httpx.Request] = []

    def answer(request):
        requests.append(request)
        return httpx.Response(500 if "broken" in request.url.path else 200)

    simulator.broadcaster.transport = httpx.MockTransport(answer)
    simulator.organization.default_workspace.settings["is_observability_broadcast_enabled"] = True
    return requests


@pytest.fixture
def key(simulator):
    return simulator.create_key("prod-search-agent")


def destination(api, **fields):
    config = {"url": fields.pop("url", "http://tap.example/otlp"), "headers": {"X-Tap": "fake-secret"}}
    body = {"type": "webhook", "name": "tap", "config": config, "privacy_mode": True, **fields}
    return api.post("/observability/destinations", body)


def spans(request):
    """Each span with its attributes as a dict; one per `resourceSpans`."""
    found = []
    for resource in json.loads(request.content)["resourceSpans"]:
        ((scope,),) = [resource["scopeSpans"]]
        (span,) = scope["spans"]
        values = {each["key"]: next(iter(each["value"].values())) for each in span["attributes"]}
        found.append({**span, "attributes": values})
    return found


def test_a_request_is_delivered_in_the_captured_shape(simulator, api, key, received):
    destination(api)
    answer = api.chat(key[1]).json()
    simulator.broadcaster.wait()
    (request,) = received
    assert (request.method, request.headers["x-tap"]) == ("POST", "fake-secret")
    root, attempt, generation = spans(request)
    assert [root["name"], attempt["name"], generation["name"]] == [
        "LLM Generation", "provider attempt 1: Anthropic", "generation",
    ]  # fmt: skip
    assert list(root["attributes"]) == ROOT_ATTRIBUTES
    assert "parentSpanId" not in root
    assert attempt["parentSpanId"] == generation["parentSpanId"] == root["spanId"]
    assert root["attributes"]["gen_ai.usage.total_cost"] == answer["usage"]["cost"]
    assert root["attributes"]["trace.metadata.openrouter.api_key_name"] == "prod-search-agent"
    assert [span["attributes"]["gen_ai.response.id"] for span in (root, attempt, generation)] == [
        answer["id"], f"{answer['id']}:attempt-0", f"{answer['id']}:generation",
    ]  # fmt: skip
    assert not any("cost" in name for span in (attempt, generation) for name in span["attributes"])


def test_only_privacy_mode_keeps_prompts_and_replies_out(simulator, api, key, received):
    destination(api)
    destination(api, privacy_mode=False, url="http://tap.example/open")
    api.chat(key[1], text="a secret question")
    simulator.broadcaster.wait()
    private, open_ = (request.content.decode() for request in received)
    assert "a secret question" not in private
    assert "A simulated reply" not in private
    assert "a secret question" in open_
    assert "A simulated reply" in open_


def test_a_failed_request_is_an_error_span_without_cost(simulator, api, key, received):
    destination(api)
    for provider in ("anthropic", "amazon-bedrock", "google-vertex"):
        simulator.trouble(provider=provider, status=503)
    assert api.chat(key[1]).status_code == 503
    simulator.broadcaster.wait()
    root = spans(received[0])[0]
    assert root["status"] == {"code": 2, "message": "Provider returned error"}
    assert root["attributes"]["span.level"] == "ERROR"
    assert not any("cost" in name for name in root["attributes"])


def test_a_fallback_from_byok_shows_in_the_attempts(simulator, api, key, received):
    destination(api)
    made = api.post("/byok", {"provider": "anthropic", "key": "fake-raw-key"}).json()["data"]
    simulator.trouble(credential=made["id"], trouble="rate_limited")
    api.chat(key[1], user="user_42", session_id="sess-7")
    simulator.broadcaster.wait()
    root, first, second, _ = spans(received[0])
    responses = json.loads(root["attributes"]["trace.metadata.provider_responses"])
    assert [(each["status"], each["is_byok"]) for each in responses] == [(429, True), (200, False)]
    assert [first["status"]["code"], second["status"]["code"]] == [2, 1]
    assert (root["attributes"]["user.id"], root["attributes"]["session.id"]) == ("user_42", "sess-7")


def test_a_destination_that_fails_is_recorded_and_harms_nothing(simulator, api, key, received):
    destination(api, url="http://tap.example/broken")
    assert api.chat(key[1]).status_code == 200
    simulator.broadcaster.wait()
    (delivered,) = api.get("/_sim/deliveries").json()["deliveries"]
    assert delivered["status"] == 500


def test_a_destination_takes_the_keys_it_names_and_the_share_it_samples(simulator, api, key, received):
    _, other = simulator.create_key("other")
    destination(api, api_key_hashes=[key[0].hash])
    destination(api, sampling_rate=0.0)
    destination(api, enabled=False)
    api.chat(other)
    api.chat(key[1])
    simulator.broadcaster.wait()
    assert len(received) == 1


def test_destinations_have_rules(simulator, api, key, received):
    for number in range(5):
        assert destination(api, name=f"tap-{number}").status_code == 201
    assert destination(api).status_code == 400, "at most five of a type"
    assert destination(api, type="otel-collector").status_code == 400, "config lacks its endpoint"
    assert destination(api, type="carrier-pigeon").status_code == 400
    first = api.get("/observability/destinations").json()["data"][0]
    path = f"/observability/destinations/{first['id']}"
    assert api.patch(path, {"api_key_hashes": []}).status_code == 400
    assert api.patch(path, {"api_key_hashes": ["0" * 64]}).status_code == 400
    assert api.patch(path, {"api_key_hashes": None}).status_code == 200


def test_a_workspace_that_does_not_broadcast_takes_no_destination(simulator, api):
    assert destination(api).status_code == 403


def test_a_connection_test_is_an_empty_payload_and_a_span_of_its_own_name(simulator, api, received):
    made = destination(api).json()["data"]
    assert api.post("/_sim/test-connection", {"destination": made["id"]}).status_code == 200
    simulator.broadcaster.wait()
    empty, span = received
    assert empty.headers["x-test-connection"] == "true"
    assert json.loads(empty.content) == {"resourceSpans": []}
    assert spans(span)[0]["name"] == "openrouter-connection-test"


def test_simulated_spend_can_be_broadcast_too(simulator, api, key, received):
    destination(api)
    simulator.spend(key[0].hash, 0.25, broadcast=True)
    simulator.broadcaster.wait()
    assert spans(received[0])[0]["attributes"]["gen_ai.usage.total_cost"] == 0.25
