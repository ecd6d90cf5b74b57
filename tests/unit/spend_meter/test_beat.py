"""Whole beats, over an account and stores in memory."""

from datetime import timedelta
from typing import Any

import pytest


def test_a_key_met_for_the_first_time_has_spent_nothing_this_minute(world: Any) -> None:
    old = world.account.add("old")
    world.account.spend(old, 500)

    report = world.beat()

    assert report.outcome == "metered"
    assert report.keys_read == 1
    assert report.spend_usd == 0


def test_spend_is_what_the_counter_grew_by(world: Any) -> None:
    one = world.account.add("one")
    world.account.spend(one, 500)
    world.beat()

    world.account.spend(one, 1.25)

    assert world.beat().spend_usd == pytest.approx(1.25)
    assert world.beat().spend_usd == 0


def test_state_survives_a_new_container(world: Any) -> None:
    one = world.account.add("one")
    world.beat()
    world.account.spend(one, 2)
    world.restart()

    assert world.beat().spend_usd == pytest.approx(2)


def test_a_five_hundred_dollar_an_hour_loop_is_confirmed_in_minutes(world: Any) -> None:
    one = world.account.add("loop", made=world.at - timedelta(days=60))
    world.account.analytics = []
    for _ in range(3):
        world.account.spend(one, 0.01)
        world.beat()
    for minute in range(1, 20):
        world.account.spend(one, 500 / 60)
        world.beat()
        if world.bus.of("Runaway Confirmed"):
            break

    (confirmed,) = world.bus.of("Runaway Confirmed")
    assert minute <= 4
    assert confirmed.subject == one
    (key,) = confirmed.evidence["keys"]
    assert key["counted_usd"] - key["window_start_usd"] == pytest.approx(confirmed.evidence["spent_usd"], abs=1e-3)
