"""A promotion's life, step by step, and every way in which it ends otherwise."""

from collections.abc import Callable

from tests.faults.preset_promotion.stage import Stage
from tests.faults.preset_promotion.world import FORMER, FORMER_PROMPT, NEW, NEW_PROMPT, STAGING, World


def run(world: World, step: Callable[[], object]) -> None:
    world.wire.begin()
    step()


def test_asked_checked_granted_promoted_and_served(fresh: Stage) -> None:
    world = fresh()
    run(world, world.beat())
    assert (world.kinds(), world.versions()) == ([], [(FORMER_PROMPT, FORMER)])
    world.save(STAGING, NEW_PROMPT, NEW)
    run(world, world.request())
    assert world.kinds() == ["Approval Requested"]
    assert world.serves() == (FORMER_PROMPT, FORMER)
    world.decide("U0LEAD")
    run(world, world.granted())
    assert world.serves() == (NEW_PROMPT, NEW)
    assert world.kinds() == ["Approval Requested", "Preset Promoted"]
    assert world.last("Preset Promoted")["approved_by"] == ["U0LEAD"]
    assert world.outcomes() == ["promoted"]
    for _ in range(2):
        world.later(minutes=10)
        run(world, world.granted())
        run(world, world.beat())
    assert len(world.versions()) == 2
    assert world.kinds() == ["Approval Requested", "Preset Promoted"]
