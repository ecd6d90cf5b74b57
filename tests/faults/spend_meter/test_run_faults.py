"""Every outside call of a run goes wrong in every way; the runs after it put all right again.

The run under test confirms a runaway and tells of a budget, so that it has most to lose. The run before has learned
from analytics; what is read every fifth minute is read in it.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from spend_meter import handler
from tests.faults.clients import client
from tests.faults.harness import Ended, Fault, Wire, accidents, case, invoke
from tests.faults.spend_meter.world import OBJECT, Snapshot, World, living


@pytest.fixture
def world(wire: Wire) -> Iterator[World]:
    with living(wire) as world:
        yield world


@pytest.fixture
def eve(world: World) -> Snapshot:
    """The world a run before the runaway is confirmed, with the bystander two cents short of half its limit."""
    assert invoke(world.wire, world.run()) == Ended.DONE
    for _ in range(3):
        world.tick(burn=False)
        world.spend(world.search, 0.001)
        assert invoke(world.wire, world.run()) == Ended.DONE
    world.spend(world.bystander, 0.40)
    world.tick()
    assert invoke(world.wire, world.run()) == Ended.DONE
    assert world.told == []
    return world.snapshot()


def go_on(world: World, minutes: int = 5) -> None:
    for _ in range(minutes):
        world.tick()
        assert invoke(world.wire, world.run()) == Ended.DONE


def undisturbed(world: World, eve: Snapshot) -> set[tuple[object, ...]]:
    eve.restore(world)
    go_on(world, 6)
    facts = world.facts()
    assert {kind for kind, *_ in facts} >= {"Runaway Confirmed", "Budget Threshold Reached"}
    return set(facts)


def assert_promises(world: World, expected: set[tuple[object, ...]]) -> None:
    """All was told, each fact under one id; all spend was metered, none twice; and the outbox is empty."""
    facts = {fact: ids for fact, ids in world.facts().items() if fact[0] not in ("Runaway Suspected",)}
    assert facts.keys() == {fact for fact in expected if fact[0] != "Runaway Suspected"}
    assert {fact: ids for fact, ids in facts.items() if len(ids) > 1} == {}
    assert world.state().outbox == ()
    for hash in (world.search, world.bystander):
        subject = "prod-search-agent" if hash == world.search else hash
        truth = sum(
            tally.usage
            for _, traffic, tally in world.simulator.organization.analytics.between(
                world.now.timestamp() - 3600, world.now.timestamp() + 60, minutes=True
            )
            if traffic.key_hash == hash
        )
        assert world.metered(subject) == pytest.approx(truth, abs=1e-4)
    assert b"sk-or-v1" not in world.stored()


def test_any_call_of_a_run_may_fail_in_any_way(world: World, eve: Snapshot, counted: list[str]) -> None:
    expected = undisturbed(world, eve)
    eve.restore(world)
    world.tick()
    calls = world.wire.calls_of(world.run())

    for accident in accidents(calls):
        with case(counted, accident):
            eve.restore(world)
            world.tick()
            invoke(world.wire, world.run(), accident)
            go_on(world)
            assert_promises(world, expected)


def test_any_call_of_a_run_may_be_the_last_of_its_container(world: World, eve: Snapshot, counted: list[str]) -> None:
    expected = undisturbed(world, eve)
    eve.restore(world)
    world.tick()
    calls = world.wire.calls_of(world.run())

    for accident in accidents(calls, [Fault.KILLED_BEFORE, Fault.KILLED_AFTER]):
        with case(counted, f"{accident}, the same run again in a new container"):
            eve.restore(world)
            world.tick()
            event = world.run()
            assert invoke(world.wire, event, accident) == Ended.KILLED
            handler.build.cache_clear()
            assert invoke(world.wire, event) == Ended.DONE
            go_on(world)
            assert_promises(world, expected)


def test_two_sweeps_of_one_minute_may_run_into_each_other_at_any_call(
    world: World, eve: Snapshot, counted: list[str]
) -> None:
    expected = undisturbed(world, eve)
    eve.restore(world)
    world.tick()
    calls = world.wire.calls_of(world.run())

    for at, name in enumerate(calls):
        with case(counted, f"another sweep before call {at} ({name})"):
            eve.restore(world)
            world.tick()
            with world.wire.beside(world.run(), at):
                assert invoke(world.wire, world.run()) == Ended.DONE
            go_on(world)
            assert_promises(world, expected)


def test_the_next_minutes_sweep_may_overtake_this_one_at_any_call(
    world: World, eve: Snapshot, counted: list[str]
) -> None:
    expected = undisturbed(world, eve)
    eve.restore(world)
    world.tick()
    calls = world.wire.calls_of(world.run())

    for at, name in enumerate(calls):
        with case(counted, f"the next minute's sweep before call {at} ({name})"):
            eve.restore(world)
            world.tick()
            late = world.run()
            world.tick()
            with world.wire.beside(world.run(), at):
                assert invoke(world.wire, late) == Ended.DONE
            go_on(world, 4)
            assert_promises(world, expected)


def test_runs_delivered_twice_late_and_out_of_order_change_nothing(
    world: World, eve: Snapshot, counted: list[str]
) -> None:
    expected = undisturbed(world, eve)
    eve.restore(world)
    ticks = []
    for _ in range(6):
        world.tick()
        ticks.append(world.run())
        assert invoke(world.wire, ticks[-1]) == Ended.DONE
    stored = world.stored()

    for number, tick in enumerate([*ticks, *reversed(ticks)]):
        with case(counted, f"run {number} again"):
            assert invoke(world.wire, tick) == Ended.DONE
            assert world.stored() == stored
    assert_promises(world, expected)


def test_any_call_of_a_run_that_asks_what_a_suspicion_is_made_of_may_fail_in_any_way(
    world: World, eve: Snapshot, counted: list[str]
) -> None:
    """The suspicion is told once, under one id, whether analytics answers or not, and the spend is metered."""
    eve.restore(world)
    stolen = world.simulator.create_key("who-made-this")[0].hash
    for _ in range(2):
        _steal(world, stolen)
        assert invoke(world.wire, world.run()) == Ended.DONE
    assert not any(subject == stolen for _, subject, *_ in world.facts())
    before = world.snapshot()
    _steal(world, stolen)
    calls = world.wire.calls_of(world.run())
    assert sum("analytics" in call for call in calls) == 2

    for accident in accidents(calls):
        with case(counted, f"{accident}, of a suspicion"):
            before.restore(world)
            _steal(world, stolen)
            event = world.run()
            invoke(world.wire, event, accident)
            handler.build.cache_clear()
            invoke(world.wire, event)
            for _ in range(2):
                _steal(world, stolen)
                assert invoke(world.wire, world.run()) == Ended.DONE
            told = {fact: ids for fact, ids in world.facts().items() if fact[1] == stolen}
            assert [(kind, len(ids)) for (kind, *_), ids in told.items()] == [("Runaway Suspected", 1)]
            assert world.state().outbox == ()
            assert world.metered(stolen) == pytest.approx(5 * 14.0, abs=1e-4)


def _steal(world: World, stolen: str) -> None:
    """A minute passes in which a new key spends $14, and the workload next to nothing."""
    world.tick(burn=False)
    world.spend(stolen, 14.0)


@pytest.mark.parametrize("back", [5, 60])
def test_a_clock_that_goes_back_loses_no_spend_whatever_else_happens(
    world: World, eve: Snapshot, counted: list[str], back: int
) -> None:
    """The run that finds it out may die anywhere, be repeated and run beside another: all is told and metered once."""
    expected = undisturbed(world, eve)
    eve.restore(world)
    world.tick()
    world.now -= timedelta(minutes=back)
    calls = world.wire.calls_of(world.run())

    for accident in accidents(calls, [Fault.FAILED_AFTER, Fault.KILLED_BEFORE, Fault.KILLED_AFTER]):
        with case(counted, f"{accident}, with a clock {back} minutes back"):
            eve.restore(world)
            before = world.metered("prod-search-agent")
            world.tick()
            world.now -= timedelta(minutes=back)
            event = world.run()
            invoke(world.wire, event, accident)
            handler.build.cache_clear()
            invoke(world.wire, event)
            go_on(world)

            assert world.metered("prod-search-agent") == pytest.approx(before + 6 * 500 / 60, abs=1e-4)
            facts = world.facts()
            told = {fact: ids for fact, ids in facts.items() if fact[0] == "Monitor Blind"}
            assert [len(ids) for ids in told.values()] == [1]
            assert {fact for fact in expected if fact[0] == "Runaway Confirmed"} <= set(facts)
            assert world.state().outbox == ()


def test_an_outage_of_ten_minutes_is_told_and_loses_no_spend(world: World, eve: Snapshot, counted: list[str]) -> None:
    eve.restore(world)
    with case(counted, "OpenRouter is down for ten minutes"):
        fault = world.simulator.fault("/keys", "503", times=None)
        for _ in range(10):
            world.tick()
            assert invoke(world.wire, world.run()) == Ended.FAILED
        world.simulator.faults.clear()
        assert fault
        go_on(world)

        told = {fact[0] for fact in world.facts()}
        assert {"Monitor Blind", "Monitor Recovered", "Runaway Confirmed"} <= told
        assert all(len(ids) == 1 for ids in world.facts().values())
        assert world.metered("prod-search-agent") == pytest.approx(16 * 500 / 60 + 0.003, abs=1e-3)


def test_setting_an_unreadable_reading_aside_may_fail_anywhere_and_is_told_once(
    world: World, eve: Snapshot, counted: list[str]
) -> None:
    broken = eve.stored[:-1]
    eve.restore(world)
    client("s3").put_object(**OBJECT, Body=broken)
    calls = world.wire.calls_of(world.run())

    for accident in accidents(calls, [Fault.KILLED_BEFORE, Fault.KILLED_AFTER]):
        with case(counted, f"{accident}, with an unreadable reading"):
            eve.restore(world)
            client("s3").put_object(**OBJECT, Body=broken)
            world.tick(burn=False)
            assert invoke(world.wire, world.run(), accident) == Ended.KILLED
            handler.build.cache_clear()
            for _ in range(3):
                world.tick(burn=False)
                assert invoke(world.wire, world.run()) == Ended.DONE
            told = {one["Detail"]["id"] for one in world.told if one["DetailType"] == "Monitor Blind"}
            assert len(told) == 1
            assert world.state().outbox == ()
            names = [one["Key"] for one in client("s3").list_objects_v2(Bucket=OBJECT["Bucket"])["Contents"]]
            (aside,) = [name for name in names if "unreadable" in name]
            assert client("s3").get_object(Bucket=OBJECT["Bucket"], Key=aside)["Body"].read() == broken
            client("s3").delete_object(Bucket=OBJECT["Bucket"], Key=aside)
