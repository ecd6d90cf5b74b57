"""From overlap to deletion, and back: whatever befalls a run, three more bring the lineage where it belongs."""

import pytest

from tests.faults.harness import Accident, Ended, Fault, Wire, accidents, case, invoke
from tests.faults.key_rotation import promises
from tests.faults.key_rotation.driving import rotated, states, ticks, up_to
from tests.faults.key_rotation.opening import Worlds, worlds
from tests.faults.key_rotation.world import PLACE, POLICY, WORKLOAD


def test_a_quiet_key_is_disabled_kept_and_deleted_and_the_new_one_has_the_whole_cap(wire: Wire, fresh: Worlds) -> None:
    world = fresh()
    world.simulator.spend(world.first, 40.0)
    new = rotated(world)
    world.later(minutes=70)
    ticks(world)
    limits = {hash: key.limit for hash, key in world.own_keys().items()}
    assert limits == {world.first: 46.0, new: 54.0}, "whoever has the old key cached is still answered"
    world.later(hours=24)
    ticks(world)
    assert world.own_keys()[new].limit == 60.0, "what the retired key needs no more"
    assert states(world) == {world.first: "quarantined", new: "current"}
    assert world.own_keys()[world.first].disabled
    organization = world.simulator.organization
    assert world.first not in organization.key_assignments
    assert all(world.first not in one.settings["allowed_api_key_hashes"] for one in organization.credentials.values())
    world.later(days=8)
    ticks(world)
    assert world.first not in world.own_keys()
    assert states(world) == {world.first: "deleted", new: "current"}
    assert world.own_keys()[new].limit == 60.0, "what the deleted key spent counts until the month is over"
    world.later(days=20)
    ticks(world)
    assert world.own_keys()[new].limit == 100.0
    assert world.kinds() == ["Rotation Started", "Key Rotated", "Key Retired"]


def test_a_key_still_used_is_told_daily_and_disabled_only_at_the_deadline(wire: Wire, fresh: Worlds) -> None:
    world = fresh()
    new = rotated(world)
    for _ in range(8 * 4):
        world.later(hours=6)
        world.simulator.spend(world.first, 0.01, app="old-batch")
        ticks(world, count=1, minutes=0)
    assert states(world) == {world.first: "quarantined", new: "current"}
    told = [entry["Detail"] for entry in world.told if entry["DetailType"] == "Drain Blocked"]
    assert len({detail["id"] for detail in told}) == 7
    assert told[0]["evidence"]["top_apps"][0][0] == "old-batch"
    spent = [detail["evidence"]["spent_usd"] for detail in {detail["id"]: detail for detail in told}.values()]
    assert spent[0] > 0
    assert spent == sorted(set(spent)), "each day's is what was spent since the key was replaced"
    promises.nothing_is_said_that_is_secret(world)


def test_a_key_that_a_federation_policy_acts_as_outlives_the_deadline_whatever_befalls_a_run(
    wire: Wire, counted: list[str]
) -> None:
    """Red before: the deadline disabled it under callers that cannot follow the secret."""
    workload = POLICY["workloads"][0]
    federated = {**POLICY, "workloads": [{**workload, "key": {**workload["key"], "federated": True}}]}
    with worlds(wire, federated) as stage:
        world = stage()
        new = rotated(world)
        world.later(days=20)
        world.simulator.spend(world.first, 0.01)
        before = stage.photo()
        for accident in accidents(wire.calls_of(stage(before).tick())):
            with case(counted, f"federated: {accident}"):
                world = stage(before)
                invoke(wire, world.tick(), accident)
                world.later(minutes=10)
                world.simulator.spend(world.first, 0.01)
                ticks(world, 1)
                assert states(world) == {world.first: "overlap", new: "current"}
                assert not world.own_keys()[world.first].disabled
        told = {one["Detail"]["id"]: one["Detail"] for one in world.told if one["DetailType"] == "Drain Blocked"}
        assert [one["evidence"]["rule"] for one in told.values()] == ["federated"]
        assert "Workload identity" in next(iter(told.values()))["reason"]
        world.later(hours=2)
        ticks(world)
        assert states(world) == {world.first: "quarantined", new: "current"}, "quiet, once the policy was moved"


