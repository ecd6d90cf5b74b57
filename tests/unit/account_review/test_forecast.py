"""The month's forecast: known answers, and an interval that holds as often as it says on a past it has not seen."""

import random
from datetime import date, timedelta
from decimal import Decimal

from account_review.forecast import LEAST_TRIALS, forecast

DAY = timedelta(days=1)
TODAY = date(2026, 11, 23)
"""22 days of November are over, 8 are left."""


def _days(cost: "list[Decimal]", end: date = TODAY) -> dict[date, Decimal]:
    """A past that ends on the day before `end`."""
    return {end - DAY * (len(cost) - n): one for n, one in enumerate(cost)}


def test_a_constant_account_is_foretold_exactly_with_nothing_between_low_and_high() -> None:
    found = forecast(_days([Decimal(10)] * 90), TODAY)
    assert found is not None
    assert (found.so_far, found.expected) == (Decimal(220), Decimal(300))
    assert (found.low, found.high) == (Decimal(300), Decimal(300))
    assert found.held == found.trials >= LEAST_TRIALS


def test_a_weekly_rhythm_is_foretold_exactly() -> None:
    days = {TODAY - DAY * n: Decimal(2 if (TODAY - DAY * n).weekday() >= 5 else 9) for n in range(1, 91)}
    found = forecast(days, TODAY)
    assert found is not None
    # 23 to 30 November: Monday to Monday, six weekdays and a weekend.
    assert found.expected - found.so_far == 6 * 9 + 2 * 2
    assert (found.low, found.high) == (found.expected, found.expected)


def test_an_account_that_doubled_a_week_ago_is_foretold_by_the_mean_of_both_weeks() -> None:
    found = forecast(_days([Decimal(10)] * 83 + [Decimal(20)] * 7), TODAY)
    assert found is not None
    assert found.expected - found.so_far == 8 * 15


def test_with_too_little_past_there_is_no_interval_and_with_less_no_forecast() -> None:
    found = forecast(_days([Decimal(10)] * 25), TODAY)
    assert found is not None
    assert (found.expected, found.low, found.high) == (Decimal(300), None, None)
    assert forecast(_days([Decimal(10)] * 13), TODAY) is None


def test_a_day_that_is_not_known_is_no_day_that_cost_nothing() -> None:
    days = _days([Decimal(10)] * 90)
    del days[TODAY - DAY * 3]
    assert forecast(days, TODAY) is None
    days = _days([Decimal(10)] * 90)
    del days[date(2026, 10, 1)]  # before the month and before the last two weeks: only trials over it fall away
    found = forecast(days, TODAY)
    assert found is not None
    assert found.expected == Decimal(300)


def test_on_the_first_of_a_month_the_whole_month_is_ahead() -> None:
    first = date(2026, 12, 1)
    found = forecast(_days([Decimal(10)] * 90, first), first)
    assert found is not None
    assert (found.month, found.so_far, found.expected) == (first, Decimal(0), Decimal(310))


def test_the_interval_holds_about_as_often_as_it_says_on_days_that_it_has_not_seen() -> None:
    held = 0
    for seed in range(200):
        drawn = random.Random(seed)
        cost = [Decimal(f"{drawn.uniform(60, 140) * (0.4 if n % 7 >= 5 else 1.0):.2f}") for n in range(98)]
        found = forecast(_days(cost[:90]), TODAY)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= found.so_far + sum(cost[90:], Decimal(0)) <= found.high
    # Eight in ten are meant; the trials overlap, which makes it a little too sure of itself.
    assert 0.65 <= held / 200 <= 0.95
