"""A rollback that people decided dies at every call, comes twice, late, beside a rotation: it is done once, or not."""

import pytest

from tests.faults.harness import Accident, Ended, Fault, Wire, accidents, case, deliver, invoke, writes
from tests.faults.key_rotation import promises
from tests.faults.key_rotation.driving import rotate, rotated, states, ticks
from tests.faults.key_rotation.opening import Worlds
from tests.faults.key_rotation.world import STEPS, World
from tests.faults.stage import Photo

STAGES = {"overlap": 1, "quarantine": 26}
"""Hours after the rotation."""


def before(fresh: Worlds, at: str) -> tuple[Photo, str]:
    """A key that was replaced, and the hash of its successor."""
    world = fresh()
    new = rotated(world)
    world.later(hours=STAGES[at])
    ticks(world, 2)
    return fresh.photo(), new


def holds(world: World, new: str) -> None:
    """The former key is back, once, and that is what is told and noted."""
    promises.the_secret_works(world)
    promises.the_cap_holds(world)
    promises.nothing_is_said_that_is_secret(world)
    assert states(world) == {world.first: "current", new: "overlap"}
    assert world.secret()["api_key"] == world.plaintext
    assert world.works(world.plaintext)
    assert world.kinds().count("Rotation Rolled Back") == 1
    assert "Rollback Refused" not in world.kinds()
    assert world.outcome() == "done"


@pytest.mark.parametrize(
    ("at", "fault"),
    [*(("quarantine", fault) for fault in Fault), *(("overlap", fault) for fault in Fault if fault.kills)],
    ids=lambda one: str(one).replace(" ", "_"),
)
def test_it_is_carried_out_once_and_a_late_copy_of_its_event_does_nothing(
    at: str, fault: Fault, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    photo, new = before(fresh, at)
    world = fresh(photo)
    calls = wire.calls_of(world.carry_out(world.decided()))
    assert "dynamodb.GetItem" in calls
    for accident in accidents(calls, (fault,)):
        with case(counted, f"{at}: {accident}"):
            world = fresh(photo)
            granted = world.decided()
            ended = deliver(wire, world.carry_out(granted), accident, after=world.a_minute_later)
            assert ended == Ended.DONE
            holds(world, new)
            world.later(days=1)
            assert invoke(wire, world.carry_out(granted)) == Ended.DONE
            holds(world, new)


def test_two_deaths_at_two_writes_are_survived_as_well(wire: Wire, fresh: Worlds, counted: list[str]) -> None:
    photo, new = before(fresh, "quarantine")
    world = fresh(photo)
    calls = wire.calls_of(world.carry_out(world.decided()))
    for first in writes(calls):
        for second in range(0, len(calls), 9):
            with case(counted, (first, second)):
                world = fresh(photo)
                granted = world.decided()
                for at in (first, second):
                    invoke(wire, world.carry_out(granted), Accident(at, Fault.KILLED_AFTER, "", lasting=False))
                    promises.the_secret_works(world)
                assert invoke(wire, world.carry_out(granted)) == Ended.DONE
                holds(world, new)


def test_a_copy_of_its_event_at_any_call_changes_nothing(wire: Wire, fresh: Worlds, counted: list[str]) -> None:
    photo, new = before(fresh, "quarantine")
    world = fresh(photo)
    for at in range(len(wire.calls_of(world.carry_out(world.decided())))):
        with case(counted, at):
            world = fresh(photo)
            granted = world.decided()
            with wire.beside(world.carry_out(granted), at):
                deliver(wire, world.carry_out(granted))
            holds(world, new)


def test_two_peoples_decisions_at_any_call_of_each_other_roll_back_once(
    wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    photo, new = before(fresh, "overlap")
    world = fresh(photo)
    for at in range(len(wire.calls_of(world.carry_out(world.decided())))):
        with case(counted, at):
            world = fresh(photo)
            mine, theirs = world.decided(), world.decided("U0SEARCH", "request-2")
            with wire.beside(world.carry_out(theirs), at):
                assert deliver(wire, world.carry_out(mine)) == Ended.DONE
            # Lambda tries again: while one of the two set limits, the other left them alone.
            deliver(wire, world.carry_out(theirs))
            promises.the_secret_works(world)
            assert states(world) == {world.first: "current", new: "overlap"}
            assert world.kinds().count("Rotation Rolled Back") == 1
            assert sorted((world.outcome(), world.outcome("request-2"))) == ["done", "failed"]


@pytest.mark.parametrize("step", STEPS)
def test_beside_a_rotation_it_is_refused_and_the_rotation_comes_to_its_end(
    step: str, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    photo, new = before(fresh, "overlap")
    world = fresh(photo)
    granted = world.decided()
    world.ask()
    for passed in STEPS[: STEPS.index(step)]:
        assert invoke(wire, world.step(passed)) == Ended.DONE
    amid = fresh.photo()
    calls = wire.calls_of(fresh(amid).step(step))
    for at in range(len(calls)):
        with case(counted, f"{step}: {at}"):
            world = fresh(amid)
            with wire.beside(world.carry_out(granted), at):
                invoke(wire, world.step(step))
            promises.the_secret_works(world)
            promises.the_cap_holds(world)
            assert rotate(world)
            promises.the_secret_works(world)
            # Whichever came first, nobody is left with a key that neither of them meant.
            held = world.secret()["hash"]
            back, now = world.secret()["api_key"] == world.plaintext, world.lineage().current
            assert now
            assert back or now.hash == held
            assert held not in (None, new) or back


def test_a_decision_of_the_day_before_is_not_carried_out(wire: Wire, fresh: Worlds) -> None:
    photo, new = before(fresh, "overlap")
    world = fresh(photo)
    granted = world.decided()
    world.later(hours=25)
    assert invoke(wire, world.carry_out(granted)) == Ended.DONE
    assert states(world) == {world.first: "overlap", new: "current"}
    assert world.outcome() == "failed"
    (told,) = [entry["Detail"] for entry in world.told if entry["DetailType"] == "Rollback Refused"]
    assert told["evidence"]["rule"] == "too_late"
