"""Whatever befalls whichever outside call of the four steps, the rotation ends with one new key that may do what the
old one may."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults.harness import Accident, Ended, Fault, Wire, accidents, case, invoke, writes
from tests.faults.key_rotation import promises
from tests.faults.key_rotation.stage import worlds
from tests.faults.key_rotation.world import STEPS, World


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def fresh(wire: Wire) -> Iterator[Callable[[], World]]:
    with worlds(wire) as make:
        yield make


def rotate(world: World, wire: Wire, plan: dict[tuple[int, str], Accident] | None = None, attempts: int = 4) -> bool:
    """As Secrets Manager does: the four steps in order, all anew after a failure. `plan`: by attempt and step."""
    for attempt in range(attempts):
        ended = Ended.DONE
        for step in STEPS:
            accident = (plan or {}).get((attempt, step))
            ended = invoke(wire, world.step(step), *([accident] if accident else []))
            promises.the_secret_works(world)
            promises.the_cap_holds(world)
            if ended != Ended.DONE:
                break
        if ended == Ended.DONE:
            return True
        world.later(minutes=5)
    return False


def assert_rotated(world: World) -> None:
    lineage = promises.one_rotation_ended(world)
    assert lineage.current
    promises.the_new_key_may_do_what_the_old_one_may(world, world.first, lineage.current.hash)
    promises.nothing_is_said_that_is_secret(world)
    assert world.kinds() == ["Rotation Started", "Key Rotated"]
    stages = world.stages()
    assert "AWSCURRENT" in stages[world.token]


def test_an_undisturbed_rotation_replaces_the_key_and_widens_nothing(wire: Wire, fresh: Callable[[], World]) -> None:
    world = fresh()
    world.simulator.spend(world.first, 40.0)
    world.ask()
    assert rotate(world, wire, attempts=1)
    assert_rotated(world)
    assert promises.orphans(world) == set()
    current = world.lineage().current
    assert current
    assert {world.own_keys()[hash].limit for hash in (world.first, current.hash)} == {70.0, 30.0}


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name.lower())
@pytest.mark.parametrize("step", STEPS)
def test_any_call_of_any_step_may_fail_and_the_next_attempt_converges(
    step: str, fault: Fault, wire: Wire, fresh: Callable[[], World], counted: list[str]
) -> None:
    world = fresh()
    world.ask()
    for before in STEPS[: STEPS.index(step)]:
        invoke(wire, world.step(before))
    for accident in accidents(wire.calls_of(world.step(step)), (fault,)):
        with case(counted, f"{step}: {accident}"):
            world = fresh()
            world.simulator.spend(world.first, 40.0)
            world.ask()
            assert rotate(world, wire, {(0, step): accident})
            assert_rotated(world)


@pytest.mark.parametrize("step", STEPS)
def test_a_second_accident_in_the_retry_converges_too(
    step: str, wire: Wire, fresh: Callable[[], World], counted: list[str]
) -> None:
    world = fresh()
    world.ask()
    for before in STEPS[: STEPS.index(step)]:
        invoke(wire, world.step(before))
    names = wire.calls_of(world.step(step))
    pairs = [
        (Accident(at, fault, names[at]), Accident(again, Fault.KILLED_AFTER, names[again]))
        for at in writes(names)
        for fault in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER, Fault.TIMED_OUT_AFTER)
        for again in range(len(names))
    ]
    for first, second in pairs:
        with case(counted, f"{step}: {first}, then {second}"):
            world = fresh()
            world.ask()
            assert rotate(world, wire, {(0, step): first, (1, step): second})
            assert_rotated(world)


def test_a_finished_rotation_may_be_asked_for_again_and_again(
    wire: Wire, fresh: Callable[[], World], counted: list[str]
) -> None:
    for again in STEPS:
        with case(counted, again):
            world = fresh()
            world.ask()
            assert rotate(world, wire)
            assert invoke(wire, world.step(again)) == Ended.DONE
            assert_rotated(world)


def test_a_second_rotation_replaces_the_first_ones_key(wire: Wire, fresh: Callable[[], World]) -> None:
    world = fresh()
    world.ask()
    assert rotate(world, wire)
    second = world.secret()["hash"]
    world.later(days=60)
    world.ask()
    assert rotate(world, wire)
    lineage = world.lineage()
    assert lineage.current
    assert {key.hash: key.state for key in lineage.keys} == {
        world.first: "overlap", second: "overlap", lineage.current.hash: "current",
    }  # fmt: skip
    promises.the_cap_holds(world)
