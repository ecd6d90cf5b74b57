"""A second rotation arrives in the middle of the first: cancelled and asked anew, its invocations late or beside."""

import pytest

from tests.faults.clients import client
from tests.faults.harness import Accident, Fault, Wire, case, invoke
from tests.faults.key_rotation import promises
from tests.faults.key_rotation.driving import rotate, states, ticks, up_to
from tests.faults.key_rotation.opening import Worlds
from tests.faults.key_rotation.world import SECRET, STEPS, World
from tests.faults.stage import Photo
from tests.faults.turns import in_turns


def cancelled(world: World) -> str:
    """Somebody cancels the rotation, takes AWSPENDING off as AWS's guide says, and rotates anew. The first token."""
    first = world.token
    world.wire.begin()
    client("secretsmanager").cancel_rotate_secret(SecretId=SECRET)
    if "AWSPENDING" in world.stages().get(first, []) and "AWSCURRENT" not in world.stages()[first]:
        world.wire.begin()
        client("secretsmanager").update_secret_version_stage(
            SecretId=SECRET, VersionStage="AWSPENDING", RemoveFromVersionId=first
        )
    world.ask()
    return first


def in_the_midst(fresh: Worlds, step: str) -> tuple[Photo, str]:
    """The second rotation asked for while the first one's `step` was to come; and the first one's token."""
    world = fresh(up_to(fresh, step))
    first = cancelled(world)
    return fresh.photo(), first


def assert_the_second_won(world: World) -> None:
    """One current key, from the second token; whatever the first made goes, and the caps hold all the while."""
    assert "AWSCURRENT" in world.stages()[world.token]
    lineage = world.lineage()
    assert lineage.current
    assert lineage.current.hash == world.secret()["hash"]
    promises.the_new_key_may_do_what_the_old_one_may(world, world.first, lineage.current.hash)
    world.later(hours=2)
    ticks(world)
    for _ in range(3):
        world.later(hours=27)
        ticks(world)
    world.later(days=8)
    ticks(world)
    current = world.secret()["hash"]
    assert set(world.own_keys()) == {current}, "what the first rotation made is still there"
    assert [hash for hash, state in states(world).items() if state == "current"] == [current]
    assert world.lineage().rotation is None
    promises.nothing_is_said_that_is_secret(world)


@pytest.mark.parametrize("step", STEPS)
def test_a_cancelled_rotation_gives_way_and_its_late_invocations_touch_nothing(
    step: str, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    before, first = in_the_midst(fresh, step)
    for late in STEPS:
        for stands in range(len(STEPS) + 1):
            with case(
                counted, f"cancelled before {step}; {late} of the first comes after {stands} steps of the second"
            ):
                world = fresh(before)
                for done in STEPS[:stands]:
                    invoke(wire, world.step(done))
                invoke(wire, world.step(late, first))
                promises.the_secret_works(world)
                promises.the_cap_holds(world)
                assert rotate(world)
                assert_the_second_won(world)


@pytest.mark.parametrize("step", STEPS)
def test_both_rotations_steps_beside_each_other(step: str, wire: Wire, fresh: Worlds, counted: list[str]) -> None:
    before, first = in_the_midst(fresh, step)
    for other in STEPS:
        for seed in range(16):
            with case(counted, f"{step} of the first beside {other} of the second, seed {seed}"):
                world = fresh(before)
                for done in STEPS[: STEPS.index(other)]:
                    invoke(wire, world.step(done))
                in_turns(wire, [world.step(step, first), world.step(other)], seed)
                promises.the_secret_works(world)
                promises.the_cap_holds(world)
                assert rotate(world)
                assert_the_second_won(world)


@pytest.mark.parametrize("step", STEPS)
def test_the_second_rotation_meets_accidents_too(step: str, wire: Wire, fresh: Worlds, counted: list[str]) -> None:
    before, _ = in_the_midst(fresh, step)
    for own in STEPS:
        world = fresh(before)
        for done in STEPS[: STEPS.index(own)]:
            invoke(wire, world.step(done))
        stands = fresh.photo()
        names = wire.calls_of(fresh(stands).step(own))
        for at, name in enumerate(names):
            accident = Accident(at, Fault.KILLED_AFTER, name)
            with case(counted, f"cancelled before {step}, {own} of the second: {accident}"):
                world = fresh(stands)
                assert rotate(world, {(0, own): accident}, start=own)
                assert_the_second_won(world)


def test_a_key_that_rests_gets_more_only_once_the_current_one_has_less(
    wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    """A rotation in the overlap of another: the new split gives the resting key more than the run had left it."""
    world = fresh()
    world.ask()
    assert rotate(world)
    world.later(hours=2)
    ticks(world)
    world.ask()
    stands = fresh.photo()
    names = wire.calls_of(fresh(stands).step("createSecret"))
    for at, name in enumerate(names):
        for fault in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER):
            accident = Accident(at, fault, name)
            with case(counted, f"createSecret in an overlap: {accident}"):
                world = fresh(stands)
                invoke(wire, world.step("createSecret"), accident)
                promises.the_cap_holds(world)
                assert rotate(world)
