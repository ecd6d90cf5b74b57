"""Every outside call of a woken reading goes wrong in every way, before, after, twice, late, and beside a run.

The reading under test is the second that finds the loop over its line, so that it confirms and has most to lose.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from unittest import mock

import pytest

from governor.broadcast.messages import Tip, digest_of
from spend_meter import handler
from tests.faults.clients import client
from tests.faults.harness import Ended, Fault, Wire, accidents, case, context, invoke
from tests.faults.spend_meter.world import ENVIRONMENT, OBJECT, WORKLOAD, Snapshot, World, living

SECOND = timedelta(seconds=1)
MEMORY = {**OBJECT, "Key": "readings/woken.json"}
WATCH = {**OBJECT, "Key": "watch/lines.json"}
USD = 500 / 3600
"""What the loop spends in a second."""


@pytest.fixture
def world(wire: Wire) -> Iterator[World]:
    with living(wire) as world, mock.patch.dict("os.environ", {"BROADCAST": "true"}):
        handler.build.cache_clear()
        yield world


@pytest.fixture
def eve(world: World) -> tuple[Snapshot, bytes, bytes]:
    """Seconds before the runaway is confirmed: one woken reading has found it over the line."""
    assert "BROADCAST" not in ENVIRONMENT
    assert invoke(world.wire, world.run()) == Ended.DONE
    for _ in range(3):
        world.tick(burn=False)
        world.spend(world.search, 0.001)
        assert invoke(world.wire, world.run()) == Ended.DONE
    world.spend(world.search, 13.0)
    world.now += 20 * SECOND
    assert invoke(world.wire, tip(world)) == Ended.DONE
    assert world.told == []
    burn(world, 3)
    return world.snapshot(), stored(MEMORY), stored(WATCH)


def restore(world: World, eve: tuple[Snapshot, bytes, bytes]) -> None:
    snapshot, memory, watch = eve
    snapshot.restore(world)
    client("s3").put_object(**MEMORY, Body=memory)
    client("s3").put_object(**WATCH, Body=watch)


def stored(where: dict[str, str]) -> bytes:
    content: bytes = client("s3").get_object(**where)["Body"].read()
    return content


def tip(world: World) -> Callable[[], object]:
    event = Tip((digest_of(WORKLOAD),)).event()
    return lambda: handler.lambda_handler(event, context(50.0))


def burn(world: World, seconds: int) -> None:
    world.now += seconds * SECOND
    world.spend(world.search, seconds * USD)


def go_on(world: World, minutes: int = 4) -> None:
    """Runs, each with a tip twenty seconds after it, while the loop goes on."""
    to_the_minute = 60 - world.now.second
    burn(world, to_the_minute)
    assert invoke(world.wire, world.run()) == Ended.DONE
    for _ in range(minutes):
        burn(world, 20)
        assert invoke(world.wire, tip(world)) == Ended.DONE
        burn(world, 40)
        assert invoke(world.wire, world.run()) == Ended.DONE


def assert_promises(world: World) -> None:
    """The runaway is told once, under one id; all spend is metered, none twice; nothing waits to be published."""
    confirmed = {
        ids for fact, ids in ((f, frozenset(i)) for f, i in world.facts().items()) if fact[0] == "Runaway Confirmed"
    }
    assert [len(ids) for ids in confirmed] == [1]
    assert world.state().outbox == ()
    truth = sum(
        tally.usage
        for _, traffic, tally in world.simulator.organization.analytics.between(
            world.now.timestamp() - 3600, world.now.timestamp() + 60, minutes=True
        )
        if traffic.key_hash == world.search
    )
    assert world.metered(WORKLOAD) == pytest.approx(truth, abs=1e-4)
    assert b"sk-or-v1" not in stored(MEMORY) + stored(WATCH)


def test_any_call_of_a_woken_reading_may_fail_in_any_way(
    world: World, eve: tuple[Snapshot, bytes, bytes], counted: list[str]
) -> None:
    calls = world.wire.calls_of(tip(world))
    assert [one["DetailType"] for one in world.told] == ["Runaway Confirmed"]

    for accident in accidents(calls):
        with case(counted, accident):
            restore(world, eve)
            ended = invoke(world.wire, tip(world), accident)
            if ended == Ended.KILLED:
                handler.build.cache_clear()
            go_on(world)
            assert_promises(world)


def test_a_woken_reading_that_failed_is_made_again_by_the_next_tip_or_the_next_run(
    world: World, eve: tuple[Snapshot, bytes, bytes], counted: list[str]
) -> None:
    calls = world.wire.calls_of(tip(world))

    for accident in accidents(calls, [Fault.FAILED_BEFORE, Fault.KILLED_BEFORE, Fault.KILLED_AFTER]):
        for by in ("tip", "run"):
            with case(counted, f"{accident}, then a {by}"):
                restore(world, eve)
                invoke(world.wire, tip(world), accident)
                handler.build.cache_clear()
                burn(world, 3 if by == "tip" else 60 - world.now.second)
                assert invoke(world.wire, tip(world) if by == "tip" else world.run()) == Ended.DONE
                assert "Runaway Confirmed" in {one["DetailType"] for one in world.told} or by == "tip"
                go_on(world)
                assert_promises(world)


def test_a_run_may_run_into_a_woken_reading_at_any_call_and_a_woken_reading_into_a_run(
    world: World, eve: tuple[Snapshot, bytes, bytes], counted: list[str]
) -> None:
    def next_tick() -> Callable[[], object]:
        burn(world, 60 - world.now.second)
        return world.run()

    calls = world.wire.calls_of(tip(world))
    restore(world, eve)
    of_tick = world.wire.calls_of(next_tick())

    for at, name in enumerate(calls):
        with case(counted, f"a run before call {at} ({name}) of a woken reading"):
            restore(world, eve)
            tick = next_tick()
            with world.wire.beside(tick, at):
                assert invoke(world.wire, tip(world)) == Ended.DONE
            go_on(world)
            assert_promises(world)
    for at, name in enumerate(of_tick):
        with case(counted, f"a woken reading before call {at} ({name}) of a run"):
            restore(world, eve)
            tick = next_tick()
            with world.wire.beside(tip(world), at):
                assert invoke(world.wire, tick) == Ended.DONE
            go_on(world)
            assert_promises(world)


def test_two_woken_readings_may_run_into_each_other_at_any_call(
    world: World, eve: tuple[Snapshot, bytes, bytes], counted: list[str]
) -> None:
    calls = world.wire.calls_of(tip(world))

    for at, name in enumerate(calls):
        with case(counted, f"another woken reading before call {at} ({name})"):
            restore(world, eve)
            with world.wire.beside(tip(world), at):
                assert invoke(world.wire, tip(world)) == Ended.DONE
            go_on(world)
            assert_promises(world)


def test_tips_delivered_late_twice_and_for_nobody_change_no_stored_reading(
    world: World, eve: tuple[Snapshot, bytes, bytes], counted: list[str]
) -> None:
    restore(world, eve)
    before = world.stored()
    for number in range(30):
        with case(counted, f"tip {number} again"):
            assert invoke(world.wire, tip(world)) == Ended.DONE
            assert world.stored() == before
    stranger = Tip((digest_of("made-up"), "x" * 16, "")).event()
    told = len(world.told)
    for number in range(10):
        with case(counted, f"tip {number} for nobody"):
            assert invoke(world.wire, lambda: handler.lambda_handler(stranger, context(50.0))) == Ended.DONE
            assert world.stored() == before
            assert len(world.told) == told
    go_on(world)
    assert_promises(world)
