"""What a human decided is done once, whatever befalls it, and noted as done only after it was."""

from collections.abc import Callable

import pytest

from governor.events import DetailType
from tests.faults.harness import Ended, Fault, Wire, accidents, case, deliver, invoke
from tests.faults.kill_switch.world import WORKLOAD, World


def _runaway_disabled(wire: Wire, world: World) -> World:
    assert invoke(wire, world.run(world.runaway())) == Ended.DONE
    world.later(minutes=30)
    world.told.clear()
    return world


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name.lower())
def test_a_granted_restore_converges_and_a_late_copy_of_its_event_does_nothing(
    fault: Fault, wire: Wire, fresh: Callable[[], World], counted: list[str]
) -> None:
    world = _runaway_disabled(wire, fresh())
    for accident in accidents(wire.calls_of(world.run(world.granted("restore", cause="runaway"))), (fault,)):
        with case(counted, accident):
            world = _runaway_disabled(wire, fresh())
            event = world.granted("restore", cause="runaway")
            assert deliver(wire, world.run(event), accident, after=world.a_minute_later) == Ended.DONE
            assert world.disabled() == {world.by_hand}
            assert world.outcome() == "done"
            told = world.told_of(DetailType.KEY_RESTORED)
            assert len({entry["Detail"]["id"] for entry in told}) == 1
            assert all(entry["disabled"] == {world.by_hand} for entry in told), "told before it was done"
            world.later(days=1)
            assert invoke(wire, world.run(world.exposed())) == Ended.DONE
            assert invoke(wire, world.run(event)) == Ended.DONE
            assert world.disabled() == {*world.hashes, world.by_hand}


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name.lower())
def test_an_order_to_disable_converges_and_is_told_when_it_is_done(
    fault: Fault, wire: Wire, fresh: Callable[[], World], counted: list[str]
) -> None:
    world = fresh()
    for accident in accidents(wire.calls_of(world.run(world.granted("disable"))), (fault,)):
        with case(counted, accident):
            world = fresh()
            event = world.granted("disable")
            assert deliver(wire, world.run(event), accident, after=world.a_minute_later) == Ended.DONE
            everything = {*world.hashes, world.by_hand}
            assert world.disabled() == everything
            assert world.outcome() == "done"
            told = world.told_of(DetailType.KEY_DISABLED)
            assert {entry["Detail"]["subject"] for entry in told} == {WORKLOAD}
            assert len({entry["Detail"]["id"] for entry in told}) == 1
            assert all(entry["disabled"] == everything for entry in told), "told before it was done"
            assert world.recent_disables() == []
