"""Whatever befalls the planner or its queue, each due workload is rotated once, and none is forgotten."""

import json
from pathlib import Path
from typing import Any

import pytest

import key_planning.handler
from tests.faults.clients import client
from tests.faults.harness import Ended, Fault, Wire, accidents, case, context, deliver, invoke
from tests.faults.key_rotation.driving import rotate, rotated, ticks
from tests.faults.key_rotation.opening import Worlds
from tests.faults.key_rotation.world import SECRET, WORKLOAD, World
from tests.faults.stage import Photo

LEAK = Path(__file__).resolve().parents[3] / "events" / "key_planning" / "key_disabled.json"
FAULTS = pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name.lower())


def due(fresh: Worlds) -> Photo:
    """A workload that is its own key's second owner: rotated once, old enough for the next, the first key gone."""
    world = fresh()
    rotated(world)
    for _ in range(2):
        world.later(days=9)
        ticks(world)
    world.later(days=60)
    return fresh.photo()


def work_off(world: World) -> None:
    """The queue's messages, until there are none: what goes back, or whose answer was lost, comes again."""
    for _ in range(3):
        world.later(minutes=10)
        if world.queued():
            invoke(world.wire, world.work())


def assert_rotated_once(world: World, former: str) -> None:
    """Secrets Manager was asked once, and its four steps pass."""
    pending = [id for id, stages in world.stages().items() if stages == ["AWSPENDING"]]
    assert len(pending) == 1, f"asked for {len(pending)} rotations"
    world.token = pending[0]
    assert rotate(world, attempts=1)
    assert world.secret()["hash"] != former
    assert world.lineage().rotation is None


@FAULTS
def test_any_call_of_the_plan_may_fail_and_the_workload_is_rotated_once(
    fault: Fault, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    before = due(fresh)
    former = fresh(before).secret()["hash"]
    for accident in accidents(wire.calls_of(fresh(before).plan()), (fault,)):
        with case(counted, f"plan: {accident}"):
            world = fresh(before)
            assert deliver(wire, world.plan(), accident) == Ended.DONE
            work_off(world)
            assert_rotated_once(world, former)


@FAULTS
def test_any_call_of_the_queues_work_may_fail_and_the_workload_is_rotated_once(
    fault: Fault, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    world = fresh(due(fresh))
    former = world.secret()["hash"]
    assert invoke(wire, world.plan()) == Ended.DONE
    before = fresh.photo()
    for accident in accidents(wire.calls_of(fresh(before).work()), (fault,)):
        with case(counted, f"work: {accident}"):
            world = fresh(before)
            invoke(wire, world.work(), accident)
            work_off(world)
            assert_rotated_once(world, former)


@FAULTS
def test_any_call_may_fail_while_a_missing_secret_is_made(
    fault: Fault, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    world = fresh()
    wire.begin()
    client("secretsmanager").delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    assert invoke(wire, world.plan()) == Ended.DONE
    before = fresh.photo()
    for accident in accidents(wire.calls_of(fresh(before).work()), (fault,)):
        with case(counted, f"provisioning: {accident}"):
            world = fresh(before)
            invoke(wire, world.work(), accident)
            work_off(world)
            pending = [id for id, stages in world.stages().items() if "AWSPENDING" in stages]
            assert len(pending) == 1
            world.token = pending[0]
            for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
                assert invoke(wire, world.step(step)) == Ended.DONE, step
            assert world.works(world.secret()["api_key"])


@pytest.mark.parametrize("asked", ["by a person", "by a leak"])
def test_any_call_may_fail_when_a_rotation_is_asked_for_at_once(
    asked: str, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    before = due(fresh)
    former = fresh(before).secret()["hash"]
    event: dict[str, Any] = fresh(before).request("Rotation Requested", requested_by="U0LEAD")
    if asked == "by a leak":
        event = json.loads(LEAK.read_text())
        event["detail"]["subject"] = WORKLOAD

    def request() -> object:
        return key_planning.handler.lambda_handler(event, context())

    fresh(before)
    for accident in accidents(wire.calls_of(request)):
        with case(counted, f"{asked}: {accident}"):
            world = fresh(before)
            assert deliver(wire, request, accident) == Ended.DONE
            assert deliver(wire, request) == Ended.DONE
            work_off(world)
            assert_rotated_once(world, former)
