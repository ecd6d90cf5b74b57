"""The key to be replaced is found by its hash: left out of a list, moved or renamed, it shares the cap all the same."""

from dataclasses import replace

import pytest

from management_api import KeyPatch
from tests.unit.key_rotation.doubles import FIRST, World, api_key, credential

SECOND = "00000000-0000-4000-8000-000000000002"


def rotated_once() -> tuple[World, str]:
    """A workload whose first key is gone, and whose present one has spent $40 of $100."""
    world = World(api_key(limit=100.0, limit_reset="monthly"))
    world.account.plaintexts["fake-plaintext-made-by-hand"] = FIRST
    world.rotate()
    world.account.delete(FIRST)
    current = world.lineage.current
    assert current
    first = world.lineage.key(FIRST)
    assert first
    world.lineages.write(world.lineage.with_key(replace(first, state="deleted")))
    world.account.held[current.hash] = api_key(
        current.hash, current.name, spent=40.0, limit=100.0, limit_reset="monthly"
    )
    world.ask(SECOND)
    return world, current.hash


@pytest.mark.parametrize("how", ["left out", "moved", "renamed"])
def test_a_current_key_that_the_list_does_not_show_keeps_the_new_one_within_the_cap(how: str) -> None:
    world, current = rotated_once()
    if how == "left out":
        world.account.unlisted.add(current)
    else:
        world.account.update(current, KeyPatch(**({"workspace_id": "ws-2"} if how == "moved" else {"name": "batch"})))
    world.step("createSecret", SECOND)
    live = [key for key in world.account.held.values() if not key.disabled]
    assert len(live) == 2
    assert sum(max(key.limit or 1e9, key.usage_monthly) for key in live) <= 100.0 + 1e-6
    for step in ("setSecret", "testSecret", "finishSecret"):
        world.step(step, SECOND)
    assert {key.state for key in world.lineage.keys} == {"deleted", "overlap", "current"}


def test_what_a_current_key_that_somebody_deleted_has_spent_is_not_handed_out_again() -> None:
    world, current = rotated_once()
    row = world.lineage.key(current)
    assert row
    spent = dict.fromkeys(("daily", "weekly", "monthly", "lifetime"), 40.0)
    world.lineages.write(world.lineage.with_key(replace(row, spent=spent, spent_at=world.now)))
    world.account.delete(current)
    world.step("createSecret", SECOND)
    (new,) = world.account.held.values()
    assert new.limit == 60.0


def test_a_list_that_names_a_deleted_key_is_written_without_it() -> None:
    """OpenRouter refuses a whole list for one hash that belongs to no live key."""
    world, current = rotated_once()
    world.account.credentials["c"] = credential("c", [current, "d" * 64])
    world.account.delete(current)
    for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
        world.step(step, SECOND)
    (new,) = world.account.held
    assert world.account.credentials["c"].allowed_api_key_hashes == [new]
