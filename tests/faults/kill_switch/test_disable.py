"""Whatever befalls whichever outside call, the workload ends disabled, once, and that is told once and truly."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from governor.events import DetailType
from tests.faults.harness import Accident, Ended, Fault, Wire, accidents, case, deliver, invoke, writes
from tests.faults.kill_switch.world import START, World
from tests.faults.turns import in_turns

TRIGGERS: dict[str, Callable[[World], dict[str, Any]]] = {
    "runaway": lambda world: world.runaway(),
    "exposed": lambda world: world.exposed(),
    "budget": lambda world: world.budget(),
}


def assert_disabled_once(world: World, cause: str) -> None:
    """Promises 1, 2, 4, 9 and 12, on the state of the world."""
    assert world.disabled() == {*world.hashes, world.by_hand}
    row = world.row(cause)
    assert row is not None
    assert (row["status"], set(row["hashes"])) == ("disabled", set(world.hashes))
    assert len(world.recent_disables()) == 1
    told = world.told_of(DetailType.KEY_DISABLED)
    assert len({entry["Detail"]["id"] for entry in told}) == 1
    assert all(entry["Detail"] == told[0]["Detail"] for entry in told), "one id, two stories"
    assert all(entry["disabled"] >= set(world.hashes) for entry in told), "told before it was done"
    states = {key["hash"]: key["state"] for key in told[0]["Detail"]["evidence"]["keys"]}
    assert states == {**dict.fromkeys(world.hashes, "disabled"), world.by_hand: "foreign"}
    assert_no_plaintext(world)


def assert_no_plaintext(world: World) -> None:
    pages = world.ledger()._client.scan(TableName="ledger")["Items"]
    assert "sk-or-v1" not in repr((pages, world.told))


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name.lower())
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_any_call_may_fail_and_the_retries_and_a_late_copy_converge(
    trigger: str, fault: Fault, wire: Wire, fresh: Callable[[], World], counted: list[str]
) -> None:
    world = fresh()
    for accident in accidents(wire.calls_of(world.run(TRIGGERS[trigger](world))), (fault,)):
        with case(counted, accident):
            world = fresh()
            event = TRIGGERS[trigger](world)
            assert deliver(wire, world.run(event), accident, after=world.a_minute_later) == Ended.DONE
            assert_disabled_once(world, trigger)
            world.later(hours=1)
            assert invoke(wire, world.run(event)) == Ended.DONE
            assert_disabled_once(world, trigger)
            assert world.told_of(DetailType.DISABLE_WITHHELD) == []


PAIRS = (
    (Fault.KILLED_AFTER, Fault.KILLED_AFTER),
    (Fault.KILLED_BEFORE, Fault.FAILED_AFTER),
    (Fault.FAILED_AFTER, Fault.KILLED_AFTER),
    (Fault.TIMED_OUT_AFTER, Fault.THROTTLED),
)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: "-then-".join(fault.name.lower() for fault in pair))
def test_a_runaway_survives_two_accidents_in_a_row(
    pair: tuple[Fault, Fault], wire: Wire, fresh: Callable[[], World], counted: list[str]
) -> None:
    world = fresh()
    calls = wire.calls_of(world.run(world.runaway()))
    for first, second in product(writes(calls), range(len(calls))):
        one, two = (
            Accident(at, fault, calls[at], lasting=not fault.kills)
            for at, fault in zip((first, second), pair, strict=True)
        )
        with case(counted, f"{one}; then {two}"):
            world = fresh()
            event = world.runaway()
            invoke(wire, world.run(event), one)
            invoke(wire, world.run(event), two)
            assert invoke(wire, world.run(event)) == Ended.DONE
            assert_disabled_once(world, "runaway")


def test_a_redelivery_that_comes_too_late_finishes_what_was_begun_and_begins_nothing(
    wire: Wire, fresh: Callable[[], World], counted: list[str]
) -> None:
    world = fresh()
    for accident in accidents(wire.calls_of(world.run(world.runaway())), (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)):
        with case(counted, accident):
            world = fresh()
            event = world.runaway()
            invoke(wire, world.run(event), accident)
            begun = world.row("runaway") is not None
            world.later(minutes=20)
            assert invoke(wire, world.run(event)) == Ended.DONE
            if begun:
                assert_disabled_once(world, "runaway")
            else:
                assert world.disabled() == {world.by_hand}
                assert [entry["Detail"]["evidence"]["rule"] for entry in world.told] == ["stale"]


def test_a_dead_lettered_runaway_is_finished_by_the_next_event_of_the_incident(
    wire: Wire, fresh: Callable[[], World], counted: list[str]
) -> None:
    world = fresh()
    for accident in accidents(wire.calls_of(world.run(world.runaway())), (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)):
        with case(counted, accident):
            world = fresh()
            for _ in range(3):
                invoke(wire, world.run(world.runaway()), accident)
            assert invoke(wire, world.run(world.runaway("runaway-2"))) == Ended.DONE
            assert world.disabled() == {*world.hashes, world.by_hand}
            assert len(world.recent_disables()) == 1


BESIDE: dict[str, Callable[[World], dict[str, Any]]] = {
    "a copy of itself": lambda world: world.runaway(),
    "another event of the incident": lambda world: world.runaway("runaway-2"),
    "a leak": lambda world: world.exposed(),
}


@pytest.mark.parametrize("beside", BESIDE)
def test_what_happens_whole_between_any_two_calls_changes_nothing_about_the_end(
    beside: str, wire: Wire, fresh: Callable[[], World], counted: list[str]
) -> None:
    world = fresh()
    for at, name in enumerate(wire.calls_of(world.run(world.runaway()))):
        with case(counted, f"{beside} before call {at} ({name})"):
            world = fresh()
            event = world.runaway()
            with wire.beside(world.run(BESIDE[beside](world)), at):
                assert invoke(wire, world.run(event)) == Ended.DONE
            assert world.disabled() == {*world.hashes, world.by_hand}
            assert len(world.recent_disables()) == 1
            told = world.told_of(DetailType.KEY_DISABLED)
            assert told
            assert all(entry["disabled"] >= set(world.hashes) for entry in told)
            assert len({entry["Detail"]["id"] for entry in told}) == len(
                {entry["Detail"]["evidence"]["cause"] for entry in told}
            )


@pytest.mark.parametrize("seed", range(40))
def test_three_copies_in_parallel_do_the_work_once(
    seed: int, wire: Wire, fresh: Callable[[], World], counted: list[str]
) -> None:
    with case(counted, f"interleaving {seed}"):
        world = fresh()
        event = world.runaway()
        assert in_turns(wire, [world.run(event)] * 3, seed) == [Ended.DONE] * 3
        assert_disabled_once(world, "runaway")


def test_an_event_that_is_late_from_the_start_is_withheld(
    wire: Wire, fresh: Callable[[], World], counted: list[str]
) -> None:
    world = fresh()
    event = world.runaway()
    world.now = START.replace(minute=16)
    with case(counted, "sixteen minutes late"):
        assert invoke(wire, world.run(event)) == Ended.DONE
        assert world.disabled() == {world.by_hand}
        assert world.told_of(DetailType.KEY_DISABLED) == []


def test_a_stale_list_does_not_make_a_disabled_key_live_again(
    wire: Wire, fresh: Callable[[], World], counted: list[str]
) -> None:
    with case(counted, "stale list"):
        world = fresh()
        world.simulator.fault("/keys", "stale_list", times=1)
        assert invoke(wire, world.run(world.runaway())) == Ended.DONE
        assert_disabled_once(world, "runaway")


def test_killed_beside_a_copy_the_survivor_finishes(wire: Wire, fresh: Callable[[], World], counted: list[str]) -> None:
    world = fresh()
    calls = wire.calls_of(world.run(world.runaway()))
    for at, killed in product(range(len(calls)), writes(calls)):
        if killed >= at:
            with case(counted, f"a copy before call {at}, killed after call {killed}"):
                world = fresh()
                event = world.runaway()
                with wire.beside(world.run(event), at):
                    invoke(wire, world.run(event), Accident(killed, Fault.KILLED_AFTER))
                assert invoke(wire, world.run(event)) == Ended.DONE
                assert_disabled_once(world, "runaway")
