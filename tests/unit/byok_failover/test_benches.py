"""A credential that the provider refuses is disabled where the policy says so, and comes back once it works."""

from typing import Any

from governor.byok_marks import mark_of
from sandbox.openrouter.credentials import Credential
from tests.unit.byok_failover.doubles import World


def benched(**more: Any) -> tuple[World, Credential]:
    world = World({"action": "bench", **more})
    first = world.credential("first")
    world.simulator.trouble(credential=first.id, trouble="revoked")
    for _ in range(3):
        world.tick()
    return world, first


def test_an_invalid_credential_is_benched_under_our_mark_and_told_once() -> None:
    world, first = benched()
    assert first.settings["disabled"]
    assert mark_of(first.settings["name"]) is not None
    assert first.settings["name"].startswith("first [Governor: bench ")
    for _ in range(5):
        world.tick()
    kinds = [kind for kind in world.kinds() if kind.startswith("Credential")]
    assert kinds == ["Credential Unhealthy", "Credential Benched"]
    assert world.told("Credential Unhealthy")[0].evidence["action"] == "bench"


def test_it_returns_by_itself_once_it_serves_again() -> None:
    world, first = benched()
    world.simulator.trouble(credential=first.id)
    for _ in range(38):
        world.tick()
    assert not first.settings["disabled"]
    assert first.settings["name"] == "first"
    (event,) = world.told("Credential Unbenched")
    assert event.evidence["rule"] == "served"


def test_a_replaced_key_is_tried_at_the_next_run() -> None:
    world, first = benched()
    world.simulator.trouble(credential=first.id)
    first.label = "fak...new1"
    world.tick()
    assert not first.settings["disabled"]


def test_a_trial_that_does_not_serve_leaves_it_disabled() -> None:
    world, first = benched()
    for _ in range(38):
        world.tick()
    assert first.settings["disabled"]
    assert world.told("Credential Unbenched") == []


def test_the_last_one_standing_of_a_provider_without_credits_is_never_benched() -> None:
    world = World({"action": "bench"})
    only = world.credential("only", is_byok_only=True)
    world.simulator.trouble(credential=only.id, trouble="revoked")
    for _ in range(4):
        world.tick()
    assert not only.settings["disabled"]
    assert world.told("Credential Unhealthy")[0].evidence["action"] == "withheld"


def test_one_of_several_that_nobody_can_tell_apart_is_never_benched() -> None:
    world = World({"action": "bench"})
    made = [world.credential(name) for name in ("first", "second")]
    for one in made:
        world.simulator.trouble(credential=one.id, trouble="revoked")
    for _ in range(4):
        world.tick()
    assert not any(one.settings["disabled"] for one in made)


def test_what_a_person_enables_is_not_benched_again_for_the_same_verdict() -> None:
    world, first = benched()
    first.settings["disabled"] = False
    for _ in range(4):
        world.tick()
    assert not first.settings["disabled"]
    assert first.settings["name"] == "first"
    assert world.told("Credential Unbenched")[0].evidence["rule"] == "enabled"


def test_a_credential_whose_mark_a_person_takes_off_stays_disabled() -> None:
    world, first = benched()
    first.settings["name"] = "first"
    world.simulator.trouble(credential=first.id)
    for _ in range(60):
        world.tick()
    assert first.settings["disabled"]


def test_a_policy_that_no_longer_benches_gives_it_back() -> None:
    world, first = benched()
    world.decision["action"] = "alert"
    world.tick()
    assert not first.settings["disabled"]
    assert world.told("Credential Unbenched")[0].evidence["rule"] == "not_benched"


def test_a_disabling_that_lands_after_everybody_gave_it_up_is_found_by_its_mark() -> None:
    world = World()
    first = world.credential("first")
    first.settings |= {"disabled": True, "name": "first [Governor: drill 0a1b2c3d]"}
    world.tick()
    assert (first.settings["disabled"], first.settings["name"]) == (False, "first")


def test_a_credential_that_governor_holds_is_no_gap() -> None:
    world, first = benched(expect={"prioritized": 1, "shared": True})
    for _ in range(5):
        world.tick()
    assert first.settings["disabled"]
    assert world.told("Failover Gap Found") == []
