"""A clock that goes back, or that was ahead, leaves no minute unmetered, and people hear of it once."""

from datetime import timedelta
from typing import Any

import pytest

from spend_meter.clock_steps import minute_to_meter
from spend_meter.codec import Codec
from spend_meter.days import DAY, DAYS, WINDOWS
from spend_meter.history import History
from tests.unit.spend_meter.conftest import START, World

LAST = 1_000_000


@pytest.mark.parametrize(
    ("scheduled", "received", "metered"),
    [
        (1, 1, 1),
        (1, -60, 1),  # the machine's clock alone went back: the schedule's goes on
        (61, 61, 61),  # an hour without a run, or a clock that leapt: nobody can tell
        (0, 0, None),
        (0, 1, None),
        (-3, 1, None),  # delivered late
        (-4, 1, 1),  # later than a run can be: the schedule's clock went back, the machine's goes on
        (-1, -1, -1),
        (-4, -4, -4),
        (-60, -58, -58),
        (0, -1, None),  # the same run again, on a machine a second behind
    ],
)
def test_which_minute_a_run_meters(scheduled: int, received: int, metered: int | None) -> None:
    found = minute_to_meter(LAST + scheduled, LAST + received, LAST)

    assert found == (None if metered is None else LAST + metered)


@pytest.fixture
def burning(world: Any) -> tuple[World, str]:
    """A key of long habits that has been metered for ten minutes."""
    hash = world.account.add("agent", limit=1000.0, limit_remaining=1000.0, limit_reset="monthly")
    world.account.add("quiet")
    world.with_policy(defaults={"runaway": {"mode": "alert"}})
    world.tick()
    world.accustom(hash)
    for _ in range(10):
        world.account.spend(hash, 0.05)
        world.tick()
    return world, hash


@pytest.mark.parametrize("back", [2, 4, 5, 60, 24 * 60, 400 * 24 * 60])
def test_a_clock_that_goes_back_leaves_no_minute_unmetered(burning: tuple[World, str], back: int) -> None:
    world, hash = burning
    world.at -= timedelta(minutes=back)

    for _ in range(4):
        world.account.spend(hash, 2.0)
        report = world.tick()
        assert report.outcome == "metered"
        assert report.spend_usd == pytest.approx(2.0)


@pytest.mark.parametrize("back", [0, 2, 5, 31, 60, 24 * 60])
def test_a_loop_is_confirmed_in_as_many_minutes_whether_the_clock_goes_back_or_not(
    burning: tuple[World, str], back: int
) -> None:
    world, hash = burning
    world.account.spend(hash, 500 / 60)
    world.tick()
    world.at -= timedelta(minutes=back)

    world.burn(hash, 500, minutes=2)

    confirmed = world.bus.of("Runaway Confirmed")
    assert len(confirmed) == 1
    assert confirmed[0].evidence["spent_usd"] == pytest.approx(25.0, abs=1.0)


def test_a_quiet_account_is_suspected_of_nothing_while_the_clock_is_an_hour_back(burning: tuple[World, str]) -> None:
    world, hash = burning
    world.at -= timedelta(minutes=60)

    for _ in range(75):
        world.account.spend(hash, 0.05)
        world.tick()

    assert world.bus.of("Runaway Suspected", "Runaway Confirmed") == []


@pytest.mark.parametrize(("back", "times"), [(3, 0), (4, 1), (60, 1)])
def test_a_clock_that_goes_back_by_five_minutes_or_more_is_told_once(
    burning: tuple[World, str], back: int, times: int
) -> None:
    """Back by four minutes from the last reading is five from the time that is due."""
    world, _ = burning
    world.at -= timedelta(minutes=back + 1)
    for _ in range(5):
        world.tick()

    told = world.bus.of("Monitor Blind")
    assert len(told) == times
    for event in told:
        assert event.evidence["kind"] == "clock"
        assert f"went back by {back + 1} min" in event.reason
        assert "No Monitor Recovered follows" in event.reason
    assert world.bus.of("Monitor Recovered") == []


