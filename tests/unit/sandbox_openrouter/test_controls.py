"""The control API, the seed file, and the conversation a scripted reply belongs to."""

import pytest

NOW, DAY = 1_795_000_000.0, 86_400.0

DOCUMENT = {
    "credits": 500,
    "byok_fee": 0.05,
    "members": ["user_fake_ana"],
    "workspaces": [{"name": "Platform", "slug": "platform", "budgets": {"monthly": 100, "daily": 10}}],
    "keys": [
        {"name": "search", "workspace": "platform", "limit": 50, "limit_reset": "monthly", "usage": 12.5},
        {"name": "dev", "key": "sk-or-v1-fake-dev", "expires_at": "2027-01-01T00:00:00Z"},
    ],
    "guardrails": [{"name": "tight", "workspace": "platform", "limit_usd": 20, "keys": ["search"]}],
    "byok": [{"provider": "anthropic", "key": "fake-raw-key", "workspace": "platform", "allowed_keys": ["search"]}],
}


def test_a_seed_declares_an_organization(simulator, api):
    plaintexts = simulator.declare(DOCUMENT)
    data = api.get("/key", key=plaintexts["search"]).json()["data"]
    assert [(each["scope"], each["remaining_usd"]) for each in data["budgets"]] == [
        ("api_key", 7.5), ("workspace", 87.5), ("workspace", -2.5), ("key_limit", 37.5),
    ]  # fmt: skip
    assert data["effective_budget"]["reset_interval"] == "daily"
    assert api.get("/credits").json()["data"] == {"total_credits": 500, "total_usage": 12.5}
    assert [key["name"] for key in api.get("/keys").json()["data"]] == ["dev"]
    assert api.get("/key", key="sk-or-v1-fake-dev").json()["data"]["label"] == "sk-or-v1-fak...dev"
    (credential,) = simulator.organization.credentials.values()
    assert credential.settings["allowed_api_key_hashes"] == [simulator.organization.keys.of_workspace(
        simulator.organization.workspace("platform").id
    )[0].hash]  # fmt: skip


def test_what_a_seed_says_was_spent_shows_in_analytics_too(simulator, api):
    simulator.declare(DOCUMENT)
    query = {"metrics": ["total_usage"], "dimensions": ["api_key_id"], "granularity": "day"}
    rows = api.post("/analytics/query", query).json()["data"]["data"]
    assert [(row["api_key_id"], row["total_usage"]) for row in rows] == [("search", 12.5)]


def test_a_section_that_no_seed_has_is_named(simulator):
    with pytest.raises(ValueError, match="keyz"):
        simulator.declare({"keyz": []})


def test_faults_that_are_no_list_are_refused_in_words(api):
    answer = api.post("/_sim/faults", {"path": "/keys", "mode": "429"})
    assert (answer.status_code, answer.json()) == (400, {"error": "ValueError: send a list of faults"})


def test_the_clock_is_set_and_advanced_over_http(simulator, api):
    assert api.post("/_sim/clock", {"now": NOW + DAY}).json() == {"now": NOW + DAY}
    assert api.post("/_sim/clock", {"advance": 60}).json() == {"now": NOW + DAY + 60}
    assert api.post("/_sim/clock", {"sideways": 1}).status_code == 400


def test_traffic_is_spent_over_http_and_what_was_refused_is_told(simulator, api):
    key, _ = simulator.create_key("capped", limit=1.0)
    spends = [{"key_hash": key.hash, "usd": 0.5}, {"key_hash": key.hash, "usd": 2.0, "requests": 4}]
    first, second = api.post("/_sim/traffic", spends).json()["spent"]
    assert first == {"accepted_usd": 0.5, "requests": 1, "refusal": None}
    assert (second["requests"], second["refusal"]["code"]) == (1, 403)
    assert api.post("/_sim/traffic", [{"key_hash": key.hash, "usd": 1, "model": "no/such"}]).status_code == 400


