"""The check of Broadcast fails at each of its calls, in pairs, and beside another: what it finds is told once.

The check under test is the one that tells: a workspace's privacy mode was off at the one before, and is off still.
"""

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from governor.broadcast.destination import HEADER
from sandbox.openrouter.bodies import DestinationCreation
from sandbox.openrouter.resources import add_destination
from spend_meter import handler
from tests.faults.clients import client
from tests.faults.harness import Ended, Fault, Wire, accidents, case, context, invoke, writes
from tests.faults.spend_meter.world import OBJECT, Snapshot, World, living

URL = "https://gateway.example.com/"
MEMORY = {**OBJECT, "Key": "readings/broadcast.json"}


@pytest.fixture
def world() -> Iterator[World]:
    settings = {"BROADCAST": "true", "BROADCAST_URL": URL}
    with living(Wire()) as world, mock.patch.dict("os.environ", settings):
        handler.build.cache_clear()
        yield world


@pytest.fixture
def eve(world: World) -> tuple[Snapshot, bytes]:
    """Ten minutes after a check that saw privacy mode off for the first time."""
    organization = world.simulator.organization
    place = next(one for one in organization.workspaces.values() if one.settings["slug"] == "platform-production")
    place.settings["is_observability_broadcast_enabled"] = True
    set_up(world, place.id)
    assert invoke(world.wire, world.run()) == Ended.DONE
    assert invoke(world.wire, check()) == Ended.DONE
    ten_minutes(world)
    assert world.told == []
    return world.snapshot(), client("s3").get_object(**MEMORY)["Body"].read()


def set_up(world: World, place: str) -> None:
    config = {"url": URL, "headers": {HEADER: "fake-token"}}
    made = DestinationCreation(
        type="webhook", name="governor", workspace_id=place, config=config, privacy_mode=False,
        broadcast_generation_cost=True, broadcast_generation_identity=True,
    )  # fmt: skip
    add_destination(world.simulator.organization, made)


def check() -> Callable[[], object]:
    return lambda: handler.lambda_handler({"version": 1, "check": "broadcast"}, context(50.0))


def ten_minutes(world: World) -> None:
    """With a run at its end, so that the reading is new."""
    world.now += timedelta(minutes=10)
    world.spend(world.bystander, 0.01)
    assert invoke(world.wire, world.run()) == Ended.DONE


def restore(world: World, eve: tuple[Snapshot, bytes]) -> None:
    snapshot, memory = eve
    snapshot.restore(world)
    client("s3").put_object(**MEMORY, Body=memory)


def drift(world: World) -> list[dict[str, Any]]:
    return [one["Detail"] for one in world.told if one["Detail"]["evidence"].get("kind") == "broadcast_drifted"]


def assert_told_once(world: World) -> None:
    """Privacy mode is told by the next checks at the latest, under one id, and its end when it is mended."""
    for _ in range(2):
        handler.build.cache_clear()
        ten_minutes(world)
        assert invoke(world.wire, check()) == Ended.DONE
    assert len({one["id"] for one in drift(world)}) == 1
    assert all(one["evidence"]["error"].startswith("privacy_mode") for one in drift(world))
    (destination,) = world.simulator.organization.destinations.values()
    destination.settings["privacy_mode"] = True
    ten_minutes(world)
    assert invoke(world.wire, check()) == Ended.DONE
    assert len({one["id"] for one in drift(world)}) == 2
    assert not [one for one in world.told if one["Detail"]["evidence"].get("kind") == "broadcast_silent"]


def test_any_call_of_a_check_may_fail_in_any_way(world: World, eve: tuple[Snapshot, bytes], counted: list[str]) -> None:
    calls = world.wire.calls_of(check())
    assert [name for name in calls if name.startswith("openrouter")] == [
        "openrouter.GET /api/v1/workspaces",
        "openrouter.GET /api/v1/observability/destinations",
    ]
    assert len(drift(world)) == 1
    for accident in accidents(calls):
        with case(counted, accident):
            restore(world, eve)
            invoke(world.wire, check(), accident)
            assert_told_once(world)


def test_two_accidents_in_checks_that_follow_each_other_hide_nothing_and_tell_nothing_twice(
    world: World, eve: tuple[Snapshot, bytes], counted: list[str]
) -> None:
    calls = world.wire.calls_of(check())
    hard = (Fault.FAILED_AFTER, Fault.KILLED_BEFORE, Fault.KILLED_AFTER)
    at_writes = [one for one in accidents(calls, hard) if one.at in writes(calls) and not one.lasting]
    for first, second in itertools.product(at_writes, repeat=2):
        with case(counted, f"{first}, then {second}"):
            restore(world, eve)
            invoke(world.wire, check(), first)
            handler.build.cache_clear()
            ten_minutes(world)
            invoke(world.wire, check(), second)
            assert_told_once(world)


def test_another_check_and_a_run_may_run_into_it_at_any_call(
    world: World, eve: tuple[Snapshot, bytes], counted: list[str]
) -> None:
    calls = world.wire.calls_of(check())
    for at, other in itertools.product(range(len(calls)), ("check", "run")):
        with case(counted, f"a {other} at call {at}"):
            restore(world, eve)
            with world.wire.beside(check() if other == "check" else world.run(), at):
                invoke(world.wire, check())
            assert_told_once(world)
