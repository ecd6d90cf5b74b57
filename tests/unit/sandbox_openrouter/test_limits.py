"""What stops a key: its limit, its guardrail, its workspace, the account's credits, and being off."""

import pytest

NOW, DAY = 1_795_000_000.0, 86_400.0


def error(answer):
    return answer.json()["error"]


def test_a_spent_key_limit_answers_403_until_its_window_resets(simulator, api):
    key, plaintext = simulator.create_key("capped", limit=1.0, limit_reset="daily")
    simulator.spend(key.hash, 1.0)
    answer = api.chat(plaintext)
    assert (answer.status_code, error(answer)["metadata"]["limit_source"]) == (403, "openrouter_key_limit")
    assert error(answer)["metadata"]["resets_at"] == "2026-11-19T00:00:00.000Z"
    simulator.clock.set(NOW + DAY)
    assert api.chat(plaintext).status_code == 200


def test_the_request_that_crosses_a_limit_passes_and_the_next_is_refused(simulator, api):
    _, plaintext = simulator.create_key("capped", limit=0.000001)
    assert [api.chat(plaintext).status_code for _ in range(2)] == [200, 403]


def test_spend_past_a_limit_is_cut_at_the_request_that_crosses_it(simulator):
    key, _ = simulator.create_key("capped", limit=10.0)
    spent = simulator.spend(key.hash, 30.0, requests=12)
    assert (spent.accepted_usd, spent.requests, spent.refusal.status) == (10.0, 4, 403)
    assert (key.meter.usage, simulator.spend(key.hash, 1.0).requests) == (10.0, 0)


def test_spend_within_every_limit_is_taken_whole(simulator):
    key, _ = simulator.create_key("open")
    assert simulator.spend(key.hash, 30.0, requests=12).refusal is None
    assert key.meter.usage == 30.0


def test_byok_counts_against_a_limit_only_where_it_says_so(simulator):
    without, _ = simulator.create_key("without", limit=1.0)
    including, _ = simulator.create_key("including", limit=1.0, include_byok_in_limit=True)
    for key in (without, including):
        simulator.spend(key.hash, 5.0, byok=True)
    assert simulator.spend(without.hash, 0.5).refusal is None
    assert simulator.spend(including.hash, 0.5).refusal.status == 403
    assert (including.meter.usage, including.meter.byok) == (0.0, 5.0)


def test_a_byok_fee_is_billed_to_credits(simulator):
    simulator.organization.byok_fee = 0.05
    simulator.organization.byok_free_requests = 0
    key, _ = simulator.create_key("own")
    simulator.spend(key.hash, 10.0, byok=True)
    assert (key.meter.usage, key.meter.byok) == (pytest.approx(0.5), 10.0)


def test_a_guardrail_enforces_nothing_until_it_is_assigned(simulator, api):
    key, plaintext = simulator.create_key("guarded")
    guardrail = simulator.organization.create_guardrail("tight", limit_usd=1.0, reset_interval="monthly")
    simulator.spend(key.hash, 2.0)
    assert api.chat(plaintext).status_code == 200
    api.post(f"/guardrails/{guardrail.id}/assignments/keys", {"key_hashes": [key.hash]})
    answer = api.chat(plaintext)
    assert (answer.status_code, error(answer)["metadata"]["scope"]) == (403, "api_key")


def test_a_guardrail_counts_each_key_by_itself_so_a_new_one_starts_at_zero(simulator):
    organization = simulator.organization
    old, _ = simulator.create_key("old")
    guardrail = organization.create_guardrail("tight", limit_usd=1.0, reset_interval="monthly")
    organization.assign(guardrail, [old.hash])
    assert simulator.spend(old.hash, 3.0, requests=3).requests == 1
    new, _ = simulator.create_key("new")
    organization.assign(guardrail, [new.hash])
    assert simulator.spend(new.hash, 3.0, requests=3).requests == 1


def test_a_key_holds_one_guardrail_and_assigning_replaces_it(simulator, api):
    key, _ = simulator.create_key("guarded")
    for name in ("first", "second"):
        guardrail = simulator.organization.create_guardrail(name)
        api.post(f"/guardrails/{guardrail.id}/assignments/keys", {"key_hashes": [key.hash]})
    listed = api.get("/guardrails/assignments/keys").json()
    assert (listed["total_count"], listed["data"][0]["guardrail_id"]) == (1, guardrail.id)


def test_a_workspace_default_guardrail_comes_into_being_at_the_first_write(simulator, api):
    workspace = simulator.organization.default_workspace
    path = f"/guardrails/{workspace.default_guardrail_id}"
    assert api.get(path).status_code == 404
    made = api.patch(path, {"limit_usd": 1.0, "reset_interval": "daily"}).json()["data"]
    assert made["name"] == f"Workspace {workspace.id} Default"
    assert api.patch(path, {"name": "mine"}).status_code == 400
    key, plaintext = simulator.create_key("anyone", creator_user_id="user_fake_owner")
    simulator.spend(key.hash, 1.0)
    scopes = [budget["scope"] for budget in api.get("/key", key=plaintext).json()["data"]["budgets"]]
    assert scopes == ["workspace_default_member", "workspace_default_key"]
    assert api.chat(plaintext).status_code == 403