def test_the_state_shows_counters_and_never_a_plaintext(simulator, api):
    key, plaintext = simulator.create_key("metered")
    simulator.spend(key.hash, 2.0)
    answer = api.get("/_sim/state")
    assert answer.json()["keys"][0]["usage"] == 2.0
    assert answer.json()["workspaces"][0]["usage"] == 2.0
    assert plaintext not in answer.text


def test_the_log_names_every_request_by_key_hash(simulator, api):
    key, plaintext = simulator.create_key("caller")
    api.get("/key", key=plaintext)
    api.get("/keys?offset=5", key="sk-or-v1-fake-nobody")
    first, second = api.get("/_sim/requests").json()["requests"]
    assert (first["path"], first["status"], first["key_hash"]) == ("/key", 200, key.hash)
    assert (second["path"], second["query"], second["status"]) == ("/keys", "offset=5", 401)


def test_replies_are_scripted_by_model_and_prompt_and_otherwise_the_same_each_time(simulator, api):
    _, plaintext = simulator.create_key("caller")
    scripts = [
        {"text": "refund", "prompt": "order 7"},
        {"text": "hello from haiku", "model": "anthropic/claude-haiku-4.5"},
    ]
    assert api.post("/_sim/scripts", scripts).json() == {"scripts": 2}

    def reply(model, text):
        return api.chat(plaintext, model=model, text=text).json()["choices"][0]["message"]["content"]

    assert reply("openai/gpt-5.1", "where is order 7?") == "refund"
    assert reply("anthropic/claude-haiku-4.5", "hi") == "hello from haiku"
    assert reply("openai/gpt-5.1", "hi") == reply("openai/gpt-5.1", "hi")


def test_cost_is_tokens_times_price(simulator, api):
    key, plaintext = simulator.create_key("caller")
    usage = api.chat(plaintext, text="x" * 4000, max_tokens=50).json()["usage"]
    assert usage["prompt_tokens"] > 1000
    assert usage["cost"] == pytest.approx(usage["prompt_tokens"] * 1e-6 + 50 * 5e-6)
    assert key.meter.usage == usage["cost"]


def test_a_reasoning_model_refuses_a_tiny_answer(simulator, api):
    _, plaintext = simulator.create_key("caller")
    assert api.chat(plaintext, model="openai/gpt-5.1", max_tokens=1).status_code == 400
    assert api.chat(plaintext, model="openai/gpt-5.1", max_tokens=16).status_code == 200


def test_a_workspace_is_deleted_with_what_it_holds_but_not_under_live_keys(simulator, api):
    simulator.declare({**DOCUMENT, "byok": []})
    assert api.delete("/workspaces/platform").status_code == 400
    (key,) = simulator.organization.keys.of_workspace(simulator.organization.workspace("platform").id)
    key.disabled = True
    assert api.delete("/workspaces/platform").json() == {"deleted": True}
    assert simulator.organization.guardrails == {}
    assert api.delete("/workspaces/default").status_code == 400


def test_an_unknown_path_answers_in_the_vendors_envelope(api):
    answer = api.get("/nowhere")
    assert (answer.status_code, answer.json()["error"]["metadata"]["error_type"]) == (404, "not_found")


def test_requests_to_free_models_are_counted_by_the_day(simulator, api):
    key, plaintext = simulator.create_key("free")
    simulator.spend(key.hash, 0.0, requests=5, model="meta-llama/llama-3.3-70b-instruct:free")
    allowance = api.get("/key", key=plaintext).json()["data"]["free_model_daily_requests"]
    assert (allowance["used"], allowance["remaining"]) == (5, 995)
    simulator.clock.set(NOW + DAY)
    assert api.get("/key", key=plaintext).json()["data"]["free_model_daily_requests"]["used"] == 0


def test_a_member_leaves_and_their_key_stays_in_their_name(simulator, api):
    api.post("/_sim/members", {"join": ["user_ana"]})
    key, _ = simulator.create_key("ana-notebook", creator_user_id="user_ana")
    assert "user_ana" not in api.post("/_sim/members", {"leave": ["user_ana"]}).json()["members"]
    assert "user_ana" not in simulator.organization.members
    assert simulator.organization.keys.get(key.hash).creator_user_id == "user_ana"
