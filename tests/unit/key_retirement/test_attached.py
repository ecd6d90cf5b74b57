"""A current key that a person takes off a list is told once, and put back only where the policy says repair."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.key_retirement.test_drifting import CAP, tick, told
from tests.unit.key_rotation.doubles import FIRST, World, api_key, credential, destination

FIELDS = {"c": "allowed_api_key_hashes", "d": "api_key_hashes"}
OTHER = "e" * 64


def listed(state: str, **key: Any) -> World:
    """A workload whose first key a credential and a destination name, rotated; its old key in overlap, or gone."""
    world = World(api_key(limit=100.0, limit_reset="monthly"), api_key(OTHER, "another"), key=CAP | key)
    world.account.credentials["c"] = credential("c", [FIRST, OTHER])
    world.account.filters["d"] = destination("d", [FIRST, OTHER])
    world.rotate()
    if state == "resting":
        tick(world)
        old = world.lineage.key(FIRST)
        assert old
        for id in FIELDS:
            take_off(world, id, FIRST)
        world.account.delete(FIRST)
        world.lineages.write(world.lineage.with_key(replace(old, state="deleted")))
        tick(world)
    assert told(world) == []
    return world


def take_off(world: World, id: str, hash: str) -> None:
    lists: Any = world.account.credentials if id == "c" else world.account.filters
    hashes = [one for one in getattr(lists[id], FIELDS[id]) if one != hash]
    lists[id] = lists[id].model_copy(update={FIELDS[id]: hashes})


def named(world: World, id: str) -> bool:
    lists: Any = world.account.credentials if id == "c" else world.account.filters
    return world.made.hash in getattr(lists[id], FIELDS[id])


@pytest.mark.parametrize("state", ["overlap", "resting"])
@pytest.mark.parametrize("id", FIELDS)
def test_it_is_told_once_and_left_alone(id: str, state: str) -> None:
    """Red before: nobody was told that own-key traffic was paid with credits from then on."""
    world = listed(state)
    take_off(world, id, world.made.hash)
    for _ in range(5):
        tick(world)
    (event,) = told(world)
    assert (event.evidence["field"], event.evidence["repair"]) == (FIELDS[id], "")
    assert "by hand" in event.reason
    assert not named(world, id)


@pytest.mark.parametrize("state", ["overlap", "resting"])
@pytest.mark.parametrize("id", FIELDS)
def test_it_is_put_back_where_the_policy_says_repair_and_a_later_change_is_told_again(id: str, state: str) -> None:
    world = listed(state, drift="repair")
    for times in (1, 2):
        take_off(world, id, world.made.hash)
        tick(world)
        assert named(world, id)
        tick(world)
        tick(world)
        assert len(told(world)) == times
        assert told(world)[-1].evidence["repair"]


@pytest.mark.parametrize("id", FIELDS)
def test_a_list_that_is_lifted_or_deleted_takes_nothing_from_the_key(id: str) -> None:
    world = listed("resting")
    lists: Any = world.account.credentials if id == "c" else world.account.filters
    lists[id] = lists[id].model_copy(update={FIELDS[id]: None})
    tick(world)
    assert told(world) == []
