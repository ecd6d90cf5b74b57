"""A credential in trouble: what each kind answers, which requests it strikes, and what is said of it."""

import json

import pytest

NOW = 1_795_000_000.0
STATUSES = {"revoked": 401, "rate_limited": 429, "region_denied": 403, "unavailable": 503, "ambiguous": 400}


@pytest.fixture
def key(simulator):
    return simulator.create_key("prod-search-agent")


@pytest.fixture
def credential(api):
    made = api.post("/byok", {"provider": "anthropic", "key": "fake-raw-key", "name": "agreement"})
    return made.json()["data"]["id"]


@pytest.fixture
def put(api):
    """`POST /_sim/trouble`, which must be accepted."""

    def post(**asked):
        answer = api.post("/_sim/trouble", asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return post


@pytest.mark.parametrize(("kind", "status"), STATUSES.items())
def test_each_kind_is_answered_by_its_status_and_the_request_falls_through(api, key, credential, put, kind, status):
    put(credential=credential, trouble=kind)
    body = api.chat(key[1]).json()
    assert [each["status"] for each in body["openrouter_metadata"]["attempts"]] == [status, 200]
    assert (body["usage"]["is_byok"], body["usage"]["cost"] > 0) == (False, True)


@pytest.mark.parametrize(("kind", "status"), STATUSES.items())
def test_where_nothing_else_may_serve_the_caller_gets_that_status_and_learns_that_it_is_the_providers(
    api, key, credential, put, kind, status
):
    api.patch(f"/byok/{credential}", {"is_byok_only": True})
    put(credential=credential, trouble=kind)
    answer = api.chat(key[1], provider={"only": ["anthropic"]})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["message"]) == (status, status, "Provider returned error")
    assert (error["metadata"]["provider_name"], error["metadata"]["is_byok"]) == ("Anthropic", True)


def test_google_answers_400_to_a_key_that_it_revoked(api, key, put):
    made = api.post("/byok", {"provider": "google-vertex", "key": "fake-raw-key"}).json()["data"]
    put(credential=made["id"], trouble="revoked")
    body = api.chat(key[1], model="google/gemini-2.5-pro").json()
    assert body["openrouter_metadata"]["attempts"][0]["status"] == 400


def test_trouble_may_last_for_a_number_of_requests(api, key, credential, put):
    put(credential=credential, trouble="rate_limited", after=1, times=2)
    served = [api.chat(key[1]).json()["usage"]["is_byok"] for _ in range(5)]
    assert served == [True, False, False, True, True]


def test_requests_that_never_reach_the_credential_are_not_counted(api, key, credential, put):
    put(credential=credential, trouble="rate_limited", times=1)
    assert not api.chat(key[1], provider={"only": ["google-vertex"]}).json()["usage"]["is_byok"]
    assert [api.chat(key[1]).json()["usage"]["is_byok"] for _ in range(2)] == [False, True]


def test_trouble_may_last_for_a_window_of_virtual_time(simulator, api, key, credential, put):
    put(credential=credential, trouble="revoked", since=NOW + 60, until=NOW + 120)

    def served(at):
        simulator.clock.set(at)
        return api.chat(key[1]).json()["usage"]["is_byok"]

    assert [served(NOW + after) for after in (0, 59, 60, 119, 120)] == [True, True, False, False, True]


def test_a_request_in_process_meets_the_trouble_of_its_own_instant(simulator, key, credential, put):
    put(credential=credential, trouble="revoked", since=NOW + 60, until=NOW + 120)
    assert [simulator.ask(key[1], 0.1, NOW + after).is_byok for after in (0, 60, 120)] == [True, False, True]
    assert simulator.spend(key[0].hash, 1.0, NOW + 60, requests=10, byok=None).requests == 10
    assert simulator.spend(key[0].hash, 1.0, NOW + 120, requests=10, byok=None).requests == 10
    assert (round(key[0].meter.usage, 6), round(key[0].meter.byok, 6)) == (1.1, 1.2)


def test_a_request_in_process_has_preferences_too(simulator, key, credential, put):
    assert simulator.ask(key[1], 0.1, provider={"only": ["anthropic"]}).is_byok
    assert not simulator.ask(key[1], 0.1, provider={"ignore": ["anthropic"]}).is_byok
    put(credential=credential, trouble="region_denied")
    assert simulator.ask(key[1], 0.1, provider={"allow_fallbacks": False}).status == 403


def test_spend_of_many_requests_is_struck_request_by_request(simulator, key, credential, put):
    put(credential=credential, trouble="unavailable", after=2, times=3)
    assert simulator.spend(key[0].hash, 10.0, requests=10, byok=None).accepted_usd == 10.0
    assert (key[0].meter.usage, key[0].meter.byok) == (pytest.approx(3.0), pytest.approx(7.0))


