"""Windows of expected spend in the policy: what they explain, what they do not, and what is learned meanwhile."""

from typing import Any

import pytest

from governor.policy import ExpectedSpend
from spend_meter.codec import Codec
from spend_meter.days import DAY
from spend_meter.declared import Declared, counted, declared_at
from spend_meter.history import History
from spend_meter.limits import Level
from spend_meter.periods import minute_of
from spend_meter.runaway import QUIET, Facts, judge, settle
from tests.unit.spend_meter.conftest import START
from tests.unit.spend_meter.test_run import WORKLOAD
from tests.unit.spend_meter.test_runaway import DAWN, Story, accustomed

BACKFILL = {"name": "backfill", "up_to_usd": 400, "dates": ["2026-11-16"], "at": "12:00", "lasts": "3h"}


def watched(world: Any, *expect: dict[str, Any], **fields: Any) -> str:
    """A declared workload of small habit, watched at noon of 16 November; returns its key's hash."""
    runaway = {"mode": "disable", "expect": list(expect)}
    world.with_policy(workloads=[{**WORKLOAD, "runaway": runaway, **fields}])
    key: str = world.account.add("prod-agent")
    world.tick()
    world.accustom(key)
    return key


def alarms(world: Any) -> list[str]:
    return [event.detail_type.value for event in world.bus.of("Runaway Suspected", "Runaway Confirmed")]


def test_what_the_policy_expects_is_no_runaway_and_the_log_says_so(world: Any) -> None:
    key = watched(world, BACKFILL)
    world.burn(key, 500, minutes=40)
    assert alarms(world) == []
    world.account.spend(key, 8)
    assert world.tick().explained == {"prod-agent": "backfill"}


def test_without_the_window_the_same_is_confirmed(world: Any) -> None:
    world.burn(watched(world), 500, minutes=40)
    assert "Runaway Confirmed" in alarms(world)


def test_beyond_its_ceiling_all_of_it_counts_and_the_message_names_the_window(world: Any) -> None:
    key = watched(world, {**BACKFILL, "up_to_usd": 100})
    world.burn(key, 500, minutes=12)
    assert alarms(world) == []
    world.burn(key, 500, minutes=3)
    (confirmed,) = world.bus.of("Runaway Confirmed")
    (window,) = confirmed.evidence["expected"]
    assert (window["name"], window["up_to_usd"], window["counts"]) == ("backfill", 100, True)
    assert window["spent_usd"] > 100
    assert "In the policy's window “backfill” $" in confirmed.reason
    assert confirmed.reason.endswith(" was spent, more than its $100.00.")


def test_a_loop_that_goes_on_after_the_window_is_confirmed_and_what_the_window_explained_is_said(world: Any) -> None:
    key = watched(world, {**BACKFILL, "lasts": "30m"})
    world.burn(key, 500, minutes=20)
    assert alarms(world) == []
    world.burn(key, 500, minutes=15)
    (confirmed,) = world.bus.of("Runaway Confirmed")
    assert confirmed.evidence["expected"][0]["counts"] is False
    assert "which its $400.00 explains." in confirmed.reason


def test_budgets_are_not_touched_by_what_is_expected(world: Any) -> None:
    key = watched(world, BACKFILL, key={"limit_usd": 100, "limit_reset": "daily"})
    world.burn(key, 500, minutes=10)
    assert alarms(world) == []
    assert [event.subject for event in world.bus.of("Budget Threshold Reached")] == ["prod-agent", "prod-agent"]


def test_what_is_expected_of_one_workload_is_expected_of_no_other(world: Any) -> None:
    watched(world, BACKFILL)
    other = world.account.add("undeclared")
    world.tick()
    world.accustom(other)
    world.burn(other, 500, minutes=5)
    assert [event.subject for event in world.bus.of("Runaway Confirmed")] == [other]


