"""A workload's first key is the one that its secret holds, whatever it is called and wherever it is."""

import hashlib
from typing import Any

import pytest
from pydantic import SecretStr

from governor.keys.lineage import Lineage, LineageKey
from governor.secrets.versions import WorkloadSecret
from key_rotation.ports import Refused
from management_api import ApiKey
from tests.unit.key_rotation.doubles import NOW, TOKEN, WORKLOAD, World, api_key

PLAINTEXT = "fake-plaintext-made-by-hand"
HASH = hashlib.sha256(PLAINTEXT.encode()).hexdigest()
OTHER = "c" * 64
LABEL = "sk-or-v1-fak...and"


def holding(*keys: ApiKey, is_of: str = HASH, **more: Any) -> World:
    """A world whose secret holds the key `is_of` of these."""
    world = World(*keys, **more)
    world.account.plaintexts[PLAINTEXT] = is_of
    return world


def refused(world: World) -> str:
    before = set(world.account.held)
    with pytest.raises(Refused) as caught:
        world.step("createSecret")
    assert set(world.account.held) == before, "a key was made beside the one that the secret holds"
    assert world.bus.events[-1].evidence["rule"] == caught.value.rule
    return caught.value.rule


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "batch of Ana"},
        {"name": "batch of Ana", "workspace_id": "ws-elsewhere"},
        {"workspace_id": "ws-elsewhere"},
    ],
    ids=["renamed", "renamed and moved", "moved"],
)
def test_a_key_that_was_renamed_or_moved_before_the_first_rotation_is_adopted_and_told(changed: dict[str, Any]) -> None:
    """Red before: a new key was made, and the old one lived on with its own cap, untold."""
    key = api_key(HASH, **{"name": WORKLOAD, **changed}, spent=40.0, limit=100.0, limit_reset="monthly")
    world = holding(key)
    world.rotate()
    assert {one.hash: one.state for one in world.lineage.keys}[HASH] == "overlap"
    assert world.account.held[HASH].limit == 70.0
    assert world.account.held[world.secrets.values[TOKEN].hash].limit == 30.0
    started = world.bus.events[0]
    assert started.detail_type.value == "Rotation Started"
    assert ("somebody renamed it" in started.reason) == ("name" in changed)


def test_it_is_told_by_its_label_where_its_hash_is_not_that_of_the_plaintext() -> None:
    world = holding(api_key(OTHER, "renamed", label=LABEL), api_key(name="another", label="x"), is_of=OTHER)
    world.rotate()
    assert {one.hash: one.state for one in world.lineage.keys}[OTHER] == "overlap"


@pytest.mark.parametrize("noted", ["", OTHER])
def test_two_keys_with_its_label_are_told_apart_by_the_hash_that_a_person_noted_or_refused(noted: str) -> None:
    twins = (api_key(OTHER, "renamed", label=LABEL), api_key("d" * 64, "twin", label=LABEL))
    world = holding(*twins, is_of=OTHER)
    world.secrets.values["first"] = WorkloadSecret(SecretStr(PLAINTEXT), hash=noted)
    if noted:
        world.rotate()
        assert {one.hash: one.state for one in world.lineage.keys}[OTHER] == "overlap"
    else:
        assert refused(world) == "key_unknown"


def test_a_noted_hash_of_another_key_is_not_believed() -> None:
    world = holding(api_key(OTHER, "renamed", label=LABEL), api_key(name="another", label="x"), is_of=OTHER)
    world.secrets.values["first"] = WorkloadSecret(SecretStr(PLAINTEXT), hash="a" * 64)
    assert refused(world) == "key_unknown"


def test_the_key_in_the_secret_goes_before_one_that_only_bears_the_name() -> None:
    world = holding(api_key(HASH, "renamed"), api_key(OTHER, WORKLOAD))
    world.rotate()
    assert {one.hash: one.state for one in world.lineage.keys}[HASH] == "overlap"
    assert not world.account.held[OTHER].disabled


def test_another_workloads_key_is_never_taken_away_from_it() -> None:
    world = holding(api_key(HASH, "renamed"))
    world.lineages.write(Lineage("prod-billing", (LineageKey(HASH, "renamed", "current", NOW),)))
    assert refused(world) == "key_of_another"


def test_a_key_that_the_policy_says_is_in_use_and_nobody_finds_is_not_replaced_blindly() -> None:
    key = {"limit_usd": 100.0, "limit_reset": "monthly", "adopts": "old batch"}
    assert refused(World(api_key(name="renamed"), key=key)) == "adopted_missing"


def test_a_key_in_the_secret_that_does_not_work_any_more_is_no_workloads() -> None:
    world = World(api_key(name=WORKLOAD))
    world.rotate()
    assert {one.state for one in world.lineage.keys} == {"overlap", "current"}
