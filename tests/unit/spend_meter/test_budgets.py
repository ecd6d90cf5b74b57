"""Each threshold is told once, until something re-arms it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from spend_meter.budgets import Alerted, Budget, Crossing, describe, judge_budget

NOW = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
BUDGET = Budget("key_limit", "k", "prod-agent", "prod-agent", "monthly", 0.0, 100.0, (0.5, 0.8, 1.0), hash="k")


@dataclass
class Ledger:
    """One budget through time."""

    budget: Budget = BUDGET
    memory: Alerted | None = None
    now: datetime = NOW

    def spend(self, usd: float, **changes: Any) -> Crossing | None:
        self.budget = replace(self.budget, spent=usd, **changes)
        self.memory, crossing = judge_budget(self.budget, self.memory, self.now)
        return crossing


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def threshold(crossing: Crossing | None) -> float | None:
    return crossing.threshold if crossing else None


def test_each_threshold_is_told_once(ledger: Ledger) -> None:
    told = [threshold(ledger.spend(usd)) for usd in (10, 49.9, 50, 51, 79, 85, 99, 100, 120)]

    assert told == [None, None, 0.5, None, None, 0.8, None, 1.0, None]


def test_two_thresholds_at_once_raise_the_higher_and_record_the_lower(ledger: Ledger) -> None:
    crossing = ledger.spend(100)

    assert crossing is not None
    assert crossing.threshold == 1.0
    assert crossing.also_crossed == (0.5, 0.8)
    assert ledger.spend(101) is None


def test_a_share_that_is_a_float_short_of_the_threshold_has_reached_it(ledger: Ledger) -> None:
    assert threshold(ledger.spend(0.1 + 0.7, limit=1.0)) == 0.8


def test_the_period_arms_every_threshold_again(ledger: Ledger) -> None:
    first = ledger.spend(85)
    ledger.now = datetime(2026, 12, 1, 0, 0, tzinfo=UTC)

    assert ledger.spend(0.1) is None
    second = ledger.spend(85)
    assert threshold(second) == 0.8
    assert first is not None
    assert second is not None
    assert first.id != second.id


def test_a_changed_limit_arms_every_threshold_again_as_a_new_fact(ledger: Ledger) -> None:
    first, second, third = ledger.spend(85), ledger.spend(85, limit=90.0), ledger.spend(85, limit=100.0)

    assert [threshold(one) for one in (first, second, third)] == [0.8, 0.8, 0.8]
    assert len({one.id for one in (first, second, third) if one}) == 3


def test_hovering_around_a_threshold_tells_nothing_twice(ledger: Ledger) -> None:
    assert threshold(ledger.spend(81)) == 0.8

    assert [ledger.spend(usd) for usd in (79, 81, 75, 80, 71, 82)] == [None] * 6


def test_falling_well_below_arms_the_threshold_again_as_a_new_fact(ledger: Ledger) -> None:
    first = ledger.spend(81)
    assert ledger.spend(69) is None

    second = ledger.spend(81)

    assert threshold(second) == 0.8
    assert second is not None
    assert first is not None
    assert second.id != first.id
    assert second.also_crossed == ()


def test_the_same_fact_has_the_same_id(ledger: Ledger) -> None:
    one, other = Ledger().spend(85), ledger.spend(85)

    assert one is not None
    assert other is not None
    assert one.id == other.id


def test_disable_at_is_a_threshold_of_its_own(ledger: Ledger) -> None:
    crossing = ledger.spend(95, disable_at=0.95)

    assert crossing is not None
    assert crossing.threshold == 0.95
    assert describe(crossing, [], 0.0, NOW)[1].disable
    below = Ledger().spend(85, disable_at=0.95)
    assert below is not None
    assert not describe(below, [], 0.0, NOW)[1].disable


def test_a_quiet_budget_is_not_remembered(ledger: Ledger) -> None:
    ledger.spend(10)

    assert ledger.memory is None


def test_a_new_period_forgets_the_old_one(ledger: Ledger) -> None:
    ledger.spend(85)
    ledger.now = datetime(2026, 12, 1, tzinfo=UTC)
    ledger.spend(0)

    assert ledger.memory is None


def test_guardrail_budgets_of_two_keys_are_two_budgets() -> None:
    one = replace(BUDGET, scope="guardrail", scope_id="g", hash="k")

    assert one.identity != replace(one, hash="l").identity


@pytest.mark.parametrize(
    ("period", "resets"),
    [
        ("daily", datetime(2026, 11, 17, tzinfo=UTC)),
        ("weekly", datetime(2026, 11, 23, tzinfo=UTC)),
        ("monthly", datetime(2026, 12, 1, tzinfo=UTC)),
        ("lifetime", None),
    ],
)
def test_an_alert_says_when_the_period_resets(period: Any, resets: datetime | None) -> None:
    crossing = Ledger().spend(85, period=period)

    assert crossing is not None
    assert describe(crossing, [], 0.0, NOW)[1].resets_at == resets


def test_an_alert_says_when_the_money_runs_out_at_the_present_rate(ledger: Ledger) -> None:
    crossing = ledger.spend(80)

    assert crossing is not None
    assert describe(crossing, [], 5.0, NOW)[1].runs_out_at == NOW + timedelta(hours=4)
    assert describe(crossing, [], 0.0, NOW)[1].runs_out_at is None
    # At a cent an hour the month ends first.
    assert describe(crossing, [], 0.01, NOW)[1].runs_out_at is None


def test_the_reason_is_a_sentence_with_the_numbers(ledger: Ledger) -> None:
    crossing = ledger.spend(85.123)

    assert crossing is not None
    reason, _ = describe(crossing, [], 0.0, NOW)
    assert reason == "The key prod-agent has spent $85.12 of $100.00 (monthly): 80% reached."