@pytest.mark.parametrize(
    ("zone", "told"),
    [("America/New_York", False), ("Europe/Berlin", True)],  # 07:00 in New York is noon in UTC
)
def test_a_workloads_time_zone_goes_before_the_policys(world: Any, zone: str, told: bool) -> None:
    key = watched(world, {**BACKFILL, "at": "07:00"}, time_zone=zone)
    world.with_policy(
        time_zone="Asia/Tokyo",
        workloads=[one.model_dump(mode="json", exclude_none=True) for one in world.policy.workloads],
    ).restart()
    world.burn(key, 500, minutes=5)
    assert ("Runaway Confirmed" in alarms(world)) is told


def test_what_was_expected_is_not_learned_as_the_habit(world: Any) -> None:
    key = watched(world, BACKFILL)
    world.burn(key, 500, minutes=40)
    world.account.spend(key, 0.01)
    world.tick(minutes=DAY)
    world.account.spend(key, 1)
    world.tick(minutes=DAY)
    habits = History.from_bytes(Codec().decode(world.stored()).habits["prod-agent"])
    assert habits.maxima(60)[0] < 2


def test_a_stretch_in_a_window_hides_no_later_burn_without_a_pause() -> None:
    history = accustomed(0.005)
    window = Declared("close", DAWN + 60, DAWN + 360, 1000.0)
    for minute in range(DAWN + 1, DAWN + 480):
        history.record(minute, 2.0 if window.start <= minute < window.end else 0.005)
        settle(history, judge(history, Facts(minute, declared=(window,))), (window,))
    history.advance(DAWN + DAY)
    for minute in range(DAWN + DAY + 1, DAWN + DAY + 241):
        history.record(minute, 2.0)
        settle(history, judge(history, Facts(minute)))
    assert history.burns_on_end(2.5, 8.0)


def test_of_windows_that_overlap_the_highest_ceiling_counts_for_all_that_they_cover() -> None:
    month = ExpectedSpend(name="month", up_to_usd=100, calendar="month_end")
    quarter = ExpectedSpend(name="quarter", up_to_usd=900, calendar="quarter_end", at="17:00", lasts="12h")
    noon = minute_of(START.replace(month=12, day=31, hour=18))
    (both,) = declared_at((month, quarter), "UTC", noon)
    assert (both.name, both.up_to_usd, both.end - both.start) == ("quarter", 900, 29 * 60)


def test_a_window_that_has_not_begun_or_ended_a_day_ago_explains_nothing() -> None:
    rule = ExpectedSpend.model_validate(BACKFILL)
    begins = minute_of(START)
    seen = {passed: len(declared_at((rule,), "UTC", begins + passed)) for passed in (-1, 0, 180, 1619, 1620)}
    assert seen == {-1: 0, 0: 1, 180: 1, 1619: 1, 1620: 0}


def test_only_what_lies_in_the_window_is_taken_off() -> None:
    history = History.empty(DAWN)
    for minute in range(DAWN + 1, DAWN + 301):
        history.record(minute, 1.0)
    window = Declared("close", DAWN + 271, DAWN + 291, 1000.0)
    count = counted(history, (window,))
    assert count(15) == pytest.approx(10)  # the last ten minutes
    assert count(60) == pytest.approx(40)
    assert history.spent(360) - count(360) == pytest.approx(30)  # by half hours


def test_an_open_suspicion_that_a_window_explains_does_not_grow_to_a_confirmation() -> None:
    story = Story(accustomed(0.005))
    window = Declared("close", DAWN + 10, DAWN + 500, 1000.0)
    state, seen = QUIET, set()
    for minute in range(DAWN + 1, DAWN + 300):
        story.history.record(minute, 0.5 if minute < window.start else 2.0)
        verdict = judge(
            story.history, Facts(minute, previous=state, declared=(window,) if minute >= window.start else ())
        )
        settle(story.history, verdict, (window,))
        state = verdict.next_state
        seen.add(verdict.level)
    assert Level.CONFIRM not in seen
