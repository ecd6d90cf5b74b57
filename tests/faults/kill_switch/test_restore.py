"""Whatever befalls a restore, keys come back whole or stay disabled, and it is told only when a read has shown it."""

from collections.abc import Callable, Iterator
from itertools import product

import pytest

from governor.events import DetailType
from tests.faults.harness import Accident, Ended, Fault, Wire, accidents, case, deliver, invoke, writes
from tests.faults.kill_switch.world import WORKLOAD, World, worlds
from tests.faults.turns import in_turns


@pytest.fixture
def fresh(wire: Wire) -> Iterator[Callable[[], World]]:
    """Worlds in which a runaway was disabled half an hour ago; a restore starts in a new container."""
    with worlds(wire) as make:

        def disabled() -> World:
            world = make()
            assert invoke(wire, world.run(world.runaway())) == Ended.DONE
            world.later(minutes=30)
            world.told.clear()
            return world

        yield disabled


def assert_restored_once(world: World) -> None:
    assert world.disabled() == {world.by_hand}
    row = world.row("runaway")
    assert row is not None
    assert row["status"] == "lifted"
    assert world.ledger().get("detector", WORKLOAD) is not None
    told = world.told_of(DetailType.KEY_RESTORED)
    assert len({entry["Detail"]["id"] for entry in told}) == 1
    assert all(entry["disabled"] == {world.by_hand} for entry in told), "told before it was done"


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name.lower())
def test_any_call_may_fail_and_the_retries_and_a_late_copy_converge(
    fault: Fault, wire: Wire, fresh: Callable[[], World], counted: list[str]
) -> None:
    world = fresh()
    for accident in accidents(wire.calls_of(world.run(world.restore())), (fault,)):
        with case(counted, accident):
            world = fresh()
            event = world.restore()
            assert deliver(wire, world.run(event), accident, after=world.a_minute_later) == Ended.DONE
            assert_restored_once(world)
            world.later(hours=1)
            assert invoke(wire, world.run(event)) == Ended.DONE
            assert_restored_once(world)
            assert world.told_of(DetailType.RESTORE_REFUSED) == []


def test_a_restore_survives_two_deaths_in_a_row(wire: Wire, fresh: Callable[[], World], counted: list[str]) -> None:
    world = fresh()
    calls = wire.calls_of(world.run(world.restore()))
    for first, second in product(writes(calls), range(len(calls))):
        with case(counted, f"killed after call {first} and after call {second}"):
            world = fresh()
            event = world.restore()
            invoke(wire, world.run(event), Accident(first, Fault.KILLED_AFTER))
            invoke(wire, world.run(event), Accident(second, Fault.KILLED_AFTER))
            assert invoke(wire, world.run(event)) == Ended.DONE
            assert_restored_once(world)


@pytest.mark.parametrize("killed", [False, True])
def test_a_leak_reported_while_keys_are_given_back_leaves_them_disabled(
    killed: bool, wire: Wire, fresh: Callable[[], World], counted: list[str]
) -> None:
    world = fresh()
    calls = wire.calls_of(world.run(world.restore()))
    for at, name in enumerate(calls):
        with case(counted, f"a leak before call {at} ({name}){', and death at once' if killed else ''}"):
            world = fresh()
            world.later(days=1)  # the rate limit of the day is not the point
            event = world.restore()
            death = [Accident(at, Fault.KILLED_AFTER)] if killed else []
            with wire.beside(world.run(world.exposed()), at):
                invoke(wire, world.run(event), *death)
            assert invoke(wire, world.run(event)) == Ended.DONE
            assert world.disabled() == {*world.hashes, world.by_hand}
            row = world.row("exposed")
            assert row is not None
            assert row["status"] == "disabled"
            assert invoke(wire, world.run(world.restore("exposed", "restore-2"))) == Ended.DONE
            assert world.disabled() == {world.by_hand}


@pytest.mark.parametrize("other", ["restore-1", "restore-2"])
def test_a_second_request_between_any_two_calls_gives_the_keys_back_once(
    other: str, wire: Wire, fresh: Callable[[], World], counted: list[str]
) -> None:
    world = fresh()
    for at, name in enumerate(wire.calls_of(world.run(world.restore()))):
        with case(counted, f"{other} before call {at} ({name})"):
            world = fresh()
            with wire.beside(world.run(world.restore(id=other)), at):
                assert invoke(wire, world.run(world.restore())) == Ended.DONE
            assert_restored_once(world)


@pytest.mark.parametrize("seed", range(40))
def test_a_restore_in_parallel_with_a_late_copy_of_its_trigger_gives_the_keys_back(
    seed: int, wire: Wire, fresh: Callable[[], World], counted: list[str]
) -> None:
    with case(counted, f"interleaving {seed}"):
        world = fresh()
        trigger = world.runaway()
        trigger["detail"]["occurred_at"] = "2026-03-11T02:00:00Z"
        runs = [world.run(world.restore()), world.run(world.restore()), world.run(trigger)]
        assert in_turns(wire, runs, seed) == [Ended.DONE] * 3
        assert_restored_once(world)


def test_a_trigger_between_any_two_calls_of_a_restore_is_either_before_it_or_after_it(
    wire: Wire, fresh: Callable[[], World], counted: list[str]
) -> None:
    world = fresh()
    for at, name in enumerate(wire.calls_of(world.run(world.restore()))):
        with case(counted, f"a new runaway before call {at} ({name})"):
            world = fresh()
            world.later(days=1)
            event = world.restore()
            world.later(seconds=2)
            with wire.beside(world.run(world.runaway("runaway-2")), at):
                assert invoke(wire, world.run(event)) == Ended.DONE
            row = world.row("runaway")
            assert row is not None
            assert (row["status"], world.disabled()) in (
                ("lifted", {world.by_hand}),
                ("disabled", {*world.hashes, world.by_hand}),
            )