def test_a_slow_credential_serves_and_its_lateness_is_told_everywhere_while_nobody_waits(
    simulator, api, key, credential, put
):
    put(credential=credential, trouble="slow", seconds=12.5)
    body = api.chat(key[1], max_tokens=16).json()
    data = api.get(f"/generation?id={body['id']}").json()["data"]
    assert (data["is_byok"], data["latency"], data["provider_responses"][0]["latency"]) == (True, 12_500, 12_500)
    assert body["openrouter_metadata"]["generation_time"] == 12_500 + data["generation_time"]
    assert simulator.ask(key[1], 0.1).latency == 12_500
    assert simulator.clock.now() == NOW


def test_a_providers_outage_strikes_its_credentials_whatever_their_own_trouble(api, key, credential, put):
    put(credential=credential, trouble="slow")
    put(provider="anthropic", status=503)
    statuses = [each["status"] for each in api.chat(key[1]).json()["openrouter_metadata"]["attempts"]]
    assert statuses == [503, 503, 200]


def test_troubles_are_listed_with_what_they_have_seen_and_end_one_by_one_or_all_at_once(api, key, credential, put):
    put(credential="agreement", trouble="rate_limited", times=1)
    put(provider="azure", status=529)
    api.chat(key[1])
    set_ = api.get("/_sim/trouble").json()
    assert set_["credentials"][credential] == {
        "kind": "rate_limited", "times": 1, "after": 0, "since": None, "until": None, "seconds": 9.0, "seen": 1,
    }  # fmt: skip
    assert set_["providers"] == {"azure": 529}
    (shown,) = api.get("/_sim/state").json()["byok"]
    assert shown["trouble"] == set_["credentials"][credential]
    assert put(credential=credential, trouble=None) == {"credentials": {}, "providers": {"azure": 529}}
    put(credential=credential, trouble="revoked")
    assert api.delete("/_sim/trouble").json() == {"credentials": {}, "providers": {}}
    assert api.chat(key[1]).json()["usage"]["is_byok"]


def test_what_cannot_be_put_in_trouble_is_refused_in_words(api, credential):
    unknown = api.post("/_sim/trouble", {"credential": credential, "trouble": "moody"})
    assert (unknown.status_code, "moody" in unknown.text, "revoked" in unknown.text) == (400, True, True)
    assert api.post("/_sim/trouble", {"credential": "nobody", "trouble": "revoked"}).status_code == 404
    assert api.post("/_sim/trouble", {"trouble": "revoked"}).status_code == 400
    assert api.post("/_sim/trouble", {"credential": credential, "trouble": "slow", "for": 3}).status_code == 400
    api.post("/byok", {"provider": "openai", "key": "fake-raw-key", "name": "agreement"})
    assert api.post("/_sim/trouble", {"credential": "agreement", "trouble": "revoked"}).status_code == 400


def test_a_new_raw_key_ends_the_trouble_unless_its_provider_revoked_it_too(simulator, api, key, credential, put):
    put(credential=credential, trouble="revoked")
    api.patch(f"/byok/{credential}", {"key": "fake-raw-fresh"})
    assert api.chat(key[1]).json()["usage"]["is_byok"]
    simulator.revoke_provider_key("fake-raw-leaked")
    api.patch(f"/byok/{credential}", {"key": "fake-raw-leaked"})
    assert not api.chat(key[1]).json()["usage"]["is_byok"]
    api.delete(f"/byok/{credential}")
    api.post("/byok", {"provider": "anthropic", "key": "fake-raw-leaked"})
    assert not api.chat(key[1]).json()["usage"]["is_byok"]


def test_no_answer_names_the_credential_that_served_or_failed(api, key, credential, put):
    second = api.post("/byok", {"provider": "anthropic", "key": "fake-raw-other", "name": "spare"}).json()["data"]
    put(credential=credential, trouble="revoked")
    served = api.chat(key[1])
    told = served.text + json.dumps(dict(served.headers))
    told += api.get(f"/generation?id={served.json()['id']}").text
    put(credential=second["id"], trouble="rate_limited")
    failed = api.chat(key[1], provider={"only": ["anthropic"], "allow_fallbacks": False})
    told += failed.text + json.dumps(dict(failed.headers))
    told += api.get(f"/generation?id={failed.headers['X-Generation-Id']}").text
    assert failed.status_code == 401
    for secret in (credential, second["id"], "agreement", "spare", "fak...-key", second["label"], "fake-raw"):
        assert secret not in told
    assert served.json()["openrouter_metadata"]["endpoints"]["available"].count(
        {"model": "anthropic/claude-haiku-4.5-20251001", "provider": "Anthropic", "selected": True}
    ) == 1, "one row, however many credentials"  # fmt: skip
