"""The account's credits over whole runs: dollars and hours left, each threshold once until a top-up."""

from dataclasses import replace
from typing import Any

import pytest

from governor.policy import Policy
from spend_meter import codec
from spend_meter.budgets import Alerted
from spend_meter.codec import Codec


def told(world: Any) -> list[tuple[float, list[float], list[float]]]:
    """(USD left, dollar thresholds crossed, hour thresholds crossed) of each message about credits."""
    found = [one.evidence["credits"] for one in world.bus.of("Budget Threshold Reached")]
    return [(one["left_usd"], one["reached_usd"], one["reached_hours"]) for one in found]


def left(world: Any, usd: float, bought: float = 20_000.0, minutes: float = 1) -> None:
    world.account.credits = (bought, bought - usd)
    world.tick(minutes=minutes)


def test_an_account_that_bought_20000_is_told_at_each_dollar_threshold(world: Any) -> None:
    for usd in (3_900.0, 2_000.0, 1_900.0, 500.0, 50.0, 50.0, 1.0, 0.0, -2.0):
        left(world, usd, minutes=60 * 24 * 30)

    assert [(usd, reached) for usd, reached, hours in told(world) if reached] == [
        (2_000.0, [2_000.0]),
        (500.0, [500.0]),
        (50.0, [50.0]),
        (1.0, [1.0]),
        (0.0, [0.0]),
    ]


def test_several_thresholds_passed_at_once_are_one_message(world: Any) -> None:
    left(world, 3_900.0)
    left(world, 40.0)

    assert told(world) == [(40.0, [2_000.0, 500.0, 50.0], [])]


def test_a_top_up_arms_the_thresholds_below_the_new_balance_again(world: Any) -> None:
    left(world, 40.0)
    for _ in range(3):
        left(world, 600.0, bought=20_560.0)
    left(world, 450.0, bought=20_560.0)

    assert [reached for _, reached, _ in told(world)] == [[2_000.0, 500.0, 50.0], [500.0]]


def test_a_refund_arms_again_and_one_stale_answer_does_not(world: Any) -> None:
    left(world, 450.0)
    left(world, 20_000.0)
    left(world, 450.0)
    assert len(told(world)) == 1

    left(world, 700.0)
    left(world, 700.0)
    left(world, 450.0)
    assert len(told(world)) == 2


def test_hours_left_are_told_at_the_present_rate_and_at_the_usual_one_apart(world: Any) -> None:
    world.policy = policy(alert_at_usd=[])
    for minute in range(8 * 60 // 10):
        left(world, 3_000.0 - minute, minutes=10)
    assert told(world) == []

    for burst in range(1, 7):
        left(world, 2_953.0 - 10 * burst, minutes=10)

    (evidence,) = [one.evidence["credits"] for one in world.bus.of("Budget Threshold Reached")]
    assert evidence["reached_hours"] == [72.0]
    assert evidence["present_usd_per_hour"] == pytest.approx(50.0, abs=12.0)
    assert evidence["usual_usd_per_hour"] == pytest.approx(10.0, abs=10.0)
    assert evidence["hours_at_usual"] > 72 > evidence["hours_at_present"]


def test_hours_are_told_once_each_until_a_top_up(world: Any) -> None:
    world.policy = policy(alert_at_usd=[])
    for step in range(80 * 6):
        left(world, 900.0 - 1.66 * step, minutes=10)

    hours = [hour for _, _, reached in told(world) for hour in reached]
    assert sorted(set(hours)) == [24.0, 72.0]
    assert len(hours) <= 4


def test_the_largest_spenders_are_named(world: Any) -> None:
    hash = world.account.add("greedy")
    left(world, 3_900.0)
    world.account.spend(hash, 30.0)
    left(world, 1_900.0)

    (evidence,) = [one.evidence["credits"] for one in world.bus.of("Budget Threshold Reached")]
    assert evidence["top_spenders"] == [["greedy", pytest.approx(30.0)]]


def test_two_zeros_are_unknown_and_forget_nothing(world: Any) -> None:
    left(world, 450.0)
    world.account.credits = (0.0, 0.0)
    world.tick()
    world.tick()
    left(world, 449.0)

    assert len(told(world)) == 1


@pytest.mark.parametrize("used", [0.0, 37.5])
def test_an_account_that_never_bought_credits_is_told_nothing(world: Any, used: float) -> None:
    world.account.credits = (0.0, used)
    for _ in range(5):
        world.tick(minutes=60)

    assert told(world) == []


def test_credits_that_cannot_be_read_are_no_empty_account(world: Any) -> None:
    left(world, 450.0)
    world.account.failing = lambda request: 500 if request.url.path.endswith("/credits") else None

    report = world.tick()

    assert report.api_errors == 1
    assert report.failure is None
    world.account.failing = lambda request: None
    world.tick()
    assert len(told(world)) == 1


def topped_up_by_itself(world: Any) -> float:
    """Three purchases of $500, each when $200 are left. Returns what was bought."""
    bought = 1_000.0
    for _ in range(3):
        for usd in (600.0, 400.0, 200.0):
            left(world, usd, bought=bought, minutes=60)
        bought += 500.0
        left(world, 700.0, bought=bought)
        left(world, 700.0, bought=bought)
    return bought


def test_an_automatic_top_up_is_recognized_and_hours_are_not_told(world: Any) -> None:
    bought = topped_up_by_itself(world)
    before = len(told(world))
    for usd in (650.0, 500.0, 350.0, 220.0):
        left(world, usd, bought=bought, minutes=60)

    assert len(told(world)) == before


def test_an_automatic_top_up_that_does_not_come_is_told(world: Any) -> None:
    bought = topped_up_by_itself(world)
    left(world, 49.0, bought=bought, minutes=60)

    evidence = world.bus.of("Budget Threshold Reached")[-1].evidence["credits"]
    assert evidence["auto_top_up_usd"] == 500.0
    assert evidence["auto_top_up_at_usd"] == pytest.approx(200.0)
    assert evidence["reached_usd"] == [500.0, 50.0]
    assert evidence["reached_hours"]


def test_what_was_told_outlives_the_container(world: Any) -> None:
    left(world, 450.0)
    world.restart()
    left(world, 449.0)

    assert len(told(world)) == 1
    state = Codec().decode(world.stored())
    assert state.credits is not None


def test_a_reading_of_an_earlier_version_is_taken_over(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    left(world, 3_900.0)
    state = Codec().decode(world.stored())
    old = replace(state, budgets={"credits|account||lifetime": Alerted("", 20_000.0, (0.5, 0.8), 1)})
    facts = {name: value for name, value in codec._facts(old).items() if name != "credits"}
    with monkeypatch.context() as patch:
        patch.setattr(codec, "_facts", lambda state: facts)
        world.store.put(Codec().encode(old), world.store.get(None).etag)
    world.restart()
    left(world, 450.0)
    left(world, 450.0, minutes=60 - world.at.minute)

    assert [reached for _, reached, _ in told(world)] == [[2_000.0, 500.0]]
    assert not Codec().decode(world.stored()).budgets


def policy(**credits: Any) -> Policy:
    return Policy.model_validate({"version": 1, "account": {"credits": credits}})
