"""Whatever befalls a drill, it is never left half done, never overlaps another, and undoes nothing a person did."""

from collections.abc import Iterator
from functools import partial

import pytest

from tests.faults.byok_failover.drilling import (
    assert_whole,
    called,
    chosen,
    drill,
    held,
    policy,
    rest,
    results,
    settled,
    tick,
)
from tests.faults.byok_failover.opening import Worlds, worlds
from tests.faults.harness import Accident, Ended, Fault, Wire, case, deliver, invoke
from tests.faults.key_rotation.world import World
from tests.faults.stage import Photo
from tests.faults.turns import in_turns


@pytest.fixture
def fresh(wire: Wire) -> Iterator[Worlds]:
    with worlds(wire, policy()) as make:
        yield make


@pytest.fixture
def before(fresh: Worlds) -> Photo:
    return settled(fresh)


def never_both(world: World) -> list[list[str]]:
    """Notes after every write who is held; more than one at a time is an overlap."""
    seen: list[list[str]] = []

    def note() -> None:
        seen.append(held(world))

    world.simulator.on_write = note
    return seen


def test_an_undisturbed_drill_passes(wire: Wire, fresh: Worlds, before: Photo) -> None:
    world = fresh(before)
    assert invoke(wire, drill(world)) == Ended.DONE
    assert results(world) == [("Drill Passed", "passed")]
    assert_whole(world)


def test_any_call_of_a_drill_may_fail_and_the_runs_after_it_leave_nothing_half_done(
    wire: Wire, fresh: Worlds, before: Photo, counted: list[str]
) -> None:
    for accident in chosen(wire.calls_of(drill(fresh(before)))):
        with case(counted, accident):
            world = fresh(before)
            deliver(wire, drill(world), accident, after=partial(world.later, minutes=1))
            rest(world)
            assert len(results(world)) == 1
            assert_whole(world)


def test_a_drill_whose_undoing_fails_too_is_undone_by_the_run_after(
    wire: Wire, fresh: Worlds, before: Photo, counted: list[str]
) -> None:
    calls = wire.calls_of(drill(fresh(before)))
    for at in [at for at, name in enumerate(calls) if "PATCH" in name]:
        world = fresh(before)
        invoke(wire, drill(world), Accident(at, Fault.KILLED_AFTER, calls[at]))
        world.later(minutes=10)
        photo = fresh.photo()
        undoing = wire.calls_of(tick(world))
        for accident in [one for one in chosen(undoing) if one.fault.kills or one.fault is Fault.TIMED_OUT_AFTER]:
            with case(counted, f"{at}, then {accident}"):
                again = fresh(photo)
                invoke(wire, tick(again), accident)
                rest(again)
                assert results(again) == [("Drill Failed", "interrupted")]
                assert_whole(again)


def test_a_second_drill_of_the_provider_at_any_moment_of_the_first_never_overlaps_it(
    wire: Wire, fresh: Worlds, before: Photo, counted: list[str]
) -> None:
    calls = wire.calls_of(drill(fresh(before)))
    for at in range(len(calls)):
        with case(counted, f"before call {at} ({calls[at]})"):
            world = fresh(before)
            seen = never_both(world)
            with wire.beside(drill(world, "request-2"), at):
                deliver(wire, drill(world))
            rest(world)
            assert max(map(len, seen), default=0) <= 1
            told = results(world)
            assert len(told) == 2
            assert any(rule == "passed" for _, rule in told)
            assert_whole(world)


def test_two_drills_and_a_run_interleaved_at_every_call_end_whole(
    wire: Wire, fresh: Worlds, before: Photo, counted: list[str]
) -> None:
    for seed in range(60):
        with case(counted, f"seed {seed}"):
            world = fresh(before)
            seen = never_both(world)
            in_turns(wire, [drill(world), drill(world, "request-2"), tick(world)], seed)
            rest(world)
            assert max(map(len, seen), default=0) <= 1
            assert_whole(world)


def test_the_same_request_delivered_beside_itself_is_one_drill(
    wire: Wire, fresh: Worlds, before: Photo, counted: list[str]
) -> None:
    for seed in range(40):
        with case(counted, f"seed {seed}"):
            world = fresh(before)
            in_turns(wire, [drill(world), drill(world)], seed)
            rest(world)
            assert len(results(world)) == 1
            assert_whole(world)


def test_a_run_at_any_moment_of_a_drill_lets_it_go_on(
    wire: Wire, fresh: Worlds, before: Photo, counted: list[str]
) -> None:
    calls = wire.calls_of(drill(fresh(before)))
    for at in range(len(calls)):
        with case(counted, f"before call {at} ({calls[at]})"):
            world = fresh(before)
            with wire.beside(tick(world), at):
                assert deliver(wire, drill(world)) == Ended.DONE
            rest(world)
            assert [kind for kind, _ in results(world)] == ["Drill Passed"]
            assert_whole(world)


def test_what_a_person_turns_off_during_a_drill_stays_off(
    wire: Wire, fresh: Worlds, before: Photo, counted: list[str]
) -> None:
    """Whatever the moment, but for one: between our last read and the PATCH that follows it, which no API can close."""
    calls = wire.calls_of(drill(fresh(before)))
    blind = [at for at, name in enumerate(calls) if "PATCH" in name]
    assert len(blind) == 2, "one to disable, one to enable"

    for at in sorted({*range(len(calls))} - {*blind}):
        with case(counted, f"before call {at} ({calls[at]})"):
            world = fresh(before)

            def turned_off(world: World = world) -> None:
                called(world, "first").settings |= {"disabled": True, "name": "first, out of order"}

            with wire.beside(turned_off, at):
                invoke(wire, drill(world))
            rest(world)
            first = called(world, "first")
            assert first.settings["disabled"] or at > max(blind)
            assert first.settings["name"] == "first, out of order"
            assert called(world, "by hand").settings["disabled"]
            assert not called(world, "second").settings["disabled"]


def test_what_a_person_turns_on_during_a_drill_stays_on(
    wire: Wire, fresh: Worlds, before: Photo, counted: list[str]
) -> None:
    calls = wire.calls_of(drill(fresh(before)))
    for at in range(len(calls)):
        with case(counted, f"before call {at} ({calls[at]})"):
            world = fresh(before)

            def turned_on(world: World = world) -> None:
                called(world, "first").settings["disabled"] = False

            with wire.beside(turned_on, at):
                invoke(wire, drill(world))
            rest(world)
            assert_whole(world)
