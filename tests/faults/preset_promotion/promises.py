"""What must hold of a promotion's world, whatever befell it."""

import json
from collections.abc import Callable, Iterator, Sequence

from preset_promotion import handler
from tests.faults.harness import Accident, Ended, accidents, deliver, invoke, writes
from tests.faults.preset_promotion.world import (
    FORMER,
    FORMER_PROMPT,
    GOLDEN_PROMPT,
    NEW,
    NEW_PROMPT,
    STAGING,
    World,
)

CANDIDATE, BEFORE = (NEW_PROMPT, NEW), (FORMER_PROMPT, FORMER)


def run(world: World, step: Callable[[], object]) -> None:
    """One undisturbed invocation, which must not fail."""
    world.wire.begin()
    step()


def mishaps(calls: Sequence[str]) -> Iterator[Accident]:
    """Every fault at every call that may change something; a read cannot be half done, so fewer befall one."""
    changing = set(writes(calls))
    for accident in accidents(calls):
        reading = accident.at not in changing
        if not (reading and (accident.fault.after or not (accident.lasting or accident.fault.kills))):
            yield accident


def looked_at(world: World) -> World:
    """Governor has seen both workspaces, as they are on the first day; then somebody works on staging."""
    run(world, world.tick())
    world.save(STAGING, *CANDIDATE)
    return world


def befall(world: World, step: Callable[[], object], *planned: Accident) -> None:
    """The step meets the accidents, Lambda tries again, and runs follow, each of which must not fail."""

    def again() -> None:
        world.later(minutes=1)
        handler.build.cache_clear()

    deliver(world.wire, step, *planned, after=again)
    settle(world)


def settle(world: World) -> None:
    """Runs, until what was begun must have ended: whoever had it in hand is given 16 minutes."""
    handler.build.cache_clear()
    for _ in range(2):
        world.later(minutes=17)
        assert invoke(world.wire, world.tick()) == Ended.DONE


def assert_kept(world: World, *, edited: bool = False) -> None:
    """The promises that hold in every world. `edited`: somebody may have saved between the proof and its telling."""
    written = world.written()
    for text in (NEW_PROMPT, FORMER_PROMPT, GOLDEN_PROMPT, "billing"):
        assert text not in written
    assert world.versions().count(CANDIDATE) <= 1
    for entry in world.told:
        if entry["DetailType"] == "Preset Promoted" and entry["Detail"]["evidence"]["how"] == "promotion":
            assert entry["Serves"] == CANDIDATE or (edited and CANDIDATE in world.versions())
        if entry["DetailType"] == "Preset Rolled Back":
            assert entry["Serves"] == BEFORE
    identities = {json.dumps(entry["Detail"], sort_keys=True) for entry in world.told}
    assert len(identities) == len({entry["Detail"]["id"] for entry in world.told}), "one id, two stories"
