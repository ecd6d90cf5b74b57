"""Presets: what a version keeps, who sees it, and what a request to one is made of."""

import pytest

from sandbox.openrouter.scripts import Script

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "dropped"}]


@pytest.fixture
def plaintext(simulator):
    return simulator.create_key("author")[1]


def post(api, plaintext, **body):
    return api.post("/presets/triage/chat/completions", {"messages": MESSAGES, **body}, key=plaintext)


def test_a_post_keeps_what_a_preset_knows_and_drops_the_rest_without_a_word(api, plaintext):
    answer = post(api, plaintext, model="openai/gpt-5.1", temperature=0.2, user="u", stream=True, made_up=1)
    assert answer.status_code == 200
    version = answer.json()["data"]["designated_version"]
    assert (version["config"], version["system_prompt"]) == (
        {"model": "openai/gpt-5.1", "temperature": 0.2},
        "Be brief.",
    )


def test_each_post_is_a_new_version_designated_at_once_and_old_ones_stay(simulator, api, plaintext):
    for temperature in (0.1, 0.5, 0.9):
        simulator.clock.set(simulator.clock.now() + 60)
        post(api, plaintext, temperature=temperature)
    preset = api.get("/presets/triage", key=plaintext).json()["data"]
    assert preset["designated_version"]["version"] == 3
    listed = api.get("/presets/triage/versions", key=plaintext).json()
    assert [version["config"]["temperature"] for version in listed["data"]] == [0.1, 0.5, 0.9]
    first = api.get("/presets/triage/versions/1", key=plaintext).json()["data"]
    assert first["config"] == {"temperature": 0.1}
    assert api.get("/presets/triage/versions/4", key=plaintext).status_code == 404


def test_a_preset_is_seen_by_the_keys_of_its_workspace_only(simulator, api, plaintext):
    post(api, plaintext, model="openai/gpt-5.1")
    simulator.organization.create_workspace("Research", "research")
    _, stranger = simulator.create_key("stranger", workspace="research")
    assert api.get("/presets/triage", key=stranger).status_code == 404
    assert api.get("/presets", key=stranger).json() == {"data": [], "total_count": 0}


def test_a_request_to_a_preset_takes_its_latest_config(simulator, api, plaintext):
    post(api, plaintext, model="openai/gpt-5.1", max_tokens=16)
    answer = api.chat(plaintext, model="@preset/triage").json()
    assert (answer["model"], answer["usage"]["completion_tokens"]) == ("openai/gpt-5.1", 16)
    post(api, plaintext, model="anthropic/claude-haiku-4.5", max_tokens=20)
    answer = api.chat(plaintext, model="@preset/triage", max_tokens=30).json()
    assert (answer["model"], answer["usage"]["completion_tokens"]) == ("anthropic/claude-haiku-4.5", 30)
    generation = api.get(f"/generation?id={answer['id']}", key=plaintext).json()["data"]
    assert generation["preset_id"] == api.get("/presets/triage", key=plaintext).json()["data"]["id"]
    assert api.chat(plaintext, model="@preset/nowhere").status_code == 404


def test_fields_that_are_to_be_lost_are_lost_until_that_is_ended(simulator, api, plaintext):
    assert api.post("/_sim/lost-fields", ["temperature", "system_prompt"]).json()["lost_fields"]
    lost = post(api, plaintext, model="openai/gpt-5.1", temperature=0.2).json()["data"]["designated_version"]
    assert (lost["config"], lost["system_prompt"]) == ({"model": "openai/gpt-5.1"}, None)
    api.post("/_sim/lost-fields", [])
    kept = post(api, plaintext, model="openai/gpt-5.1", temperature=0.2).json()["data"]["designated_version"]
    assert (kept["config"]["temperature"], kept["system_prompt"]) == (0.2, "Be brief.")


def test_a_reply_can_hang_on_the_system_prompt(api, plaintext):
    api.post("/_sim/scripts", [{"text": "{}", "system": "JSON"}, {"text": "plain"}])
    for prompt, reply in (("Answer in JSON.", "{}"), ("Answer.", "plain")):
        messages = [{"role": "system", "content": prompt}, {"role": "user", "content": "Go."}]
        answer = api.chat(plaintext, model="openai/gpt-5.1", messages=messages).json()
        assert answer["choices"][0]["message"]["content"] == reply


def test_a_disabled_preset_serves_nothing(simulator, api, plaintext):
    post(api, plaintext, model="openai/gpt-5.1")
    (preset,) = simulator.organization.presets.values()
    preset.status = "disabled"
    assert api.chat(plaintext, model="@preset/triage").status_code == 400


