"""A replaced key that is reported as leaked while it is disabled: nothing brings it back, its successor works on."""

import pytest

from tests.faults.harness import Ended, Fault, Wire, accidents, case, deliver, invoke
from tests.faults.key_rotation import promises
from tests.faults.key_rotation.driving import rotated, states, ticks
from tests.faults.key_rotation.opening import Worlds
from tests.faults.key_rotation.world import World


def in_quarantine(world: World) -> str:
    """The old key is disabled, and could still be rolled back to; the new one's hash."""
    world.simulator.spend(world.first, 40.0)
    new = rotated(world)
    ticks(world, 1)
    world.later(hours=25)
    ticks(world, 2)
    assert states(world) == {world.first: "quarantined", new: "current"}
    return new


def assert_kept_out(world: World, new: str) -> None:
    assert not world.works(world.plaintext), "a leaked key works again"
    assert world.secret()["hash"] == new
    promises.the_secret_works(world)
    promises.the_cap_holds(world)


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name.lower())
def test_no_rollback_brings_a_key_back_that_leaked_in_quarantine_whatever_befalls_the_report(
    fault: Fault, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    """Red before: the rollback enabled it, and consumers were given the leaked key."""
    world = fresh()
    new = in_quarantine(world)
    before = fresh.photo()
    for accident in accidents(wire.calls_of(fresh(before).leak("leak-1", world.first)), (fault,)):
        with case(counted, accident):
            world = fresh(before)
            assert deliver(wire, world.leak("leak-1", world.first), accident) == Ended.DONE
            assert invoke(wire, world.roll_back()) == Ended.DONE
            assert world.kinds()[-1] == "Rollback Refused"
            assert world.told[-1]["Detail"]["evidence"]["rule"] == "exposed"
            assert_kept_out(world, new)


def test_a_report_at_any_call_of_a_rollback_leaves_no_leaked_key_that_works(
    wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    world = fresh()
    new = in_quarantine(world)
    before = fresh.photo()
    names = wire.calls_of(fresh(before).roll_back())
    for at, name in enumerate(names):
        with case(counted, f"reported before {name}"):
            world = fresh(before)

            def report(world: World = world) -> None:
                deliver(wire, world.leak("leak-1", world.first))

            with wire.beside(report, at):
                invoke(wire, world.roll_back())
            invoke(wire, world.roll_back())
            world.later(minutes=10)
            invoke(wire, world.tick())
            assert not world.works(world.plaintext), "a leaked key works again"
            assert world.works(world.secret()["api_key"]) or world.causes().standing(), "no key, and nobody says why"
            assert new in world.own_keys()


def test_a_person_who_enables_it_is_told_that_it_leaked_and_it_is_disabled_again(wire: Wire, fresh: Worlds) -> None:
    world = fresh()
    new = in_quarantine(world)
    assert deliver(wire, world.leak("leak-1", world.first)) == Ended.DONE
    world.own_keys()[world.first].disabled = False
    ticks(world, 1)
    assert_kept_out(world, new)
    (drifted,) = [one["Detail"] for one in world.told if one["DetailType"] == "Key Drifted"]
    assert "it leaked, and never comes back" in drifted["reason"]


def test_its_workload_rotates_on_and_the_leaked_key_is_deleted_when_its_quarantine_is_over(
    wire: Wire, fresh: Worlds
) -> None:
    world = fresh()
    in_quarantine(world)
    assert deliver(wire, world.leak("leak-1", world.first)) == Ended.DONE
    newest = rotated(world)
    assert world.secret()["hash"] == newest
    world.later(days=9)
    ticks(world, 2)
    assert world.first not in world.own_keys()
    assert "Key Disabled" not in world.kinds(), "the current key did not leak"