def test_the_message_that_a_run_could_not_publish_keeps_its_id(burning: tuple[World, str]) -> None:
    world, _ = burning
    world.at -= timedelta(minutes=60)
    before = world.store.stored
    world.tick()
    world.store.stored = before  # the run died before its reading was kept
    world.restart()
    world.tick(minutes=0)

    assert len(world.bus.of("Monitor Blind")) == 1


def test_a_run_of_the_schedule_that_is_ahead_blinds_none_of_those_that_follow(burning: tuple[World, str]) -> None:
    world, hash = burning
    right = world.at
    world.tick(at=right + timedelta(minutes=6), received=right + timedelta(minutes=1))
    world.at = right + timedelta(minutes=1)

    for _ in range(5):
        world.account.spend(hash, 2.0)
        assert world.tick().spend_usd == pytest.approx(2.0)


def test_a_machine_whose_clock_is_behind_alone_is_told_nothing_and_metered(burning: tuple[World, str]) -> None:
    world, hash = burning
    for _ in range(5):
        world.account.spend(hash, 2.0)
        at = world.at + timedelta(minutes=1)
        assert world.tick(at=at, received=at - timedelta(minutes=4)).spend_usd == pytest.approx(2.0)
    assert world.bus.of("Monitor Blind") == []


def test_a_schedule_whose_clock_is_behind_alone_is_metered_by_the_machines(burning: tuple[World, str]) -> None:
    world, hash = burning
    right = world.at
    for _ in range(5):
        right += timedelta(minutes=1)
        world.account.spend(hash, 2.0)
        assert world.tick(at=right - timedelta(minutes=10), received=right).spend_usd == pytest.approx(2.0)
    assert world.bus.of("Monitor Blind") == []


def test_a_budget_told_before_the_clock_went_back_is_told_no_second_time(world: Any) -> None:
    hash = world.account.add("agent", limit=10.0, limit_remaining=10.0, limit_reset="monthly")
    world.tick()
    world.account.spend(hash, 8.5)
    world.tick()
    world.at = START - timedelta(hours=1)
    for _ in range(10):
        world.tick()

    assert len(world.bus.of("Budget Threshold Reached")) == 1


def test_a_key_made_after_the_clock_went_back_has_spent_all_that_it_shows(burning: tuple[World, str]) -> None:
    world, _ = burning
    world.at -= timedelta(minutes=60)
    world.tick()
    new = world.account.add("new", made=world.at + timedelta(seconds=30))
    world.account.spend(new, 3.0)

    assert world.tick().spend_usd == pytest.approx(3.0)


def test_a_reading_of_which_all_parts_are_set_back_is_kept_and_read_again(burning: tuple[World, str]) -> None:
    world, hash = burning
    world.account.unlisted.add(hash)
    world.account.spend(hash, 0.3)
    world.tick()
    world.at -= timedelta(days=3)
    world.tick()
    world.restart()
    world.tick()

    state = Codec().decode(world.stored())
    assert state.tick == int(world.at.timestamp()) // 60
    ahead = [place.read_at for place in state.places.values() if place.read_at > state.tick]
    assert ahead == []


@pytest.mark.parametrize("back", [1, 29, 30, 61, DAY, 30 * DAY])
def test_a_history_that_is_set_back_has_the_same_windows(back: int) -> None:
    history = History.empty(LAST)
    for minute in range(LAST, LAST + 300):
        history.record(minute, 0.5 + minute % 7)
        history.teach()
    windows = [history.spent(window) for window in WINDOWS]
    recent = history.recent()

    history.set_back(back)

    assert [history.spent(window) for window in WINDOWS] == pytest.approx(windows)
    assert history.recent() == recent
    assert history.minute == LAST + 299 - back
    assert History.from_bytes(history.to_bytes()) == history


def test_a_day_that_begins_again_keeps_its_habit() -> None:
    history = History.empty(100 * DAY)
    history.record(100 * DAY + 10, 40.0)
    history.teach()
    history.advance(101 * DAY + 2)
    before = history.maxima(15)

    history.set_back(5)
    history.teach()
    history.advance(101 * DAY + 2)

    assert history.maxima(15) == before
    assert history.days_seen <= DAYS