@pytest.mark.parametrize("stage", ["drained", "deleted"])
@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name.lower())
def test_any_call_of_a_run_may_fail_and_three_more_converge(
    stage: str, fault: Fault, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    world = fresh()
    world.simulator.spend(world.first, 40.0)
    new = rotated(world)
    world.later(hours=26)
    if stage == "deleted":
        ticks(world, 2)
        world.later(days=8)
    before = fresh.photo()
    for accident in accidents(wire.calls_of(fresh(before).tick()), (fault,)):
        with case(counted, f"{stage}: {accident}"):
            world = fresh(before)
            invoke(wire, world.tick(), accident)
            promises.the_secret_works(world)
            promises.the_cap_holds(world)
            ticks(world)
            wanted = "quarantined" if stage == "drained" else "deleted"
            assert states(world) == {world.first: wanted, new: "current"}
            assert (world.first in world.own_keys()) == (stage == "drained")
            if stage == "drained":
                assert world.own_keys()[world.first].disabled
                assert world.first not in world.simulator.organization.key_assignments


@pytest.mark.parametrize("at", ["overlap", "quarantine"])
def test_a_rollback_gives_the_former_key_back_and_drains_the_new_one(
    at: str, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    world = fresh()
    new = rotated(world)
    world.later(hours=26 if at == "quarantine" else 1)
    ticks(world, 2)
    before = fresh.photo()
    names = wire.calls_of(fresh(before).roll_back())
    for accident in accidents(names):
        with case(counted, f"{at}: {accident}"):
            world = fresh(before)
            invoke(wire, world.roll_back(), accident)
            promises.the_secret_works(world)
            assert invoke(wire, world.roll_back()) == Ended.DONE
            assert states(world) == {world.first: "current", new: "overlap"}
            assert world.works(world.plaintext)
            assert world.secret()["api_key"] == world.plaintext
            ticks(world)
            assert world.first in world.simulator.organization.key_assignments
            assert world.kinds()[-1] == "Rotation Rolled Back"


def test_a_rollback_is_for_an_approver_and_never_for_a_key_that_a_cause_holds(wire: Wire, fresh: Worlds) -> None:
    world = fresh()
    new = rotated(world)
    assert invoke(wire, world.roll_back(by="U0ASKER")) == Ended.DONE
    assert world.kinds()[-1] == "Rollback Refused"
    assert states(world) == {world.first: "overlap", new: "current"}


def test_an_orphan_is_disabled_then_deleted_and_one_in_use_is_told_and_left(wire: Wire, fresh: Worlds) -> None:
    world = fresh()
    lost, _ = world.simulator.create_key(f"{WORKLOAD}#20260311-00000000-1", workspace=PLACE)
    used, _ = world.simulator.create_key(f"{WORKLOAD}#20260311-00000000-2", workspace=PLACE)
    world.simulator.spend(used.hash, 0.01)
    rotated(world)
    for _ in range(4):
        world.later(hours=1)
        assert invoke(wire, world.tick()) == Ended.DONE
    assert lost.hash not in world.own_keys()
    assert not world.own_keys()[used.hash].disabled
    assert {"Orphan Removed", "Key Drifted"} <= set(world.kinds())


def test_a_rotation_whose_last_words_were_lost_is_completed_by_the_run(
    wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    before = up_to(fresh, "finishSecret")
    names = wire.calls_of(fresh(before).step("finishSecret"))
    for at in range(len(names)):
        with case(counted, names[at]):
            world = fresh(before)
            invoke(wire, world.step("finishSecret"), Accident(at, Fault.KILLED_AFTER, names[at]))
            current = world.secret().get("hash")
            world.later(hours=2)
            ticks(world)
            lineage = world.lineage()
            assert lineage.current
            assert lineage.current.hash in (current, world.first)
            if current:
                assert lineage.rotation is None
                assert world.kinds() == ["Rotation Started", "Key Rotated"]


def test_a_pending_key_deleted_by_hand_is_cleared_away_and_the_next_rotation_works(wire: Wire, fresh: Worlds) -> None:
    world = fresh()
    world.ask()
    invoke(wire, world.step("createSecret"))
    world.simulator.organization.delete_key(world.secret("AWSPENDING")["hash"])
    assert invoke(wire, world.step("testSecret")) == Ended.FAILED
    assert world.kinds()[-1] == "Rotation Failed"
    world.later(hours=2)
    ticks(world)
    assert "AWSPENDING" not in {stage for stages in world.stages().values() for stage in stages}
    new = rotated(world)
    assert world.lineage().current
    assert states(world)[new] == "current"
