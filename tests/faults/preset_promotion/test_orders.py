"""Whatever befalls an order about what production serves, or the run that sees an edit, it ends as it should."""

import pytest

from tests.faults.harness import Wire, case
from tests.faults.preset_promotion.history import EDITED, drifted, promoted
from tests.faults.preset_promotion.opening import Worlds
from tests.faults.preset_promotion.promises import BEFORE, CANDIDATE, assert_kept, befall, mishaps
from tests.faults.preset_promotion.world import PRODUCTION


def test_any_call_of_a_rollback_may_fail_and_the_former_content_is_served_again(
    wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    before = promoted(fresh)
    world = fresh(before)
    promotion = world.last("Preset Promoted")["promotion"]
    for accident in mishaps(wire.calls_of(world.order("rollback", promotion=promotion))):
        with case(counted, accident):
            world = fresh(before)
            befall(world, world.order("rollback", promotion=promotion), accident)
            assert world.versions() == [BEFORE, CANDIDATE, BEFORE]
            assert world.kinds()[2:] == ["Preset Rolled Back"]
            assert_kept(world)


@pytest.mark.parametrize(("order", "ends"), [("adopt", EDITED), ("revert", CANDIDATE)])
def test_any_call_may_fail_while_an_edit_is_adopted_or_reverted(
    order: str, ends: object, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    before = drifted(fresh)
    world = fresh(before)
    for accident in mishaps(wire.calls_of(world.order(order, version="3"))):
        with case(counted, accident):
            world = fresh(before)
            befall(world, world.order(order, version="3"), accident)
            assert world.serves() == ends
            assert len(world.versions()) == (3 if order == "adopt" else 4)
            last = {"adopt": "Preset Promoted", "revert": "Preset Rolled Back"}[order]
            assert world.kinds()[2:] == ["Preset Drifted", last]


def test_any_call_of_the_run_that_sees_drift_may_fail_and_it_is_told_once(
    wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    world = fresh(promoted(fresh))
    world.save(PRODUCTION, *EDITED)
    before = fresh.photo()
    for accident in mishaps(wire.calls_of(fresh(before).tick())):
        with case(counted, accident):
            world = fresh(before)
            befall(world, world.tick(), accident)
            assert world.kinds()[2:] == ["Preset Drifted"]
            assert world.serves() == EDITED
            assert_kept(world)
