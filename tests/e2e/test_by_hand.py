"""Keys that people delete and rename by hand, through the built stack: each function under its own role."""

from datetime import timedelta

import httpx

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
    world.run(world.now + 40 * HOURS, every=HOURS, tending=HOURS)
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


def test_a_current_key_renamed_by_hand_is_watched_and_disabled_as_its_workloads(world: World) -> None:
    new = rotated(world, SEARCH, "openrouter/prod/search-agent")
    key = world.simulator.organization.key(new)
    key.name = "batch"
    world.traffic[SEARCH].hash = new
    world.run(world.now + 6 * MINUTES)
    world.loop(SEARCH, 500)
    assert world.run_while(lambda: not world.events("Runaway Suspected"), at_most=10 * MINUTES)
    world.end_loop(SEARCH)
    (suspected,) = world.events("Runaway Suspected")
    assert suspected["detail"]["subject"] == SEARCH
    assert new in {one["hash"] for one in suspected["detail"]["evidence"]["keys"]}
    assert [one["detail"]["evidence"]["field"] for one in world.events("Key Drifted", subject=SEARCH)] == ["name"]
    world.put_event("Key Exposed", {"subject": SEARCH, "evidence": {"requested_by": "U0LEAD"}})
    assert world.run_while(lambda: not world.events("Key Disabled"), at_most=5 * MINUTES)
    (disabled,) = world.events("Key Disabled")
    assert disabled["detail"]["subject"] == SEARCH
    assert key.disabled
    assert not world.events(subject=new)
