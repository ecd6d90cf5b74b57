"""Limits held to an allowance while anything fails: the cap holds, no key is left without room, no person is overruled.

OpenRouter is the simulator, whose limits are in force: a request that a limit refuses is refused here.
"""

import copy
from collections.abc import Callable
from unittest import mock

import pytest

from governor.keys.allowance import GRANTED, MOST, Need
from governor.policy import Policy
from tests.faults.allowance.opening import NEED, says
from tests.faults.harness import Ended, Wire, accidents, case, invoke
from tests.faults.key_rotation import promises
from tests.faults.key_rotation.driving import rotate, rotated
from tests.faults.key_rotation.opening import Worlds
from tests.faults.key_rotation.test_limits_beside import alone_again, beside, rests
from tests.faults.key_rotation.world import CAP, POLICY, STEPS, World


def current(world: World) -> str:
    return str(world.secret()["hash"])


def left(world: World, hash: str) -> float:
    """USD that the key's limit leaves."""
    key = world.own_keys()[hash]
    spent = key.meter.spent("monthly", world.now.timestamp(), include_byok=False)
    return float(key.limit - spent)


def goes_on(world: World, ticks: int = 2, need: Need | None = None) -> None:
    """Undisturbed runs, the meter looking: all is well again after them."""
    for _ in range(ticks):
        world.later(minutes=10)
        says(world, need)
        assert invoke(world.wire, world.tick()) == Ended.DONE
        promises.the_secret_works(world)
        promises.the_cap_holds(world)


def alone(world: World) -> None:
    """One key, which Governor made, whose month is young, and whose limit is the cap."""
    alone_again(world)
    goes_on(world, 1, Need(CAP))
    says(world)


def held(world: World) -> None:
    """The same key, whose limit is its allowance."""
    alone(world)
    goes_on(world)
    assert left(world, current(world)) == pytest.approx(GRANTED * NEED)


def used(world: World) -> None:
    """Most of its allowance is spent."""
    held(world)
    world.simulator.spend(current(world), 9.0)
    world.later(minutes=10)
    says(world)


def has_its_cap_again(world: World) -> None:
    """After one more run."""
    assert invoke(world.wire, world.tick()) == Ended.DONE
    assert world.own_keys()[current(world)].limit == CAP
    assert world.lineage().allowance is None


OPENINGS: dict[str, Callable[[World], None]] = {"the first allowance": alone, "a renewal": used}


