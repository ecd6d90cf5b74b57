"""Two accidents in one promotion: the process dies around a write, and dies again while it is made good."""

from tests.faults.harness import Accident, Fault, Wire, case, invoke, writes
from tests.faults.preset_promotion.history import granted
from tests.faults.preset_promotion.opening import Worlds
from tests.faults.preset_promotion.promises import BEFORE, CANDIDATE, assert_kept, settle

_DEATHS = (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)


def test_a_grant_survives_a_death_around_any_write_and_another_around_any_write_of_the_next_run(
    wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    before = granted(fresh)
    calls = wire.calls_of(fresh(before).granted())
    for first in [Accident(at, fault, calls[at]) for at in writes(calls) for fault in _DEATHS]:
        world = fresh(before)
        invoke(wire, world.granted(), first)
        world.later(minutes=17)
        halfway = fresh.photo()
        again = wire.calls_of(fresh(halfway).tick())
        for second in [Accident(at, fault, again[at]) for at in writes(again) for fault in _DEATHS]:
            with case(counted, f"{first}, then {second}"):
                world = fresh(halfway)
                invoke(wire, world.tick(), second)
                settle(world)
                assert world.versions() == [BEFORE, CANDIDATE]
                assert world.kinds() == ["Approval Requested", "Preset Promoted"]
                assert_kept(world)
