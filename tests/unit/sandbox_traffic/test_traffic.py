"""The traffic profiles: the same under a seed, and as awkward as they say."""

import pytest

from sandbox.traffic import PROFILES, Profile, loop
from sandbox.traffic.profile import ORIGIN

DAY = 1440


def days(name: str, monthly_usd: float = 300.0, seed: int = 1, first: int = 0, count: int = 56) -> list[float]:
    profile = Profile(name, monthly_usd, seed)
    return [sum(profile.day(ORIGIN + day)) for day in range(first, first + count)]


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_the_same_under_its_seed_in_whatever_order_it_is_read(name: str) -> None:
    minutes = [(ORIGIN + 9) * DAY + minute for minute in range(0, 4 * DAY, 7)]
    forwards = [Profile(name, 80.0, 3).minute_spend(minute) for minute in minutes]
    one = Profile(name, 80.0, 3)
    backwards = [one.minute_spend(minute) for minute in reversed(minutes)]
    assert forwards == backwards[::-1]
    assert days(name, seed=3) != days(name, seed=4)


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("monthly_usd", [5.0, 5000.0])
def test_an_ordinary_month_costs_about_what_the_profile_says(name: str, monthly_usd: float) -> None:
    months = [sum(days(name, monthly_usd, seed, first=-28, count=28)) for seed in range(10)]
    expected = monthly_usd * (0.62 if name == "daily growth" else 1.0)  # before day 0 it was still smaller
    assert sum(months) / len(months) == pytest.approx(expected, rel=0.3)


@pytest.mark.parametrize("name", PROFILES)
def test_no_spend_is_negative_and_a_small_key_idles_most_minutes(name: str) -> None:
    spend = [usd for day in range(28) for usd in Profile(name, 5.0, 1).day(ORIGIN + day)]
    assert min(spend) == 0.0
    assert sum(usd > 0 for usd in spend) < 0.1 * len(spend)


def test_office_hours_rest_at_weekends() -> None:
    spend = days("office hours")
    weekends = [usd for day, usd in enumerate(spend) if day % 7 >= 5]
    assert sum(weekends) < 0.1 * sum(spend)


def test_a_weekly_job_costs_ten_times_everything_else() -> None:
    for seed in range(3):
        spend = days("weekly job", seed=seed)
        assert 5 < sum(sorted(spend)[-8:]) / sum(sorted(spend)[:-8]) < 15


def test_growth_is_three_per_cent_a_day() -> None:
    spend = days("daily growth", monthly_usd=3000.0)
    assert sum(spend[28:]) / sum(spend[:28]) == pytest.approx(1.03**28, rel=0.2)


def test_a_launch_is_a_step_to_several_times_the_level_that_lasts_for_days() -> None:
    for seed in range(5):
        spend = days("product launch", monthly_usd=3000.0, seed=seed, count=62)
        ordinary = sum(spend[:28]) / 28
        best_four_days = max(sum(spend[day : day + 4]) / 4 for day in range(29, 58))
        assert 2.5 < best_four_days / ordinary < 8


def test_agent_bursts_have_a_heavy_tail() -> None:
    profile = Profile("agent bursts", 3000.0, 2)
    hours = sorted(
        sum(profile.day(ORIGIN + day)[hour * 60 : hour * 60 + 60]) for day in range(56) for hour in range(24)
    )
    busy = [usd for usd in hours if usd > 0]
    assert busy[-1] > 15 * busy[len(busy) // 2]


def test_a_development_key_rests_for_days() -> None:
    assert 0.3 < sum(usd == 0 for usd in days("sporadic development")) / 56 < 0.95


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(KeyError):
        Profile("holidays", 10.0, 1).minute_spend(0)


def test_a_loop_burns_its_rate_between_its_start_and_its_end() -> None:
    runaway = loop(600.0, 1000, end=1060)
    assert runaway.minute_spend(999) == runaway.minute_spend(1060) == 0.0
    assert sum(runaway.minute_spend(minute) for minute in range(1000, 1060)) == pytest.approx(600, rel=0.05)
    assert loop(600.0, 1000).minute_spend(10**6) > 0
