"""Keys: listing, counters, and what an answer does and does not say."""

import json

NOW, DAY = 1_795_000_000.0, 86_400.0


def test_without_a_workspace_only_the_default_one_is_listed(simulator, api):
    simulator.organization.create_workspace("Research", "research")
    here, _ = simulator.create_key("here")
    there, _ = simulator.create_key("there", workspace="research")
    assert [key["hash"] for key in api.get("/keys").json()["data"]] == [here.hash]
    research = simulator.organization.workspace("research").id
    assert [key["hash"] for key in api.get(f"/keys?workspace_id={research}").json()["data"]] == [there.hash]


def test_a_page_is_a_hundred_keys_newest_first_and_nothing_says_how_many_there_are(simulator, api):
    hashes = [simulator.create_key(f"key-{number}")[0].hash for number in range(130)]
    first, second = api.get("/keys").json(), api.get("/keys?offset=100").json()
    assert set(first) == {"data"}
    assert [key["hash"] for key in first["data"] + second["data"]] == hashes[::-1]
    assert len(first["data"]) == 100


def test_disabled_and_expired_keys_are_listed_only_when_asked_for(simulator, api):
    simulator.create_key("live")
    simulator.create_key("off", disabled=True)
    simulator.create_key("past", expires_at=NOW - 1)

    def names(query):
        return {key["name"] for key in api.get(f"/keys{query}").json()["data"]}

    assert names("") == {"live"}
    assert names("?include_disabled=true") == {"live", "off"}
    assert names("?include_disabled=true&include_expired=true") == {"live", "off", "past"}


def test_an_offset_over_a_list_that_grew_repeats_a_key(simulator, api):
    hashes = [simulator.create_key(f"key-{number}")[0].hash for number in range(101)]
    first = api.get("/keys").json()["data"]
    simulator.create_key("late")
    second = api.get("/keys?offset=100").json()["data"]
    assert [key["hash"] for key in second] == [first[-1]["hash"], hashes[0]]


def test_the_plaintext_is_in_the_answer_that_created_the_key_and_nowhere_else(simulator, api):
    made = api.post("/keys", {"name": "once"}).json()
    plaintext, key_hash = made["key"], made["data"]["hash"]
    assert api.get("/key", key=plaintext).json()["data"]["label"] == made["data"]["label"]
    everything = json.dumps([
        api.get("/keys").json(), api.get(f"/keys/{key_hash}").json(), api.get("/_sim/state").json(),
        api.get("/_sim/requests").json(),
    ])  # fmt: skip
    assert plaintext not in everything
    assert key_hash in everything


def test_an_expiry_cannot_be_changed_once_set(simulator, api):
    key, _ = simulator.create_key("once", expires_at=NOW + DAY)
    answer = api.patch(f"/keys/{key.hash}", {"expires_at": "2030-01-01T00:00:00Z", "name": "renamed"})
    assert (answer.status_code, answer.json()["data"]["name"]) == (200, "renamed")
    assert key.expires_at == NOW + DAY


def test_null_lifts_a_limit_and_absence_leaves_it(simulator, api):
    key, _ = simulator.create_key("capped", limit=10.0, limit_reset="daily")
    assert api.patch(f"/keys/{key.hash}", {"limit_reset": None}).json()["data"]["limit"] == 10.0
    assert api.patch(f"/keys/{key.hash}", {"limit": None}).json()["data"]["limit_remaining"] is None


def test_a_key_moves_to_another_workspace_and_keeps_its_age(simulator, api):
    organization = simulator.organization
    research = organization.create_workspace("Research", "research")
    old, _ = simulator.create_key("old")
    simulator.create_key("new", workspace="research")
    api.patch(f"/keys/{old.hash}", {"workspace_id": research.id})
    assert api.get("/keys").json()["data"] == []
    assert [key["name"] for key in api.get(f"/keys?workspace_id={research.id}").json()["data"]] == ["new", "old"]


def test_counters_fall_at_midnight_on_monday_and_at_the_month_and_the_lifetime_never_does(simulator, api):
    key, _ = simulator.create_key("metered")
    simulator.spend(key.hash, 1.0)

    def counters(after_days):
        simulator.clock.set(NOW + after_days * DAY)
        data = api.get(f"/keys/{key.hash}").json()["data"]
        return [data[name] for name in ("usage_daily", "usage_weekly", "usage_monthly", "usage")]

    assert counters(0) == [1, 1, 1, 1]
    assert counters(1) == [0, 1, 1, 1], "Thursday"
    assert counters(5) == [0, 0, 1, 1], "Monday"
    assert counters(13) == [0, 0, 0, 1], "December"


