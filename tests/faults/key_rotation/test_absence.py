"""What a list leaves out, and what a person deletes by hand: no key that works is lost, and no cap is widened."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from unittest import mock

import httpx
import pytest

from tests.faults.harness import Accident, Ended, Fault, Wire, accidents, case, invoke
from tests.faults.key_rotation import promises
from tests.faults.key_rotation.driving import rotated, states, ticks
from tests.faults.key_rotation.opening import Worlds, worlds
from tests.faults.key_rotation.world import POLICY, STEPS, World
from tests.faults.routed import Routed

REPAIR = deepcopy(POLICY)
REPAIR["workloads"][0]["key"]["drift"] = "repair"


@contextmanager
def emptied(path: str) -> Iterator[None]:
    """Every list under `path` is a valid answer with nothing in it."""
    answered = Routed.handle_request

    def handle(routed: Routed, request: httpx.Request) -> httpx.Response:
        answer = answered(routed, request)
        if request.method == "GET" and request.url.path.removeprefix("/api/v1") == path:
            return httpx.Response(200, json={**json.loads(answer.content), "data": [], "total_count": 0})
        return answer

    with mock.patch.object(Routed, "handle_request", handle):
        yield


@pytest.mark.parametrize("stage", ["overlap", "drained", "quarantine", "over"])
@pytest.mark.parametrize(
    "path", ["/keys", "/guardrails", "/guardrails/assignments/keys", "/byok", "/observability/destinations"]
)
def test_an_emptied_list_in_any_state_is_believed_by_nobody(
    path: str, stage: str, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    world = fresh()
    world.simulator.spend(world.first, 40.0)
    new = rotated(world)
    ticks(world, 1)
    world.later(hours={"overlap": 1, "drained": 26, "quarantine": 26, "over": 26}[stage])
    if stage in ("quarantine", "over"):
        ticks(world, 2)
        world.later(days=8 if stage == "over" else 1)
    was = states(world)
    for lists in range(1, 3):
        with case(counted, f"{stage}: {path} empty {lists} times"), emptied(path):
            assert invoke(wire, world.tick()) == Ended.DONE
            promises.the_secret_works(world)
            promises.the_cap_holds(world)
            if stage == "overlap":
                assert states(world) == was
            world.later(minutes=10)
    ticks(world)
    wanted = {"overlap": "overlap", "drained": "quarantined", "quarantine": "quarantined", "over": "deleted"}[stage]
    assert states(world) == {world.first: wanted, new: "current"}
    assert (world.first in world.own_keys()) == (wanted != "deleted")


@pytest.mark.parametrize("step", STEPS[:3])
def test_an_emptied_list_of_keys_in_a_rotation_hands_out_no_fresh_cap(step: str, wire: Wire, fresh: Worlds) -> None:
    world = fresh()
    world.simulator.spend(world.first, 40.0)
    rotated(world)
    ticks(world, 1)
    world.later(days=40)
    ticks(world, 3)
    world.simulator.spend(world.secret()["hash"], 30.0)
    world.ask()
    for one in STEPS:
        if one == step:
            with emptied("/keys"):
                ended = invoke(wire, world.step(one))
        else:
            ended = invoke(wire, world.step(one))
        promises.the_secret_works(world)
        promises.the_cap_holds(world)
        assert ended == Ended.DONE
    ticks(world)


@pytest.fixture
def repairing(wire: Wire) -> Iterator[Worlds]:
    with worlds(wire, REPAIR) as stage:
        yield stage


def deleted_by_hand(world: World) -> str:
    """The current key is deleted in the overlap; its hash."""
    world.simulator.spend(world.first, 40.0)
    new = rotated(world)
    ticks(world, 1)
    world.simulator.organization.delete_key(new)
    return new


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name.lower())
def test_the_former_key_is_taken_back_whatever_befalls_the_run(
    fault: Fault, wire: Wire, repairing: Worlds, counted: list[str]
) -> None:
    world = repairing()
    new = deleted_by_hand(world)
    before = repairing.photo()
    for accident in accidents(wire.calls_of(repairing(before).tick()), (fault,)):
        with case(counted, accident):
            world = repairing(before)
            invoke(wire, world.tick(), accident)
            promises.the_cap_holds(world)
            assert world.works(world.plaintext), "the last key that works was taken away"
            for _ in range(3):
                assert invoke(wire, world.tick()) == Ended.DONE
                world.later(minutes=10)
            assert states(world) == {world.first: "current", new: "deleted"}
            promises.the_secret_works(world)
            promises.the_cap_holds(world)
            assert world.kinds().count("Rotation Rolled Back") == 1
            asked = [one["Detail"]["evidence"] for one in world.told if one["DetailType"] == "Key Drifted"]
            assert {(one["field"], bool(one["repair"])) for one in asked} == {("hash", True)}


def test_two_runs_beside_each_other_take_it_back_once(wire: Wire, repairing: Worlds, counted: list[str]) -> None:
    world = repairing()
    new = deleted_by_hand(world)
    before = repairing.photo()
    for at in range(len(wire.calls_of(repairing(before).tick()))):
        with case(counted, f"another whole run before call {at}"):
            world = repairing(before)
            with wire.beside(world.tick(), at):
                invoke(wire, world.tick())
            assert invoke(wire, world.tick()) == Ended.DONE
            assert states(world) == {world.first: "current", new: "deleted"}
            assert world.kinds().count("Rotation Rolled Back") == 1
            promises.the_secret_works(world)
            promises.the_cap_holds(world)


def test_a_rotation_asked_for_by_the_plan_beside_the_taking_back_ends_with_a_key_that_works(
    wire: Wire, repairing: Worlds, counted: list[str]
) -> None:
    world = repairing()
    deleted_by_hand(world)
    before = repairing.photo()

    for at in range(len(wire.calls_of(repairing(before).tick()))):
        with case(counted, f"a rotation begins before call {at}"):
            world = repairing(before)

            def begin(world: World = world) -> None:
                world.ask()
                invoke(wire, world.step("createSecret"))  # refused while the run sets limits

            with wire.beside(begin, at):
                invoke(wire, world.tick())
            world.later(minutes=1)
            for step in STEPS:
                assert invoke(wire, world.step(step)) == Ended.DONE
            ticks(world)
            assert world.works(world.plaintext)
            promises.the_secret_works(world)


def test_the_new_key_deleted_before_any_call_of_the_retiring_run_never_costs_the_last_key(
    wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    world = fresh()
    new = rotated(world)
    ticks(world, 1)
    world.later(hours=26)
    before = fresh.photo()
    names = wire.calls_of(fresh(before).tick())
    proof = names.index("openrouter.GET /api/v1/key")
    for at in range(len(names)):
        with case(counted, f"deleted before {names[at]}"):
            world = fresh(before)
            with wire.beside(partial(world.simulator.organization.delete_key, new), at):
                invoke(wire, world.tick())
            if at <= proof:
                assert states(world)[world.first] == "overlap"
                assert world.works(world.plaintext)
            for _ in range(14):
                world.later(days=1)
                invoke(wire, world.tick())
            assert world.first in world.own_keys(), "the last key was deleted"
            assert "Drain Blocked" in world.kinds()


def test_a_death_at_any_call_of_the_run_that_keeps_the_last_key_tells_it_and_keeps_it(
    wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    world = fresh()
    new = rotated(world)
    ticks(world, 1)
    world.simulator.organization.delete_key(new)
    world.later(hours=26)
    before = fresh.photo()
    names = wire.calls_of(fresh(before).tick())
    for at, name in enumerate(names):
        for fault in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER):
            with case(counted, f"{fault} {name}"):
                world = fresh(before)
                invoke(wire, world.tick(), Accident(at, fault, name))
                assert invoke(wire, world.tick()) == Ended.DONE
                assert states(world)[world.first] == "overlap"
                assert world.works(world.plaintext)
                assert world.kinds().count("Drain Blocked") == 1
                assert world.kinds().count("Key Drifted") == 1
