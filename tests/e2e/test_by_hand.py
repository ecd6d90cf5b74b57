"""Keys that people delete and rename by hand, through the built stack: each function under its own role."""

from datetime import timedelta

import httpx
import pytest

from sandbox.scenario.organization import REPORTS, SEARCH
from sandbox.scenario.world import World

SECRET = "openrouter/prod/finance-reports"
MINUTES = timedelta(minutes=1)
HOURS = timedelta(hours=1)


def works(world: World, plaintext: str) -> bool:
    headers = {"Authorization": f"Bearer {plaintext}"}
    return httpx.get(f"{world.base_url}/key", headers=headers, timeout=30).status_code == 200


def rotated(world: World, workload: str, secret: str) -> str:
    """The new key's hash, once the workload's key was replaced and looked at."""
    world.put_event("Rotation Requested", {"subject": workload, "evidence": {"requested_by": "U0LEAD"}})
    world.run(world.now + 12 * MINUTES)
    assert world.events("Key Rotated", subject=workload)
    return str(world.secret(secret)["hash"])


def test_the_new_key_deleted_by_hand_in_its_overlap_never_costs_the_old_one_which_comes_back(world: World) -> None:
    before = world.secret(SECRET)["api_key"]
    new = rotated(world, REPORTS, SECRET)
    world.simulator.organization.delete_key(new)
    world.run(world.now + 12 * MINUTES)
    (drift,) = world.events("Key Drifted", subject=REPORTS)
    assert drift["detail"]["evidence"]["field"] == "hash"
    assert "still works" in drift["detail"]["reason"]
    world.run(world.now + 40 * HOURS, every=HOURS, maintenance=HOURS)
    assert works(world, before), "the last key that works was retired"
    assert not world.events("Key Retired", subject=REPORTS)
    blocked = world.events("Drain Blocked", subject=REPORTS)
    assert [event["detail"]["evidence"]["rule"] for event in blocked][:1] == ["last_key"]
    assert any("no working key in its secret" in line for line in world.slack_lines())
    world.put_event("Rollback Requested", {"subject": REPORTS, "evidence": {"requested_by": "U0LEAD"}})
    world.run(world.now + 12 * MINUTES)
    assert world.secret(SECRET)["api_key"] == before
    rotated(world, REPORTS, SECRET)
    assert works(world, world.secret(SECRET)["api_key"])


@pytest.mark.parametrize("renamed", [False, True])
def test_a_runaway_is_confirmed_and_disabled_on_the_same_reading_whether_or_not_a_person_renamed_the_key(
    world: World, renamed: bool
) -> None:
    new = rotated(world, SEARCH, "openrouter/prod/search-agent")
    key = world.simulator.organization.key(new)
    if renamed:
        key.name = "batch"
    world.traffic[SEARCH].hash = new
    world.run(world.now + 6 * MINUTES)
    began = world.now
    world.loop(SEARCH, 500)
    assert world.run_while(lambda: not world.events("Key Disabled"), at_most=5 * MINUTES)
    assert (world.now - began) // MINUTES == 3
    world.end_loop(SEARCH)
    (confirmed,) = world.events("Runaway Confirmed")
    assert confirmed["detail"]["subject"] == SEARCH
    assert new in {one["hash"] for one in confirmed["detail"]["evidence"]["keys"]}
    drifted = [one["detail"]["evidence"]["field"] for one in world.events("Key Drifted", subject=SEARCH)]
    assert drifted == (["name"] if renamed else [])
    (disabled,) = world.events("Key Disabled")
    assert disabled["detail"]["subject"] == SEARCH
    assert disabled["detail"]["evidence"]["cause"] == "runaway"
    assert key.disabled
    assert not world.events(subject=new)
