"""Whatever befalls whichever outside call of the four steps, the rotation ends with one new key that may do what the
old one may."""

import pytest

from tests.faults.harness import Ended, Fault, Wire, accidents, case, invoke
from tests.faults.key_rotation import promises
from tests.faults.key_rotation.driving import SPENT, asked, assert_rotated, rotate, rotated, up_to
from tests.faults.key_rotation.opening import Worlds
from tests.faults.key_rotation.world import CAP, STEPS
from tests.faults.turns import in_turns

SEEDS = 150


def test_an_undisturbed_rotation_replaces_the_key_and_widens_nothing(fresh: Worlds) -> None:
    world = asked(fresh)
    assert rotate(world, attempts=1)
    assert_rotated(world)
    assert promises.orphans(world) == set()
    current = world.lineage().current
    assert current
    left = CAP - SPENT
    limits = {world.own_keys()[hash].limit for hash in (world.first, current.hash)}
    assert limits == {SPENT + left / 2, left / 2}


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name.lower())
@pytest.mark.parametrize("step", STEPS)
def test_any_call_of_any_step_may_fail_and_the_next_attempt_converges(
    step: str, fault: Fault, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    before = up_to(fresh, step)
    for accident in accidents(wire.calls_of(fresh(before).step(step)), (fault,)):
        with case(counted, f"{step}: {accident}"):
            world = fresh(before)
            assert rotate(world, {(0, step): accident}, start=step)
            assert_rotated(world)


@pytest.mark.parametrize("step", STEPS)
def test_two_copies_of_a_step_beside_each_other_make_one_rotation(
    step: str, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    """An invocation whose answer was lost goes on while Secrets Manager repeats it."""
    before = up_to(fresh, step)
    for seed in range(SEEDS):
        with case(counted, f"{step}: seed {seed}"):
            world = fresh(before)
            in_turns(wire, [world.step(step), world.step(step)], seed)
            promises.the_secret_works(world)
            promises.the_cap_holds(world)
            assert rotate(world)
            assert_rotated(world)


def test_a_finished_rotation_may_be_asked_for_again_and_again(wire: Wire, fresh: Worlds, counted: list[str]) -> None:
    assert rotate(asked(fresh), attempts=1)
    ended = fresh.photo()
    for again in STEPS:
        with case(counted, again):
            world = fresh(ended)
            assert invoke(wire, world.step(again)) == Ended.DONE
            assert_rotated(world)


def test_a_second_rotation_replaces_the_first_ones_key(fresh: Worlds) -> None:
    world = fresh()
    second = rotated(world)
    world.later(days=60)
    third = rotated(world)
    assert {key.hash: key.state for key in world.lineage().keys} == {
        world.first: "overlap", second: "overlap", third: "current",
    }  # fmt: skip
    promises.the_cap_holds(world)


def test_a_key_that_the_organization_lets_not_live_so_long_is_not_switched_to(fresh: Worlds) -> None:
    """A refused proof is not a bad key: the same one is taken when the setting is mended."""
    world = fresh()
    world.ask()
    world.simulator.organization.max_key_lifetime = 30 * 86_400.0
    for step in ("createSecret", "setSecret"):
        assert invoke(world.wire, world.step(step)) == Ended.DONE
    assert invoke(world.wire, world.step("testSecret")) != Ended.DONE
    assert world.secret()["api_key"] == world.plaintext
    failed = [one["Detail"] for one in world.told if one["DetailType"] == "Rotation Failed"]
    assert [one["evidence"]["rule"] for one in failed] == ["proof_refused"]
    assert "key.expires_in" in failed[0]["reason"]
    pending = world.secret("AWSPENDING")["hash"]
    world.simulator.organization.max_key_lifetime = None
    assert rotate(world)
    assert world.secret()["hash"] == pending
