"""A provider's new key is put, proven, and taken back when the provider refuses it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from credential_rotation.settings import received
from governor.events import BadEvent
from governor.secrets.versions import SecretMissing
from management_api import Rejected
from tests.unit.credential_rotation.doubles import NEW, OLD, REFUSED_PROBE, SILENT, World, completion, credential

SAMPLE = Path(__file__).resolve().parents[3] / "events" / "credential_rotation" / "run.json"


@pytest.fixture
def world() -> World:
    """A credential whose secret is known."""
    world = World()
    world.tick()
    return world


def test_the_secret_as_it_is_first_seen_is_taken_for_the_key_that_openrouter_has(world: World) -> None:
    assert (world.tick().told, world.raw, world.probes) == ((), {"c-1": OLD}, 0)


def test_a_changed_secret_is_put_probed_and_told_once(world: World) -> None:
    world.put(NEW)
    for _ in range(3):
        world.tick()
    assert (world.raw, world.probes) == ({"c-1": NEW}, 1)
    assert world.told() == [("Credential Rotated", "served")]
    assert not any(NEW in f"{event}" for event in world.events)


def test_a_key_that_the_provider_refuses_twice_gives_way_to_the_former(world: World) -> None:
    world.put(NEW)
    world.dead.add(NEW)
    for _ in range(3):
        world.tick()
    assert (world.raw, world.probes) == ({"c-1": OLD}, 2)
    assert world.told() == [("Credential Rotation Failed", "refused_by_provider")]
    world.put("fake-provider-key-third")
    world.tick()
    assert world.raw == {"c-1": "fake-provider-key-third"}


def test_the_way_back_from_a_refused_key_is_the_last_that_worked(world: World) -> None:
    for text in (NEW, "fake-provider-key-worse"):
        world.put(text)
        world.dead.add(text)
        world.tick()
        assert world.raw == {"c-1": OLD}


def test_one_refusal_is_no_verdict(world: World) -> None:
    world.put(NEW)
    world.answers = [completion(401, 200, is_byok=False)]
    world.tick()
    assert (world.raw, world.told()) == ({"c-1": NEW}, [("Credential Rotated", "served")])


def test_a_refused_key_whose_former_is_kept_no_more_stays_and_the_message_says_so(world: World) -> None:
    world.put(NEW)
    world.dead.add(NEW)
    del world.versions["v1"]
    world.tick()
    assert world.raw == {"c-1": NEW}
    assert "is not kept any more" in world.events[0].reason


@pytest.mark.parametrize(
    "answer",
    [SILENT, REFUSED_PROBE, Rejected("no", status=403), completion(403, 200, is_byok=False), completion(is_byok=False)],
)
def test_a_probe_that_tells_nothing_is_asked_on_three_runs_and_never_called_a_refusal(
    world: World, answer: Exception
) -> None:
    world.put(NEW)
    world.answers = [answer] * 9
    for _ in range(6):
        world.tick()
    assert (world.raw, world.probes) == ({"c-1": NEW}, 3)
    assert world.told() == [("Credential Rotated", "unknown")]


def test_without_a_probe_key_it_is_put_and_called_unproven(world: World) -> None:
    world.byok = {"probe": {"model": "m"}}
    world.put(NEW)
    world.tick()
    assert (world.raw, world.probes, world.told()) == ({"c-1": NEW}, 0, [("Credential Rotated", "unknown")])


def test_with_two_credentials_of_the_provider_the_policy_says_which_and_the_proof_says_one_of_them() -> None:
    world = World([credential(name="first"), credential("c-2", name="second")], {"c-1": OLD, "c-2": OLD})
    world.byok = {"credential": "second"}
    world.tick()
    world.put(NEW)
    world.tick()
    assert world.raw == {"c-1": OLD, "c-2": NEW}
    assert "or one of 1 others" in world.events[0].reason


def test_a_401_that_may_be_anothers_takes_no_key_back() -> None:
    world = World([credential(name="first"), credential("c-2", name="second")], {"c-1": OLD, "c-2": OLD})
    world.byok = {"credential": "second"}
    world.tick()
    world.dead.add(OLD)
    world.put(NEW)
    for _ in range(4):
        world.tick()
    assert world.raw == {"c-1": OLD, "c-2": NEW}
    assert world.told() == [("Credential Rotated", "unknown")]


def test_what_openrouter_refuses_is_told_once_and_tried_on_every_run(world: World) -> None:
    world.put(NEW)
    tried: list[str] = []

    def outside(name: str, call: Callable[[], Any]) -> Any:
        if name == "patch":
            tried.append(name)
            raise Rejected("no such key format", status=400)
        return call()

    well, world.outside = world.outside, outside
    for _ in range(3):
        world.tick()
    assert len(tried) == 3
    assert [event.evidence["rule"] for event in world.events] == ["openrouter_refused"]
    world.outside = well
    world.tick()
    assert world.raw == {"c-1": NEW}


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("workspace_missing", {"places": []}),
        ("workspace_ambiguous", {"places": ["platform", "platform"]}),
        ("credential_missing", {"credentials": [credential(provider="openai")]}),
        ("credential_ambiguous", {"credentials": [credential(), credential("c-2")]}),
        ("secret_empty", {"versions": {"v1": OLD, "v2": " "}}),
    ],
)
def test_what_stands_in_the_way_is_told_once_and_done_as_soon_as_it_is_mended(
    world: World, rule: str, broken: dict[str, object]
) -> None:
    world.put(NEW)
    well = {name: getattr(world, name) for name in broken}
    for name, value in broken.items():
        setattr(world, name, value)
    for _ in range(3):
        world.tick()
    assert (world.told(), world.raw) == ([("Credential Rotation Failed", rule)], {"c-1": OLD})
    for name, value in well.items():
        setattr(world, name, value)
    world.tick()
    assert world.raw == {"c-1": NEW}


def test_a_secret_that_is_missing_fails_the_run_by_name() -> None:
    world = World()
    world.byok = {"secret": "providers/other"}
    with pytest.raises(SecretMissing, match="providers/other"):
        world.tick()


def test_only_the_schedule_wakes_it() -> None:
    assert received(json.loads(SAMPLE.read_text())).minute == 10
    for event in ("{}", "[]", '{"scheduled_time": 7}'):
        with pytest.raises(BadEvent, match="scheduled_time"):
            received(json.loads(event))