def test_a_members_guardrail_counts_all_of_their_keys_together(simulator):
    organization = simulator.organization
    organization.members["user_fake_ana"] = "org:member"
    keys = [simulator.create_key(f"ana-{each}", creator_user_id="user_fake_ana")[0] for each in range(2)]
    guardrail = organization.create_guardrail("people", limit_usd=1.0)
    organization.assign(guardrail, ["user_fake_ana"], members=True)
    assert simulator.spend(keys[0].hash, 1.0).refusal is None
    assert simulator.spend(keys[1].hash, 1.0).refusal.metadata["scope"] == "member"


def test_workspace_budgets_must_shrink_with_their_interval(simulator, api):
    path = "/workspaces/default/budgets"
    assert api.put(f"{path}/monthly", {"limit_usd": 100}).status_code == 200
    for interval, limit in (("weekly", 100), ("daily", 150), ("lifetime", 100), ("hourly", 1), ("daily", 0)):
        assert api.put(f"{path}/{interval}", {"limit_usd": limit}).status_code == 400, interval
    assert [budget["limit_usd"] for budget in api.get(path).json()["data"]] == [100]


def test_a_spent_workspace_names_its_broadest_spent_interval(simulator, api):
    for interval, limit in (("monthly", 500), ("weekly", 300), ("daily", 200)):
        api.put(f"/workspaces/default/budgets/{interval}", {"limit_usd": limit})
    one, plaintext = simulator.create_key("one")
    other, _ = simulator.create_key("other")
    simulator.spend(one.hash, 150.0)
    simulator.spend(other.hash, 400.0)
    answer = api.chat(plaintext)
    assert answer.status_code == 403
    assert error(answer)["message"] == "Workspace monthly budget of $500.00 exceeded. Contact your workspace admin."


def test_an_account_out_of_credits_answers_402_and_free_models_still_serve(simulator, api):
    simulator.organization.credits = 5.0
    key, plaintext = simulator.create_key("any")
    simulator.spend(key.hash, 5.0)
    answer = api.chat(plaintext)
    assert (answer.status_code, error(answer)["metadata"]["error_type"]) == (402, "payment_required")
    assert api.chat(plaintext, model="meta-llama/llama-3.3-70b-instruct:free").status_code == 200
    assert api.get("/credits").json()["data"] == {"total_credits": 5.0, "total_usage": 5.0}


def test_the_effective_budget_is_the_first_spent_layer_or_the_one_with_least_left(simulator, api):
    organization = simulator.organization
    key, plaintext = simulator.create_key("layered", limit=10.0)
    guardrail = organization.create_guardrail("wide", limit_usd=50.0, reset_interval="weekly")
    organization.assign(guardrail, [key.hash])
    api.put("/workspaces/default/budgets/monthly", {"limit_usd": 30.0})

    def effective():
        return api.get("/key", key=plaintext).json()["data"]["effective_budget"]

    assert (effective()["scope"], effective()["remaining_usd"]) == ("key_limit", 10.0)
    other, _ = simulator.create_key("other")
    simulator.spend(other.hash, 31.0)
    assert (effective()["scope"], effective()["remaining_usd"]) == ("workspace", -1.0)


@pytest.mark.parametrize("fields", [{"disabled": True}, {"expires_at": NOW}])
def test_a_key_that_is_off_answers_401_everywhere(simulator, api, fields):
    key, plaintext = simulator.create_key("off", **fields)
    for answer in (api.get("/key", key=plaintext), api.chat(plaintext), api.get("/presets", key=plaintext)):
        assert (answer.status_code, error(answer)["metadata"]["error_type"]) == (401, "authentication")
    assert simulator.spend(key.hash, 1.0).refusal.status == 401
    assert key.meter.usage == 0


def test_each_kind_of_key_is_refused_where_it_has_no_business(simulator, api):
    _, plaintext = simulator.create_key("inference")
    assert api.chat("sk-or-v1-fake-management").status_code == 401
    assert api.get("/presets").status_code == 200
    assert api.get("/keys", key=plaintext).status_code == 401
    assert error(api.get("/credits", key=plaintext))["message"] == "Only management keys can perform this operation"
    assert api.get("/credits", key=plaintext).status_code == 403
    assert error(api.get("/keys", key=None))["message"] == "Missing Authentication header"


def test_a_guardrails_models_and_providers_bind_its_keys(simulator, api):
    key, plaintext = simulator.create_key("guarded")
    guardrail = simulator.organization.create_guardrail(
        "narrow", allowed_models=["anthropic/claude-haiku-4.5"], ignored_providers=["anthropic"]
    )
    simulator.organization.assign(guardrail, [key.hash])
    assert api.chat(plaintext, model="openai/gpt-5.1").status_code == 403
    assert api.chat(plaintext).json()["provider"] == "Amazon Bedrock"
    assert api.chat(plaintext, provider={"only": ["anthropic"]}).status_code == 404
