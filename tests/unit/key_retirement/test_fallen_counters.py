"""A counter that is lower than it was is unknown, not zero: what was spent still counts against the cap."""

import contextlib
import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.key_retirement.doubles import Retirement
from tests.unit.key_rotation.doubles import COUNTERS, FIRST, World, api_key

TEN = timedelta(minutes=10)


def rotated(spent: float) -> Retirement:
    """A key that spent this much of a cap of $100 in this month, just replaced, and looked at once."""
    cap = {"limit_usd": 100.0, "limit_reset": "monthly"}
    world = World(api_key(spent=spent, limit=100.0, limit_reset="monthly"), key=cap)
    world.account.plaintexts["fake-plaintext-made-by-hand"] = FIRST
    world.rotate()
    retirement = Retirement(world)
    retirement.tick(TEN)
    return retirement


def counters_fall(world: World) -> None:
    for hash, key in world.account.held.items():
        fallen: dict[str, Any] = dict.fromkeys(COUNTERS, 0.0)
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
        retirement.tick(TEN)
    counters_fall(retirement.world)
    for _ in range(60):
        retirement.tick()
        assert allowed_to_new(retirement.world) <= 100.0 - spent + 1e-6


def test_what_a_deleted_key_had_spent_is_kept_though_its_counters_fell_before() -> None:
    retirement = rotated(40.0)
    counters_fall(retirement.world)
    for _ in range(24 * 10):
        retirement.tick()
    assert FIRST not in retirement.world.account.held
    assert allowed_to_new(retirement.world) <= 60.0 + 1e-6


def test_a_rotation_while_counters_are_low_shares_what_is_left_by_what_was_known() -> None:
    cap = {"limit_usd": 100.0, "limit_reset": "monthly"}
    world = World(api_key(spent=80.0, limit=100.0, limit_reset="monthly"), key=cap)
    world.account.plaintexts["fake-plaintext-made-by-hand"] = FIRST
    world.rotate()
    retirement = Retirement(world)
    for _ in range(24 * 10):
        retirement.tick()
    before = allowed_to_new(world)
    counters_fall(world)
    second = "00000000-0000-4000-8000-000000000002"
    world.ask(second)
    world.rotate(second)
    assert sum(key.limit or 1e9 for key in world.account.held.values() if not key.disabled) <= before + 1e-6


class Died(Exception):
    """The process ended."""


def spends(world: World, hash: str, usd: float) -> None:
    key = world.account.held[hash]
    counters: dict[str, Any] = {name: getattr(key, name) + usd for name in COUNTERS if name.startswith("usage")}
    world.account.held[hash] = replace(key, **counters)


@pytest.mark.parametrize("label_alone", [False, True], ids=["known by its hash", "known by its label"])
def test_a_key_adopted_while_the_list_shows_no_spend_is_not_given_its_cap_twice(*, label_alone: bool) -> None:
    plaintext = "fake-plaintext-made-by-hand"
    hash = FIRST if label_alone else hashlib.sha256(plaintext.encode()).hexdigest()
    world = World(api_key(hash, spent=40.0, limit=100.0, limit_reset="monthly", label="sk-or-v1-fak...and"))
    world.account.plaintexts[plaintext] = hash
    world.account.zeroed = True
    world.rotate()
    retirement = Retirement(world)
    while not world.account.held[hash].disabled:
        retirement.tick()
        assert allowed_to_new(world) <= 60.0 + 1e-6
    for _ in range(10):
        retirement.tick()
        assert allowed_to_new(world) <= 60.0 + 1e-6


@pytest.mark.parametrize("dies", [False, True], ids=["", "the run dies right after the disable"])
def test_what_a_key_spent_while_the_list_showed_nothing_is_known_once_it_is_retired(*, dies: bool) -> None:
    """The list is wrong for as long as the overlap: what the old key spent in it counts, read by its hash."""
    retirement = rotated(10.0)
    world = retirement.world
    world.account.zeroed = True
    spends(world, FIRST, 30.0)

    def after(_: str) -> None:
        if dies and world.account.held[FIRST].disabled:
            world.account.after = lambda _: None
            raise Died

    world.account.after = after
    while not world.account.held[FIRST].disabled:
        with contextlib.suppress(Died):
            retirement.tick()
    retirement.tick()
    assert allowed_to_new(world) <= 60.0 + 1e-6
    noted = world.lineage.key(FIRST)
    assert noted
    assert noted.spent
    assert noted.spent["monthly"] == 40.0
