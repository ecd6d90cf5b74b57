"""A counter that is lower than it was is unknown, not zero: what was spent still counts against the cap."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.key_retirement.doubles import Retirement
from tests.unit.key_rotation.doubles import FIRST, World, api_key

TEN = timedelta(minutes=10)
NAMES = [f"{kind}{period}" for kind in ("usage", "byok_usage") for period in ("", "_daily", "_weekly", "_monthly")]


def rotated(spent: float) -> Retirement:
    """A key that spent this much of a cap of $100 in this month, just replaced, and looked at once."""
    cap = {"limit_usd": 100.0, "limit_reset": "monthly"}
    world = World(api_key(spent=spent, limit=100.0, limit_reset="monthly"), key=cap)
    world.account.plaintexts["fake-plaintext-made-by-hand"] = FIRST
    world.rotate()
    retirement = Retirement(world)
    retirement.beat(TEN)
    return retirement


def counters_fall(world: World) -> None:
    for hash, key in world.account.held.items():
        fallen: dict[str, Any] = dict.fromkeys(NAMES, 0.0)
        world.account.held[hash] = replace(key, **fallen)


def allowed_to_new(world: World) -> float:
    current = world.lineage.current
    assert current
    limit = world.account.held[current.hash].limit
    assert limit is not None
    return limit


@pytest.mark.parametrize("spent", [0.6, 40.0])
@pytest.mark.parametrize("looks", [0, 1, 200])
def test_counters_that_fall_give_nobody_what_was_spent(spent: float, looks: int) -> None:
    """At once in the overlap, after a look, and in quarantine: a new key never has more than what is left."""
    retirement = rotated(spent)
    for _ in range(looks):
        retirement.beat(TEN)
    counters_fall(retirement.world)
    for _ in range(60):
        retirement.beat()
        assert allowed_to_new(retirement.world) <= 100.0 - spent + 1e-6


def test_what_a_deleted_key_had_spent_is_kept_though_its_counters_fell_before() -> None:
    retirement = rotated(40.0)
    counters_fall(retirement.world)
    for _ in range(24 * 10):
        retirement.beat()
    assert FIRST not in retirement.world.account.held
    assert allowed_to_new(retirement.world) <= 60.0 + 1e-6


def test_a_rotation_while_counters_are_low_shares_what_is_left_by_what_was_known() -> None:
    cap = {"limit_usd": 100.0, "limit_reset": "monthly"}
    world = World(api_key(spent=80.0, limit=100.0, limit_reset="monthly"), key=cap)
    world.account.plaintexts["fake-plaintext-made-by-hand"] = FIRST
    world.rotate()
    retirement = Retirement(world)
    for _ in range(24 * 10):
        retirement.beat()
    before = allowed_to_new(world)
    counters_fall(world)
    second = "00000000-0000-4000-8000-000000000002"
    world.ask(second)
    world.rotate(second)
    assert sum(key.limit or 1e9 for key in world.account.held.values() if not key.disabled) <= before + 1e-6
