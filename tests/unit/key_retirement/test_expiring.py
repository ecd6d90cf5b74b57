"""The management key is announced before it ends, and while it is old."""

from datetime import timedelta

import pytest

from governor.policy import ManagementKey
from key_retirement.expiring import verdict
from key_retirement.settings import Look
from tests.unit.key_retirement.doubles import Retirement
from tests.unit.key_rotation.doubles import NOW, World

MONDAY = NOW + timedelta(days=5)


def mornings(days: int, *, expires_in: timedelta | None = None, put: timedelta = timedelta()) -> list[tuple[str, str]]:
    """Each day's news, from a Monday on: day of the month and `why`. The value was put `put` before the default."""
    world = World()
    world.account.management_key_expires_at = MONDAY + expires_in if expires_in else None
    retirement = Retirement(world)
    told = []
    for day in range(days):
        world.now = MONDAY + timedelta(days=day) + put
        retirement.act(Look(world.now))
        told += [(f"{event.occurred_at:%a}", event.evidence["why"]) for event in retirement.told("Key Expiring")]
        world.bus.events.clear()
    return told


def test_a_key_that_is_young_and_does_not_expire_is_no_news() -> None:
    assert mornings(30) == []


def test_it_is_told_every_day_from_three_weeks_before_it_expires() -> None:
    assert mornings(5, expires_in=timedelta(days=23)) == [("Wed", "expiry"), ("Thu", "expiry"), ("Fri", "expiry")]


def test_an_old_one_is_told_every_monday() -> None:
    assert mornings(15, put=timedelta(weeks=12)) == [("Mon", "age")] * 3


@pytest.mark.parametrize("days", [0, 1, 20])
def test_the_sentence_says_when_and_what_then(days: int) -> None:
    world = World()
    world.account.management_key_expires_at = NOW + timedelta(days=days, hours=2)
    retirement = Retirement(world)
    retirement.act(Look(NOW))
    retirement.act(Look(NOW))
    (event, again) = retirement.told("Key Expiring")
    assert f"in {days} days" in event.reason
    assert event.id == again.id
    assert event.evidence["secret"] == "governor/management-key"


@pytest.mark.parametrize(
    ("life", "why"),
    [(None, "lifetime"), (timedelta(days=120), "lifetime"), (timedelta(days=89), None), (timedelta(days=3), "expiry")],
)
def test_one_that_lives_longer_than_the_organization_allows_is_told(life: timedelta | None, why: str | None) -> None:
    ends = NOW + life if life else None
    assert verdict(ManagementKey(), NOW, ends, NOW, timedelta(days=90)) == why
