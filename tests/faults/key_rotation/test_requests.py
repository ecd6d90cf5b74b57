"""What is asked of OpenRouter does not grow with what is asked about: each list once, and once for all lineages."""

from collections.abc import Sequence
from typing import Any

import pytest

from key_retirement.side_by_side import FEW
from tests.faults.harness import Ended, Wire, invoke
from tests.faults.key_rotation.driving import rotated, states, ticks, up_to
from tests.faults.key_rotation.opening import Worlds, worlds
from tests.faults.key_rotation.world import CAP, PLACE, POLICY, STEPS, WORKLOAD


def lists(calls: Sequence[str]) -> list[str]:
    """The lists that were read, in order."""
    return [name for name in calls if name.startswith("openrouter.GET") and not name.endswith(("{id}", "/key"))]


@pytest.mark.parametrize("step", STEPS)
def test_no_step_reads_a_list_twice(step: str, wire: Wire, fresh: Worlds) -> None:
    asked = lists(wire.calls_of(fresh(up_to(fresh, step)).step(step)))
    assert len(set(asked)) == len(asked)
    assert bool(asked) == (step != "finishSecret")


def test_the_accounts_whole_list_of_assignments_is_not_read_for_a_key_that_is_where_it_should_be(
    wire: Wire, fresh: Worlds
) -> None:
    world = fresh()
    world.ask()
    asked = [name for step in STEPS for name in wire.calls_of(world.step(step))]
    assert "openrouter.GET /api/v1/guardrails/{id}/assignments/keys" in asked
    assert "openrouter.GET /api/v1/guardrails/assignments/keys" not in asked


@pytest.mark.parametrize("more", [3, 2 * FEW], ids=["one after another", "side by side"])
def test_a_run_reads_each_list_once_however_many_lineages_it_tends(more: int, wire: Wire) -> None:
    (workload,) = POLICY["workloads"]
    others: list[dict[str, Any]] = [
        {**workload, "name": f"{WORKLOAD}-{number}", "secret": f"openrouter/{number}"} for number in range(more)
    ]
    with worlds(wire, {**POLICY, "workloads": [workload, *others]}) as fresh:
        world = fresh()
        rotated(world)
        world.later(hours=26)
        assert world.now.minute == 0, "the first run of an hour tends every lineage"
        asked = lists(wire.calls_of(world.tick()))
    assert len(set(asked)) == len(asked)
    assert len(asked) == 6


def test_once_the_old_key_is_gone_a_run_within_the_hour_asks_nothing(wire: Wire, fresh: Worlds) -> None:
    world = fresh()
    new = rotated(world)
    world.later(hours=26)
    ticks(world, count=2)
    world.later(days=8)
    ticks(world, count=9)
    assert set(states(world).values()) == {"deleted", "current"}
    assert world.now.minute >= 10
    assert not [name for name in wire.calls_of(world.tick()) if name.startswith("openrouter")]
    world.later(days=30)
    world.now = world.now.replace(minute=0)
    ticks(world, count=1)
    assert world.own_keys()[new].limit == CAP


@pytest.mark.parametrize("before", ["createSecret", "testSecret"])
def test_a_key_moved_to_another_guardrail_is_found_and_its_rotation_refused(
    before: str, wire: Wire, fresh: Worlds
) -> None:
    world = fresh(up_to(fresh, before))
    organization = world.simulator.organization
    organization.assign(organization.create_guardrail("strict", PLACE), [world.first])
    assert invoke(wire, world.step(before)) == Ended.FAILED
    (failed,) = [entry["Detail"] for entry in world.told if entry["DetailType"] == "Rotation Failed"]
    assert failed["evidence"]["rule"] == "guardrail_undeclared"
    assert world.secret()["api_key"] == world.plaintext