def test_a_concurrent_change_can_be_called_up_as_a_fault(simulator, api, plaintext):
    simulator.fault("/presets/{slug}/chat/completions", "409")
    assert [post(api, plaintext, temperature=0.1).status_code for _ in range(2)] == [409, 200]
    assert api.get("/presets/triage", key=plaintext).json()["data"]["designated_version"]["version"] == 1


def test_a_preset_that_caches_answers_for_its_former_version_until_the_header_says_no(simulator, api, plaintext):
    simulator.organization.scripts += [Script("former", system="Version one"), Script("new", system="Version two")]

    def save(text):
        messages = [{"role": "system", "content": text}, {"role": "user", "content": "dropped"}]
        body = {"messages": messages, "model": "openai/gpt-5.1", "cache_enabled": True, "cache_ttl_seconds": 600}
        assert api.post("/presets/triage/chat/completions", body, key=plaintext).status_code == 200

    def answered(**headers):
        body = {"model": "@preset/triage", "messages": [{"role": "user", "content": "Are you there?"}]}
        answer = api.post("/chat/completions", body, key=plaintext, headers=headers)
        return answer.json()["choices"][0]["message"]["content"], answer.headers.get("x-openrouter-cache-status")

    save("Version one")
    assert answered() == ("former", "MISS")
    save("Version two")
    assert answered() == ("former", "HIT")
    assert answered(**{"X-OpenRouter-Cache": "false"}) == ("new", None)
    simulator.clock.set(simulator.clock.now() + 601)
    assert answered() == ("new", "MISS")


def test_a_hit_has_an_id_of_its_own_and_costs_nothing(simulator, api, plaintext):
    body = {"model": "openai/gpt-5.1", "messages": [{"role": "user", "content": "Again?"}]}
    first, second = (
        api.post("/chat/completions", body, key=plaintext, headers={"X-OpenRouter-Cache": "true"}).json()
        for _ in range(2)
    )
    assert first["id"] != second["id"]
    assert (first["usage"]["total_tokens"] > 0, second["usage"]["total_tokens"]) == (True, 0)
    assert (second["usage"]["cost"], len(simulator.organization.generations)) == (0, 1)


def test_a_preset_is_archived_and_restored_with_its_versions_by_a_management_key_alone(simulator, api, plaintext):
    for temperature in (0.1, 0.2):
        post(api, plaintext, model="openai/gpt-5.1", temperature=temperature)
    assert api.delete("/presets/triage", key=plaintext).status_code == 401
    assert [api.delete("/presets/triage").status_code for _ in range(2)] == [200, 200]
    assert api.get("/presets", key=plaintext).json() == {"data": [], "total_count": 0}
    assert api.get("/presets/triage", key=plaintext).status_code == 404
    assert api.get("/presets/triage/versions", key=plaintext).status_code == 404
    assert api.chat(plaintext, model="@preset/triage").status_code == 404
    assert post(api, plaintext, temperature=0.3).status_code == 409
    assert api.post("/presets/triage/restore", {}, key=plaintext).status_code == 401
    assert [api.post("/presets/triage/restore", {}).status_code for _ in range(2)] == [200, 200]
    assert api.get("/presets/triage", key=plaintext).json()["data"]["designated_version"]["version"] == 2
    assert api.chat(plaintext, model="@preset/triage").status_code == 200
    assert api.delete("/presets/nowhere").status_code == 404


def test_a_restricted_management_key_is_refused_writes_or_other_workspaces(simulator, api):
    other = simulator.organization.create_workspace("Research", "research").id
    body = {"model": "openai/gpt-5.1", "messages": [], "workspace_id": other}
    assert api.post("/presets/triage/chat/completions", body).json()["data"]["workspace_id"] == other
    simulator.restrict_management(read_only=True)
    assert api.get(f"/presets/triage?workspace_id={other}").status_code == 200
    assert api.post("/presets/triage/chat/completions", body).status_code == 403
    assert api.delete(f"/presets/triage?workspace_id={other}").status_code == 403
    simulator.restrict_management(workspace="default")
    assert api.post("/presets/triage/chat/completions", body).status_code == 403
    assert api.get("/presets").status_code == 200
    assert api.get(f"/keys?workspace_id={other}").status_code == 403
    simulator.restrict_management()
    assert api.delete(f"/presets/triage?workspace_id={other}").status_code == 200
