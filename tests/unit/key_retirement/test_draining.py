"""What analytics does not answer until now is not taken for "nobody uses the key"."""

from datetime import timedelta

import pytest

from tests.unit.key_retirement.doubles import Retirement
from tests.unit.key_rotation.doubles import FIRST, World, api_key


@pytest.fixture
def retirement() -> Retirement:
    """A workload just rotated, whose old key nobody uses."""
    world = World(api_key(), key={})
    world.rotate()
    return Retirement(world)


def retired_after(retirement: Retirement, hours: int) -> bool:
    for _ in range(hours):
        retirement.tick()
    return bool(retirement.world.account.held[FIRST].disabled)


def test_a_quiet_key_is_retired_when_analytics_knows_of_no_request(retirement: Retirement) -> None:
    assert retired_after(retirement, 30)


def test_no_request_of_a_key_that_analytics_could_not_resolve_is_no_quiet(retirement: Retirement) -> None:
    retirement.world.account.analytics.warnings = ["api_key_id ... could not be resolved"]
    assert not retired_after(retirement, 30)
    retirement.world.account.analytics.warnings = []
    assert retired_after(retirement, 1)


def test_no_request_in_an_answer_computed_hours_ago_is_no_quiet(retirement: Retirement) -> None:
    analytics = retirement.world.account.analytics
    analytics.cached_at = retirement.world.now
    assert not retired_after(retirement, 30)
    analytics.cached_at = retirement.world.now + timedelta(hours=1)
    assert retired_after(retirement, 1)


def test_who_uses_an_old_key_is_asked_no_further_back_than_analytics_answers() -> None:
    world = World(api_key(), key={}, copies={"regions": ["eu-west-1"]})
    world.rotate()
    retirement = Retirement(world)
    retirement.copies.lagging.add("eu-west-1")
    retirement.copies.regions["eu-west-1"] = "first"
    world.account.analytics.warnings = ["api_key_id ... could not be resolved"]
    retirement.tick(timedelta(days=40))
    ranges = [asked.time_range for asked in world.account.analytics.asked if asked.dimensions]
    assert [one and one.end - one.start for one in ranges] == [timedelta(days=31)] * 3
    (blocked,) = retirement.told("Drain Blocked")
    names = ("top_models", "top_apps", "top_users")
    assert blocked.evidence["missing"] == [f"{name}: ValueError from analytics" for name in names]