@pytest.mark.parametrize("name", OPENINGS)
def test_whatever_befalls_a_run_the_next_ones_set_the_allowance_and_nothing_is_told(
    name: str, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    world = fresh()
    OPENINGS[name](world)
    before = fresh.photo()
    for accident in accidents(wire.calls_of(fresh(before).tick())):
        with case(counted, f"{name}: {accident}"):
            world = fresh(before)
            told = len(world.kinds())
            invoke(wire, world.tick(), accident)
            promises.the_cap_holds(world)
            assert left(world, current(world)) > 0
            goes_on(world)
            assert NEED <= left(world, current(world)) <= MOST * NEED
            assert world.kinds()[told:] == []
            assert world.lineage().limits_claim is None


@pytest.mark.parametrize("name", OPENINGS)
def test_taken_out_the_cap_is_the_limit_whatever_befalls_the_run(
    name: str, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    world = fresh()
    OPENINGS[name](world)
    held_before = fresh.photo()
    with mock.patch.object(Policy, "load", return_value=Policy.model_validate(POLICY)):
        for accident in accidents(wire.calls_of(fresh(held_before).tick())):
            with case(counted, f"{name}: {accident}"):
                world = fresh(held_before)
                invoke(wire, world.tick(), accident)
                promises.the_cap_holds(world)
                world.later(minutes=10)
                world.now = world.now.replace(minute=0)
                world.later(hours=1)
                has_its_cap_again(world)


@pytest.mark.parametrize("name", OPENINGS)
def test_the_workload_taken_out_of_the_policy_the_cap_is_the_limit_whatever_befalls_the_run(
    name: str, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    world = fresh()
    OPENINGS[name](world)
    if name == "the first allowance":
        goes_on(world)
    held_before = fresh.photo()
    without = copy.deepcopy(POLICY)
    without["workloads"][0]["name"] = "another-workload"
    with mock.patch.object(Policy, "load", return_value=Policy.model_validate(without)):
        for accident in accidents(wire.calls_of(fresh(held_before).tick())):
            with case(counted, f"{name}: {accident}"):
                world = fresh(held_before)
                invoke(wire, world.tick(), accident)
                promises.the_cap_holds(world)
                world.later(minutes=10)
                has_its_cap_again(world)


RUNS: dict[str, Callable[[World], None]] = {"a held key": used, "two keys in overlap": rests}


@pytest.mark.parametrize("name", RUNS)
def test_a_key_made_beside_a_run_leaves_the_cap_whole_and_has_an_allowance(
    name: str, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    world = fresh()
    RUNS[name](world)
    says(world)
    world.ask()
    before = fresh.photo()
    for at, call in enumerate(wire.calls_of(fresh(before).tick())):
        with case(counted, f"{name}: a whole createSecret before call {at} ({call})"):
            world = fresh(before)

            def create(world: World = world) -> None:
                invoke(wire, world.step(STEPS[0]))
                promises.the_cap_holds(world)

            beside(world, wire, create, at, world.tick())
            world.later(minutes=5)
            assert rotate(world)
            goes_on(world)
            assert 0 < left(world, current(world)) <= MOST * NEED + 0.01


@pytest.mark.parametrize("name", RUNS)
def test_a_run_beside_a_key_that_is_made_leaves_the_cap_whole(
    name: str, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    world = fresh()
    RUNS[name](world)
    says(world)
    world.ask()
    before = fresh.photo()
    for at, call in enumerate(wire.calls_of(fresh(before).step(STEPS[0]))):
        with case(counted, f"{name}: a whole run before call {at} ({call}) of createSecret"):
            world = fresh(before)

            def move(world: World = world) -> None:
                invoke(wire, world.tick())
                promises.the_cap_holds(world)

            beside(world, wire, move, at, world.step(STEPS[0]))
            world.later(minutes=5)
            assert rotate(world)
            goes_on(world)


def test_a_person_who_sets_the_limit_between_any_two_calls_of_a_renewal_is_not_overruled_later(
    wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    """What a PATCH under way overwrites nobody can help; from the next run on the person's figure stands."""
    world = fresh()
    used(world)
    before = fresh.photo()
    calls = wire.calls_of(fresh(before).tick())
    for at, call in enumerate(calls):
        with case(counted, f"a person's PATCH before call {at} ({call})"):
            world = fresh(before)
            hash = current(world)

            def by_hand(world: World = world, hash: str = hash) -> None:
                world.own_keys()[hash].limit = 77.0

            with wire.beside(by_hand, at):
                invoke(wire, world.tick())
            world.own_keys()[hash].limit = 77.0
            goes_on(world, 8)
            assert world.own_keys()[hash].limit == 77.0
            assert "Key Drifted" in world.kinds()


def test_a_dead_meter_and_a_dead_governor_leave_what_was_granted(wire: Wire, fresh: Worlds) -> None:
    """Six hours in which nobody looks: the key spends its need, and no more than the allowance."""
    world = fresh()
    held(world)
    hash = current(world)
    for _ in range(36):
        world.later(minutes=10)
        assert invoke(wire, world.tick()) == Ended.DONE
    assert left(world, hash) == pytest.approx(GRANTED * NEED)
    world.simulator.spend(hash, NEED)
    assert left(world, hash) > 0


def test_a_rollback_gives_the_former_key_room_though_the_meter_is_silent(wire: Wire, fresh: Worlds) -> None:
    world = fresh()
    held(world)
    former = current(world)
    rotated(world)
    goes_on(world)
    world.later(hours=1)
    assert invoke(wire, world.roll_back()) == Ended.DONE
    promises.the_secret_works(world)
    promises.the_cap_holds(world)
    assert current(world) == former
    assert left(world, former) > 0


def test_a_rotation_with_an_allowance_comes_to_rest_with_one_key_in_it(wire: Wire, fresh: Worlds) -> None:
    """From a new key to the deletion of the old one, the meter looking all the time."""
    world = fresh()
    held(world)
    old = current(world)
    new = rotated(world)
    assert left(world, new) == pytest.approx(GRANTED * NEED)
    for _ in range(40):
        world.later(hours=6)
        says(world)
        assert invoke(wire, world.tick()) == Ended.DONE
        promises.the_cap_holds(world)
        promises.the_secret_works(world)
        assert NEED - 0.01 <= left(world, new) <= MOST * NEED
    assert old not in world.own_keys()
