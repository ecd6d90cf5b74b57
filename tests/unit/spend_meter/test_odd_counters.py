"""Readings that cannot be, over whole runs: nothing is invented, nothing missed, and the next loop found in time."""

from typing import Any

import pytest

from management_api import Read
from spend_meter.codec import Codec


def loop(world: Any, **more: Any) -> str:
    """A key with a habit of a dollar a day; it has spent $83."""
    hash = str(world.account.add("loop", **more))
    world.account.spend(hash, 83)
    world.tick()
    world.accustom(hash)
    return hash


def stale(world: Any, hash: str, usage: float) -> None:
    """One run reads an old counter; the next reads the true one."""
    key = world.account.keys[hash]
    truth = dict(key)
    key |= {name: min(usage, key[name]) for name in ("usage", "usage_daily", "usage_weekly", "usage_monthly")}
    world.tick()
    world.account.keys[hash] = truth


@pytest.mark.parametrize("usage", [0.0, 53.0])
def test_a_stale_reading_and_back_is_no_spend(world: Any, usage: float) -> None:
    hash = loop(world)

    stale(world, hash, usage)
    world.account.spend(hash, 0.25)
    report = world.tick()

    assert report.spend_usd == pytest.approx(0.25)
    assert world.bus.of("Runaway Suspected", "Runaway Confirmed") == []


@pytest.mark.parametrize("usage", [0.0, 53.0])
def test_the_loop_after_a_stale_reading_is_confirmed_in_three_minutes_with_what_it_spent(
    world: Any, usage: float
) -> None:
    hash = loop(world)
    stale(world, hash, usage)
    world.tick()

    world.burn(hash, 500, minutes=3)

    (confirmed,) = world.bus.of("Runaway Confirmed")
    assert confirmed.evidence["spent_usd"] == pytest.approx(25, abs=0.1)


def test_a_stale_reading_within_a_loop_delays_its_end_by_a_run_at_most(world: Any) -> None:
    hash = loop(world)
    world.burn(hash, 500, minutes=1)
    world.account.spend(hash, 500 / 60)
    stale(world, hash, 53.0)

    world.burn(hash, 500, minutes=2)

    (confirmed,) = world.bus.of("Runaway Confirmed")
    assert confirmed.evidence["spent_usd"] == pytest.approx(4 * 500 / 60, abs=0.1)


def test_a_stale_reading_arms_no_budget_anew(world: Any) -> None:
    hash = loop(world, limit=100.0, limit_remaining=100.0)
    world.account.caps["ws-1"] = {"monthly": 100.0}
    for _ in range(6):
        world.tick()
    told = len(world.bus.of("Budget Threshold Reached"))

    stale(world, hash, 0.0)
    for _ in range(3):
        world.tick()

    assert told == 2
    assert len(world.bus.of("Budget Threshold Reached")) == told


def test_what_is_in_doubt_outlives_the_container(world: Any) -> None:
    hash = loop(world)
    stale(world, hash, 0.0)
    world.restart()
    world.account.spend(hash, 0.5)

    assert world.tick().spend_usd == pytest.approx(0.5)
    assert Codec().decode(world.stored()).doubts == {}


def test_the_loop_after_a_reading_that_leapt_is_confirmed_in_three_minutes(world: Any) -> None:
    hash = loop(world)
    truth = dict(world.account.keys[hash])
    world.account.keys[hash] |= {"usage": 900_000_000.0}
    world.tick()
    world.account.keys[hash] = truth

    world.burn(hash, 500, minutes=3)

    (confirmed,) = world.bus.of("Runaway Confirmed")
    assert confirmed.evidence["spent_usd"] == pytest.approx(25, abs=0.1)


@pytest.mark.parametrize("order", [1, -1])
def test_a_key_that_a_listing_shows_twice_has_its_highest_counters(world: Any, order: int) -> None:
    hash = loop(world)
    old = dict(world.account.keys[hash])
    world.account.spend(hash, 1.0)
    world.account.extra = [old, world.account.keys[hash]][::order]

    assert world.tick().spend_usd == pytest.approx(1.0)

    reading = world.meter()._connected(fresh=False).read_account(["ws-1"], concurrency=1)["ws-1"]
    assert isinstance(reading, Read)
    assert [key.usage for key in reading.keys] == [pytest.approx(84.02)]


IMPOSSIBLE = [float("inf"), float("nan"), 1e18, -1.0, "12.5", True]


@pytest.mark.parametrize("amount", IMPOSSIBLE)
def test_after_one_impossible_counter_a_loop_is_confirmed_in_the_usual_time(world: Any, amount: Any) -> None:
    hash = loop(world)
    truth = dict(world.account.keys[hash])
    world.account.keys[hash] |= {"usage": amount}
    assert world.tick().unknown_workspaces == 1
    world.account.keys[hash] = truth

    world.burn(hash, 500, minutes=3)

    (confirmed,) = world.bus.of("Runaway Confirmed")
    assert confirmed.evidence["spent_usd"] == pytest.approx(25, abs=0.1)


@pytest.mark.parametrize("amount", IMPOSSIBLE)
@pytest.mark.parametrize("field", ["usage", "byok_usage_daily", "limit", "limit_remaining"])
def test_an_impossible_amount_that_stays_is_told_and_hides_no_other_workspace(
    world: Any, field: str, amount: Any
) -> None:
    if field == "limit_remaining" and amount == -1.0:
        amount = -1e18  # a balance may be a little below zero: requests under way complete
    world.account.workspaces["ws-2"] = "other"
    hash = loop(world)
    other = world.account.add("other", workspace="ws-2")
    world.tick()
    world.account.keys[hash] |= {field: amount}
    for _ in range(4):
        world.account.spend(other, 1.0)
        assert world.tick().spend_usd == pytest.approx(1.0)

    (blind,) = world.bus.of("Monitor Blind")
    assert blind.subject == "ws-1"
    assert field in blind.evidence["error"]


@pytest.mark.parametrize("odd", ["a\nb", "a" * 63 + "\n", "a" * 63, "A" * 64, "", ("b" * 64) + "\n" + "b" * 64])
def test_a_hash_that_is_none_makes_its_workspace_unknown_and_the_reading_stays_readable(world: Any, odd: str) -> None:
    hash = loop(world)
    bad = world.account.add("bad")
    world.account.keys[bad]["hash"] = odd
    for _ in range(4):
        world.tick()
    (blind,) = world.bus.of("Monitor Blind")
    assert "hash" in blind.evidence["error"]
    del world.account.keys[bad]
    world.restart()
    world.account.spend(hash, 2.0)

    assert world.tick().spend_usd == pytest.approx(2.0)


def test_a_workspace_whose_id_is_none_is_not_taken_in(world: Any) -> None:
    hash = loop(world)
    world.account.workspaces["ws\n2"] = "odd"
    for _ in range(6):
        world.account.spend(hash, 1.0)
        assert world.tick().spend_usd == pytest.approx(1.0)
    world.restart()
    world.tick()

    assert set(Codec().decode(world.stored()).places) == {"ws-1"}


@pytest.mark.parametrize("amount", [float("inf"), float("nan"), -1.0])
def test_impossible_credits_are_unknown(world: Any, amount: float) -> None:
    world.account.credits = (100.0, 90.0)
    world.tick()
    told = len(world.bus.of("Budget Threshold Reached"))

    world.account.credits = (100.0, amount)
    report = world.tick()

    assert report.api_errors == 1
    assert len(world.bus.of("Budget Threshold Reached")) == told
