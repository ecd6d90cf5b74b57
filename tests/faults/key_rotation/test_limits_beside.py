"""Limits that one run sets while another makes a key: a PATCH that comes late never hands out more than the cap."""

from collections.abc import Callable

import pytest

from tests.faults.harness import Wire, case, invoke
from tests.faults.key_rotation import promises
from tests.faults.key_rotation.driving import rotate, rotated, ticks
from tests.faults.key_rotation.opening import Worlds
from tests.faults.key_rotation.world import STEPS, World

type Run = Callable[[World], Callable[[], object]]


def rests(world: World) -> None:
    """The old key has been quiet since the rotation: the next run gives the current key most of its share."""
    world.simulator.spend(world.first, 40.0)
    rotated(world)
    world.later(minutes=70)


def retires(world: World) -> None:
    """The overlap is over: the next run disables the old key and gives the current one the rest."""
    rests(world)
    ticks(world, 1)
    world.later(hours=25)


def alone_again(world: World) -> None:
    """A new month after the old key was deleted: the next run gives the current key the whole cap."""
    retires(world)
    ticks(world, 2)
    world.later(days=8)
    ticks(world, 2)
    world.later(days=20)
    world.now = world.now.replace(minute=0)


def back_to_the_former(world: World) -> None:
    """The old key is in quarantine, its limit what it has spent: a rollback gives it a share of the cap again."""
    retires(world)
    ticks(world, 2)
    world.later(hours=1)


RUNS: dict[str, tuple[Callable[[World], None], Run]] = {
    "the current key gets what a resting one needs no more": (rests, World.tick),
    "the current key gets what a retired one needs no more": (retires, World.tick),
    "the current key alone gets the whole cap": (alone_again, World.tick),
    "a former key gets a share again": (back_to_the_former, World.roll_back),
}


def beside(world: World, wire: Wire, happening: Callable[[], object], at: int, run: Callable[[], object]) -> None:
    """`run`, with `happening` whole before its call number `at`. The cap is looked at before every call of both."""

    def look(number: int, _: str) -> None:
        promises.the_cap_holds(world)
        if number == at and wire.before is not watch:
            calls = wire.calls
            wire.before = watch
            wire.calls = []
            happening()
            wire.calls = calls

    def watch(_number: int, _name: str) -> None:
        promises.the_cap_holds(world)

    wire.before = look
    try:
        invoke(wire, run)
    finally:
        wire.before = None
    promises.the_cap_holds(world)


@pytest.mark.parametrize("name", RUNS)
def test_a_key_made_beside_a_run_that_moves_limits_leaves_the_cap_whole(
    name: str, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    """Red before: $130 of $100, once the raise went out after the new key had been given its share."""
    prepare, run = RUNS[name]
    world = fresh()
    prepare(world)
    world.ask()
    before = fresh.photo()
    for at, call in enumerate(wire.calls_of(run(fresh(before)))):
        with case(counted, f"{name}: a whole createSecret before call {at} ({call})"):
            world = fresh(before)

            def create(world: World = world) -> None:
                invoke(wire, world.step(STEPS[0]))
                promises.the_cap_holds(world)

            beside(world, wire, create, at, run(world))
            world.later(minutes=5)
            assert rotate(world)
            promises.the_cap_holds(world)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_that_moves_limits_beside_a_key_that_is_made_leaves_the_cap_whole(
    name: str, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    """Red before: between the lower limit of the old key and the POST of the new one, a run gave the old one all."""
    prepare, run = RUNS[name]
    world = fresh()
    prepare(world)
    world.ask()
    before = fresh.photo()
    for at, call in enumerate(wire.calls_of(fresh(before).step(STEPS[0]))):
        with case(counted, f"{name}: a whole run before call {at} ({call}) of createSecret"):
            world = fresh(before)

            def move(world: World = world) -> None:
                invoke(wire, run(world))
                promises.the_cap_holds(world)

            beside(world, wire, move, at, world.step(STEPS[0]))
            world.later(minutes=5)
            assert rotate(world)
            promises.the_cap_holds(world)
