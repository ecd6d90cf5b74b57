"""What analytics says of a suspected spend stands in the message, where it says it whole and in time."""

import json
from typing import Any

import pytest

from governor.events import Event
from spend_meter.request_kinds import compare

BEFORE = {("a/small", "batch"): (14.0, 1400.0), ("a/small", "unknown"): (6.0, 600.0)}


def test_a_new_model_a_new_app_price_and_pace_are_compared_with_the_fortnight_before() -> None:
    now = {("a/small", "batch"): (1.0, 100.0), ("b/large", "nightly"): (9.0, 20.0)}
    kinds = compare(now, BEFORE, spent_usd=10.0, minutes=60)
    assert kinds is not None
    assert (kinds.new_models, kinds.new_apps) == ([("b/large", 9.0)], [("nightly", 9.0)])
    assert kinds.requests_per_minute == 2.0
    assert kinds.usual_requests_per_minute == pytest.approx(2000 / (14 * 1440), abs=0.001)
    assert kinds.usd_per_request == pytest.approx(10 / 120, abs=1e-6)
    assert kinds.usual_usd_per_request == 0.01


def test_what_is_new_and_small_is_not_named() -> None:
    now = {("a/small", "batch"): (9.5, 100.0), ("b/large", "batch"): (0.5, 20.0)}
    kinds = compare(now, BEFORE, 10.0, 60)
    assert kinds is not None
    assert kinds.new_models == []


def test_a_key_without_a_past_has_nothing_that_is_new() -> None:
    kinds = compare({("b/large", "batch"): (10.0, 20.0)}, {}, 10.0, 60)
    assert kinds is not None
    assert (kinds.new_models, kinds.new_apps, kinds.usual_usd_per_request) == ([], [], None)


@pytest.mark.parametrize(
    ("now", "before"),
    [
        (None, BEFORE),  # cut short
        ({("a/small", "batch"): (10.0, 10.0)}, None),
        ({}, BEFORE),  # analytics is not there yet
        ({("a/small", "batch"): (4.0, 10.0)}, BEFORE),  # it shows less than half of what was metered
    ],
)
def test_what_analytics_does_not_show_whole_explains_nothing(now: Any, before: Any) -> None:
    assert compare(now, before, 10.0, 60) is None


ROWS: list[dict[str, Any]] = [
    {"model": "b/large", "app": None, "total_usage": 300.0, "request_count": "40"},
    {"model": "a/small", "app": "batch", "total_usage": "1.5", "request_count": 3},
]


def suspicion(world: Any, minutes: int = 60) -> Event:
    """That of a new key at $120 an hour."""
    world.tick()
    key = world.account.add("who-made-this", made=world.at)
    world.burn(key, 120, minutes=minutes)
    event: Event
    (event,) = world.bus.of("Runaway Suspected")
    return event


def test_a_suspicion_is_told_with_what_its_requests_are(world: Any) -> None:
    world.account.kinds = ROWS
    requests = suspicion(world).evidence["requests"]
    assert requests["usd_per_request"] == pytest.approx(301.5 / 43, abs=1e-6)
    assert world.account.asked.count("/analytics/query") == 2

    for _ in range(30):
        world.tick()
    assert world.account.asked.count("/analytics/query") == 2


@pytest.mark.parametrize("status", [429, 500, 401])
def test_without_analytics_the_suspicion_is_told_as_it_is(world: Any, status: int) -> None:
    world.account.kinds = ROWS
    world.account.failing = lambda request: status if request.url.path.endswith("/analytics/query") else None
    assert suspicion(world).evidence["requests"] is None
    assert world.account.asked.count("/analytics/query") == 1


@pytest.mark.parametrize("rows", [[{"model": "a"}], [{**ROWS[0], "request_count": "many"}], []])
def test_an_answer_that_makes_no_sense_changes_nothing(world: Any, rows: list[dict[str, Any]]) -> None:
    world.account.kinds = rows
    assert suspicion(world).evidence["requests"] is None


def test_with_a_warning_or_with_no_time_left_nothing_is_said(world: Any) -> None:
    world.account.kinds, world.account.warnings = ROWS, ["api_key_id ... could not be resolved"]
    assert suspicion(world).evidence["requests"] is None


def test_a_confirmed_runaway_waits_for_no_analytics(world: Any) -> None:
    world.account.kinds = ROWS
    old = world.account.add("old")
    world.tick()
    world.accustom(old)
    other = world.account.add("who-made-this", made=world.at)
    world.account.asked.clear()
    asked_when_confirmed = []

    def taken() -> None:
        asked_when_confirmed.append(world.account.asked.count("/analytics/query"))

    world.bus.takes = taken
    for _ in range(5):
        world.account.spend(old, 30)
        world.account.spend(other, 30)
        world.tick()
    kinds = {event.subject: event.detail_type.value for event in world.bus.handed_over}
    assert kinds == {old: "Runaway Confirmed", other: "Runaway Suspected"}
    (suspected,) = world.bus.of("Runaway Suspected")
    assert suspected.evidence["requests"] is None
    assert json.dumps(asked_when_confirmed) == "[0]"


def test_of_many_suspicions_at_once_three_are_asked_about(world: Any) -> None:
    world.account.kinds = ROWS
    world.tick()
    keys = [world.account.add(f"new-{number}", made=world.at) for number in range(8)]
    for _ in range(3):
        for key in keys:
            world.account.spend(key, 30)
        world.tick()
    assert len(world.bus.of("Runaway Suspected")) == 8
    assert world.account.asked.count("/analytics/query") == 6