def test_free_traffic_moves_last_used_and_not_usage(simulator, api):
    key, plaintext = simulator.create_key("free")
    assert api.get(f"/keys/{key.hash}").json()["data"]["last_used_at"] is None
    assert api.chat(plaintext, model="meta-llama/llama-3.3-70b-instruct:free").status_code == 200
    data = api.get(f"/keys/{key.hash}").json()["data"]
    assert (data["usage"], data["last_used_at"]) == (0, "2026-11-18T11:06:40.000Z")


def test_a_deleted_key_is_gone_from_every_path(simulator, api):
    key, plaintext = simulator.create_key("doomed")
    assert api.delete(f"/keys/{key.hash}").json() == {"deleted": True}
    assert api.get(f"/keys/{key.hash}").status_code == 404
    assert api.get("/key", key=plaintext).status_code == 401
    assert api.delete(f"/keys/{key.hash}").status_code == 404


def test_a_body_of_the_wrong_shape_is_a_400_that_names_the_field(api):
    for body in ({}, {"name": ""}, {"name": 5}, {"name": "x", "limit": "ten"}, {"name": "x", "limit_reset": "hourly"}):
        answer = api.post("/keys", body)
        assert answer.status_code == 400, body
        assert answer.json()["error"]["metadata"]["error_type"] == "invalid_request"


def test_two_simulators_of_one_seed_name_things_alike(simulator):
    from sandbox.openrouter import Simulator

    other = Simulator("sk-or-v1-fake-management", clock=lambda: NOW, seed=3)
    assert simulator.create_key("a")[1] == other.create_key("a")[1]
    different = Simulator("sk-or-v1-fake-management", clock=lambda: NOW, seed=4)
    assert different.create_key("a")[1] != other.create_key("b")[1]


def test_a_key_is_its_creators_only_where_it_names_one_and_follows_their_guardrail(simulator, api, credential):
    """From the vendor's guide on guardrails: a member's assignment is the baseline of every key that they created."""
    organization = simulator.organization
    organization.members["user_fake_ana"] = "org:member"
    guardrail = organization.create_guardrail(
        "people", allowed_models=["anthropic/claude-haiku-4.5"], limit_usd=1.0, reset_interval="daily"
    )
    organization.assign(guardrail, ["user_fake_ana"], members=True)
    credential("anthropic", allowed_user_ids=["user_fake_ana"])
    hers = api.post("/keys", {"name": "hers", "creator_user_id": "user_fake_ana"}).json()
    nobodys = api.post("/keys", {"name": "nobody's"}).json()
    assert (hers["data"]["creator_user_id"], nobodys["data"]["creator_user_id"]) == ("user_fake_ana", None)
    assert api.chat(hers["key"], model="anthropic/claude-opus-4.5").status_code == 403
    assert api.chat(nobodys["key"], model="anthropic/claude-opus-4.5").status_code == 200
    assert api.chat(hers["key"]).json()["usage"]["is_byok"] is True
    assert api.chat(nobodys["key"]).json()["usage"]["is_byok"] is False
    assert [one["scope"] for one in api.get("/key", key=hers["key"]).json()["data"]["budgets"]] == ["member"]
    assert api.get("/key", key=nobodys["key"]).json()["data"]["budgets"] == []
    assert api.post("/keys", {"name": "x", "creator_user_id": "user_fake_gone"}).status_code == 400


def test_an_external_user_is_kept_and_the_key_that_came_with_it_is_not(simulator, api):
    external = {"user": "tenant-7", "api_key": "fake-" * 8}
    made = api.post("/keys", {"name": "theirs", "external": external}).json()
    assert made["data"]["external_user"] == "tenant-7"
    assert "fake-fake" not in json.dumps(simulator.state())
    assert api.post("/keys", {"name": "theirs", "external": {}}).status_code == 400


def test_a_maximum_lifetime_refuses_keys_that_never_expire_or_expire_later_those_before_it_included(simulator, api):
    _, for_ever = simulator.create_key("for ever")
    _, long = simulator.create_key("long", expires_at=NOW + 100 * DAY)
    _, short = simulator.create_key("short", expires_at=NOW + 30 * DAY)
    simulator.organization.max_key_lifetime = 90 * DAY
    assert [api.get("/key", key=key).status_code for key in (for_ever, long, short)] == [403, 403, 200]
    assert api.chat(for_ever).status_code == 403
    assert api.get("/keys").status_code == 200, "a management key is not among them"
