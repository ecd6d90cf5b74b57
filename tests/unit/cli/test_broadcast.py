"""`governor broadcast`: what setup makes and mends, what check finds, and what neither prints."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from governor.broadcast.destination import HEADER, NAME
from governor.broadcast.header_token import HeaderToken
from tests.unit.cli.broadcasting import SECRET, URL, Broadcasting


@pytest.fixture
def broadcasting(tmp_path: Path) -> Iterator[Broadcasting]:
    with mock_aws():
        yield Broadcasting(tmp_path)


def test_setup_makes_token_switch_and_destination_and_check_then_finds_nothing(broadcasting: Broadcasting) -> None:
    assert broadcasting.run("check").code == 1
    ran = broadcasting.run("setup")
    assert ran.code == 0, ran.stderr
    token = broadcasting.stored()["token"]
    assert len(token) >= HeaderToken.SHORTEST
    assert broadcasting.sent() == [token, token]
    for name in ("search", "triage"):
        assert broadcasting.workspace(name).settings["is_observability_broadcast_enabled"]
        (one,) = broadcasting.destinations(name)
        assert (one.type, one.settings["name"], one.settings["privacy_mode"]) == ("webhook", NAME, True)
        assert one.settings["config"]["url"] == URL
    assert broadcasting.destinations("unrelated") == []
    assert not broadcasting.workspace("unrelated").settings["is_observability_broadcast_enabled"]
    checked = broadcasting.run("check")
    assert checked.code == 0
    for output in (ran, checked, broadcasting.run("check", "--json")):
        assert token not in output.stdout + output.stderr


def test_setup_run_again_makes_nothing_twice_and_keeps_the_token(broadcasting: Broadcasting) -> None:
    broadcasting.run("setup")
    token = broadcasting.stored()["token"]
    assert broadcasting.run("setup").code == 0
    assert broadcasting.stored() == {"token": token}
    assert [len(broadcasting.destinations(name)) for name in ("search", "triage")] == [1, 1]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"privacy_mode": False}, "privacy_mode"),
        ({"enabled": False}, "enabled"),
        ({"sampling_rate": 0.25}, "sampling_rate"),
        ({"config": {"url": "https://former.example.com/", "headers": {HEADER: "former"}}}, "url"),
        ({"config": {"url": URL, "headers": {}}}, "header"),
        ({"broadcast_generation_identity": False}, "broadcast_generation_identity"),
        ({"filter_rules": {"enabled": True, "groups": [{"logic": "and"}]}}, "filter_rules"),
    ],
)
def test_what_somebody_changed_is_found_and_mended(
    broadcasting: Broadcasting, change: dict[str, object], field: str
) -> None:
    broadcasting.run("setup")
    (one,) = broadcasting.destinations("search")
    one.settings |= change
    found = broadcasting.run("check", "--json")
    assert found.code == 1
    assert [list(place["wrong"]) for place in found.json] == [[field], []]
    mended = broadcasting.run("setup", "--json")
    assert mended.code == 0
    assert mended.json[0]["done"] == [f"mended: {field}"]
    assert broadcasting.sent() == [broadcasting.stored()["token"]] * 2


def test_a_wrong_token_cannot_be_read_back_and_is_mended_all_the_same(broadcasting: Broadcasting) -> None:
    broadcasting.run("setup")
    broadcasting.destinations("search")[0].settings["config"]["headers"][HEADER] = "another-token-of-somebody"
    assert broadcasting.run("check").code == 0
    broadcasting.run("setup")
    assert broadcasting.sent() == [broadcasting.stored()["token"]] * 2


def test_switching_on_what_would_start_somebody_elses_destination_is_left_to_a_person(
    broadcasting: Broadcasting,
) -> None:
    place = broadcasting.workspace("search")
    place.settings["is_observability_broadcast_enabled"] = True
    broadcasting.run("setup")
    (one,) = broadcasting.destinations("search")
    one.settings |= {"config": {"url": "https://langfuse.example.com"}, "name": "traces"}
    place.settings["is_observability_broadcast_enabled"] = False
    ran = broadcasting.run("setup", "--json")
    assert ran.code == 1
    assert "traces (webhook)" in ran.json[0]["wrong"]["switch"]
    assert not place.settings["is_observability_broadcast_enabled"]
    assert len(broadcasting.destinations("search")) == 1
    assert broadcasting.run("setup", "--with-others").code == 0
    assert len(broadcasting.destinations("search")) == 2


def test_two_destinations_of_ours_are_told_and_none_is_deleted(broadcasting: Broadcasting) -> None:
    broadcasting.run("setup")
    (one,) = broadcasting.destinations("search")
    twin = type(one)("another", one.type, one.workspace_id, one.created_at, one.updated_at, dict(one.settings))
    broadcasting.simulator.organization.destinations["another"] = twin
    ran = broadcasting.run("check", "--json")
    assert list(ran.json[0]["wrong"]) == ["surplus"]
    assert len(broadcasting.destinations("search")) == 2


def test_a_workspace_that_refuses_does_not_keep_the_others_from_being_set_up(broadcasting: Broadcasting) -> None:
    path = "/workspaces/" + broadcasting.workspace("search").id
    broadcasting.simulator.fault(path, "fail_before", method="PATCH", status=403)
    ran = broadcasting.run("setup", "--json")
    assert ran.code == 1
    assert [list(place["wrong"]) for place in ran.json] == [["OpenRouter"], []]
    assert len(broadcasting.destinations("triage")) == 1


def test_a_stack_without_broadcast_and_a_secret_of_another_shape_say_what_to_do(broadcasting: Broadcasting) -> None:
    broadcasting.secrets.create_secret(Name=SECRET, SecretString='{"api_key": "sk-or-v1-fake"}')
    ran = broadcasting.run("setup")
    assert ran.code == 2
    assert "holds no token" in ran.stderr
    assert "sk-or-v1-fake" not in ran.stderr
    broadcasting.parameters["BroadcastSecretName"] = ""
    ran = broadcasting.run("setup")
    assert ran.code == 2
    assert "BroadcastSecretName" in ran.stderr
    assert broadcasting.run("setup", "--workspace", "nobody").code == 2


def test_the_address_for_notifications_keeps_its_token_and_leaves_broadcasts_alone(broadcasting: Broadcasting) -> None:
    broadcasting.run("setup")
    before = broadcasting.stored()
    first, second = broadcasting.run("notifications"), broadcasting.run("notifications", "--json")
    held = broadcasting.stored()
    assert held == {**before, "notifications": held["notifications"]}
    assert first.stdout.strip() == second.json["address"] == f"{URL}notifications/{held['notifications']}"
    assert held["notifications"] != held["token"]
    assert json.dumps(held)
