"""A key that a person renames or moves before Governor has adopted it is the workload's all the same."""

import pytest

from tests.faults.harness import Fault, Wire, accidents, case
from tests.faults.key_rotation import promises
from tests.faults.key_rotation.driving import asked, rotate, states
from tests.faults.key_rotation.opening import Worlds

NAME = "something a person likes better"


@pytest.mark.parametrize("fault", [Fault.FAILED_BEFORE, Fault.KILLED_BEFORE, Fault.KILLED_AFTER])
@pytest.mark.parametrize("how", ["renamed", "moved"])
def test_it_is_replaced_and_shares_the_cap_whatever_befalls_the_first_step(
    how: str, fault: Fault, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    """Red before: the new key had $100 of its own beside the old one's $100."""
    world = asked(fresh)
    organization = world.simulator.organization
    key = organization.key(world.first)
    if how == "renamed":
        key.name = NAME
    else:
        organization.keys.move(key, organization.create_workspace("Elsewhere", "elsewhere").id)
        organization.key_assignments.pop(world.first)  # a guardrail of another workspace does not go along
    before = fresh.photo()
    for accident in accidents(wire.calls_of(fresh(before).step("createSecret")), (fault,)):
        if accident.lasting:
            continue
        with case(counted, f"{how}: {accident}"):
            world = fresh(before)
            assert rotate(world, {(0, "createSecret"): accident})
            assert states(world)[world.first] == "overlap"
            live = [one for one in world.simulator.organization.keys if one.hash in states(world)]
            assert sum(one.limit or 1e9 for one in live if not one.disabled) <= 100.0 + 1e-4
            promises.the_secret_works(world)
            told = [one["Detail"]["reason"] for one in world.told if one["DetailType"] == "Rotation Started"]
            assert (NAME in told[0]) == (how == "renamed")
