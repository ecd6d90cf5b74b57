"""When nobody is looking, it is told once."""

from typing import Any

import pytest


def failing(*workspaces: str) -> Any:
    return lambda request: 503 if request.url.params.get("workspace_id") in workspaces else None


def told(world: Any) -> list[tuple[str, str]]:
    events = world.bus.of("Monitor Blind", "Monitor Recovered")
    return [(event.detail_type.value, event.evidence["scope"]) for event in events]


@pytest.fixture
def two(world: Any) -> Any:
    world.account.workspaces["ws-2"] = "other"
    world.account.add("one")
    world.account.add("two", workspace="ws-2")
    world.tick()
    return world


def test_a_workspace_unread_for_more_than_three_runs_is_told_once(two: Any) -> None:
    two.account.failing = failing("ws-2")
    for _ in range(3):
        two.tick()
    assert told(two) == []

    for _ in range(10):
        two.tick()

    assert told(two) == [("Monitor Blind", "ws-2")]
    (event,) = two.bus.of("Monitor Blind")
    assert event.evidence["last_reading_at"] == "2026-11-16T12:00:00Z"
    assert event.evidence["error"]


def test_recovery_is_told_once_and_the_next_time_is_another_episode(two: Any) -> None:
    for _ in range(2):
        two.account.failing = failing("ws-2")
        for _ in range(5):
            two.tick()
        two.account.failing = failing()
        two.tick()
        two.tick()

    assert told(two) == [("Monitor Blind", "ws-2"), ("Monitor Recovered", "ws-2")] * 2


def test_an_account_that_cannot_be_read_at_all_is_told_as_one(two: Any) -> None:
    two.account.failing = lambda request: 503
    for _ in range(8):
        two.tick()
    two.account.failing = failing()
    two.tick()

    assert told(two) == [("Monitor Blind", "account"), ("Monitor Recovered", "account")]


def test_a_sweep_cut_off_by_its_deadline_is_told_at_once(two: Any) -> None:
    two.seconds_left = 5.0

    report = two.tick()

    assert told(two) == [("Monitor Blind", "account")]
    assert report.failure is not None
    two.seconds_left = 55.0
    two.tick()
    assert told(two)[1:] == [("Monitor Recovered", "account")]


def test_a_stretch_without_runs_is_not_blindness_once_it_is_read_again(two: Any) -> None:
    two.tick(minutes=60)

    assert told(two) == []


def test_a_workspace_that_was_deleted_is_not_missed(two: Any) -> None:
    del two.account.workspaces["ws-2"]
    for _ in range(20):
        two.tick()

    assert told(two) == []


def test_the_age_of_the_oldest_reading_grows_while_a_workspace_is_unread(two: Any) -> None:
    two.account.failing = failing("ws-2")

    assert [two.tick().oldest_reading_seconds for _ in range(3)] == [60, 120, 180]
