"""Whatever befalls a run, three more bring a provider's new key into its place, or the former one back into it."""

import json
from collections.abc import Callable, Iterator

import pytest

import credential_rotation.handler
from governor.clock import format_instant
from sandbox.openrouter.credentials import masked
from tests.faults.clients import client
from tests.faults.harness import Ended, Wire, accidents, case, context, invoke
from tests.faults.key_rotation.opening import Worlds, worlds
from tests.faults.key_rotation.world import PLACE, POLICY, SECRET, World
from tests.faults.stage import Photo
from tests.faults.turns import in_turns

PROVIDERS = "providers/anthropic"
FORMER, NEW = "fake-provider-key", "fake-provider-key-that-is-new"
DECLARED = {
    "workspace": PLACE, "provider": "anthropic", "reason": "r", "owner": "cloud-platform", "exit": "e",
    "secret": PROVIDERS, "probe": {"model": "anthropic/claude-haiku-4.5", "secret": SECRET},
}  # fmt: skip


@pytest.fixture
def fresh(wire: Wire) -> Iterator[Worlds]:
    with worlds(wire, {**POLICY, "byok": [DECLARED]}) as make:
        yield make


def tick(world: World) -> Callable[[], object]:
    event = {"version": 1, "scheduled_time": format_instant(world.now)}
    return lambda: credential_rotation.handler.lambda_handler(event, context(100.0))


def changed(fresh: Worlds, *, works: bool) -> Photo:
    """A known secret into which somebody has put a new key."""
    world = fresh()
    if not works:
        world.simulator.revoke_provider_key(NEW)
    client("secretsmanager").create_secret(Name=PROVIDERS, SecretString=FORMER)
    assert invoke(world.wire, tick(world)) == Ended.DONE
    world.wire.begin()
    client("secretsmanager").put_secret_value(SecretId=PROVIDERS, SecretString=NEW)
    return fresh.photo()


def assert_ended(world: World, *, works: bool) -> None:
    (credential,) = world.simulator.organization.credentials.values()
    assert credential.trouble is None
    assert credential.label == masked(NEW if works else FORMER)
    assert world.kinds() == ["Credential Rotated" if works else "Credential Rotation Failed"]
    assert FORMER not in json.dumps(world.told) + repr(world.aws.table())


@pytest.mark.parametrize("works", [True, False], ids=["the new key works", "the provider refuses it"])
def test_any_call_of_a_run_may_fail_and_three_more_converge(
    works: bool, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    before = changed(fresh, works=works)
    for accident in accidents(wire.calls_of(tick(fresh(before)))):
        with case(counted, accident):
            world = fresh(before)
            invoke(wire, tick(world), accident)
            for _ in range(3):
                world.later(minutes=10)
                assert invoke(wire, tick(world)) == Ended.DONE
            assert_ended(world, works=works)


@pytest.mark.parametrize("works", [True, False], ids=["the new key works", "the provider refuses it"])
def test_two_runs_beside_each_other_tell_one_thing(works: bool, wire: Wire, fresh: Worlds, counted: list[str]) -> None:
    before = changed(fresh, works=works)
    for seed in range(60):
        with case(counted, f"seed {seed}"):
            world = fresh(before)
            in_turns(wire, [tick(world), tick(world)], seed)
            for _ in range(3):
                world.later(minutes=10)
                assert invoke(wire, tick(world)) == Ended.DONE
            assert_ended(world, works=works)
