"""Faults: what is answered, whether the effect happened, and which requests are struck."""

import httpx
import pytest

NOW = 1_795_000_000.0


@pytest.fixture
def key(simulator):
    return simulator.create_key("target")[0]


@pytest.mark.parametrize("mode", ["fail_before", "reset"])
def test_a_connection_lost_before_the_effect_leaves_no_trace(simulator, api, key, mode):
    simulator.fault("/keys/{hash}", mode, method="PATCH")
    with pytest.raises(httpx.RemoteProtocolError):
        api.patch(f"/keys/{key.hash}", {"disabled": True})
    assert not key.disabled
    assert simulator.requests[-1].status == 0
    assert api.patch(f"/keys/{key.hash}", {"disabled": True}).status_code == 200, "once"


def test_an_answer_lost_after_the_effect_leaves_the_effect(simulator, api, key):
    simulator.fault("/keys/{hash}", "fail_after", method="PATCH")
    with pytest.raises(httpx.RemoteProtocolError):
        api.patch(f"/keys/{key.hash}", {"disabled": True})
    assert key.disabled


def test_an_effect_can_also_be_followed_by_a_500(simulator, api, key):
    simulator.fault("/keys/{hash}", "fail_after", status=500)
    assert api.patch(f"/keys/{key.hash}", {"disabled": True}).status_code == 500
    assert key.disabled


@pytest.mark.parametrize("mode", ["429", "500", "503"])
def test_a_status_is_answered_without_the_effect(simulator, api, key, mode):
    simulator.fault("/keys/{hash}", mode)
    answer = api.patch(f"/keys/{key.hash}", {"disabled": True})
    assert (answer.status_code, answer.json()["error"]["code"]) == (int(mode), int(mode))
    assert not key.disabled
    assert "retry-after" not in answer.headers


def test_a_429_can_say_when_to_come_back(simulator, api):
    simulator.fault("/keys", "429", retry_after=7)
    assert api.get("/keys").headers["retry-after"] == "7"


def test_the_first_n_are_spared_and_then_so_many_are_struck(simulator, api):
    simulator.fault("/credits", "503", after=2, times=2)
    assert [api.get("/credits").status_code for _ in range(6)] == [200, 200, 503, 503, 200, 200]


def test_a_fault_without_a_count_stands_until_it_is_cleared(simulator, api):
    simulator.fault("/credits", "500", times=None)
    assert [api.get("/credits").status_code for _ in range(3)] == [500] * 3
    api.delete("/_sim/faults")
    assert api.get("/credits").status_code == 200


def test_a_pattern_can_pick_one_page_of_a_list(simulator, api):
    simulator.fault(r"/keys\?.*offset=100.*", "500")
    assert api.get("/keys?offset=0").status_code == 200
    assert api.get("/keys?include_disabled=true&offset=100").status_code == 500


def test_a_stale_list_answers_as_things_stood_when_the_fault_was_set(simulator, api, key):
    simulator.fault("/keys.*", "stale_list", times=None)
    simulator.create_key("late")
    api.patch(f"/keys/{key.hash}", {"name": "renamed"})
    assert [each["name"] for each in api.get("/keys").json()["data"]] == ["target"]
    assert key.name == "renamed", "writes are not stale"
    simulator.faults.clear()
    assert [each["name"] for each in api.get("/keys").json()["data"]] == ["late", "renamed"]


def test_a_slow_answer_has_its_effect_at_once(simulator, api, key):
    simulator.fault("/keys/{hash}", "slow", seconds=0.01)
    assert api.patch(f"/keys/{key.hash}", {"disabled": True}).json()["data"]["disabled"] is True


def test_faults_are_set_over_http_and_a_wrong_one_is_refused(api):
    answer = api.post("/_sim/faults", [{"path": "/keys", "mode": "429", "retry_after": 3, "times": 1}])
    assert answer.json()["faults"][0]["mode"] == "429"
    assert api.get("/keys").status_code == 429
    assert api.post("/_sim/faults", [{"path": "/keys", "mode": "sulk"}]).status_code == 400
    assert api.post("/_sim/faults", [{"path": "/keys", "mode": "500", "colour": "red"}]).status_code == 400


def test_a_struck_request_of_a_wrong_key_is_still_unanswered(simulator, api):
    simulator.fault("/keys", "fail_after")
    with pytest.raises(httpx.RemoteProtocolError):
        api.get("/keys", key="sk-or-v1-fake-nobody")
