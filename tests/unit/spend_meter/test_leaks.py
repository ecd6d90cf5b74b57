"""A leak of two to three times the habit is told once, on its third day, and ends when it is back."""

from dataclasses import replace
from typing import Any

import pytest

from governor.ledger import Put
from spend_meter.clock_steps import set_back
from spend_meter.codec import Codec
from spend_meter.days import DAY
from spend_meter.history import History
from spend_meter.leaks import Leak, watch
from spend_meter.limits import UNLIMITED, Allowed
from spend_meter.runaway import QUIET, Facts, Verdict, judge, settle
from spend_meter.state import State
from tests.unit.spend_meter.test_run import WORKLOAD
from tests.unit.spend_meter.test_runaway import DAWN, accustomed

HABIT = 24.0
"""USD a day, a dollar in each hour."""


class Life:
    """A subject with this habit for four weeks, read every half hour."""

    def __init__(self, budget: float | None = None) -> None:
        self.history = accustomed(HABIT / DAY, at=range(DAY))
        self.allowed = Allowed(budget) if budget else UNLIMITED
        self.leak: Leak | None = None
        self.state = QUIET
        self.news: list[tuple[float, Verdict]] = []

    def days(self, days: float, usd_a_day: float) -> "Life":
        for _ in range(int(days * 48)):
            minute = self.history.minute + 30
            self.history.record(minute, usd_a_day / 48, 30)
            verdict = judge(self.history, Facts(minute, self.allowed, self.state))
            settle(self.history, verdict)
            self.state = verdict.next_state
            self.leak, news = watch(self.leak, self.history, self.history.spent(DAY), self.allowed, self.state)
            if news:
                self.news.append(((minute - DAWN) / DAY, news))
        return self


def test_a_leak_is_told_once_on_its_third_day_with_its_dollars() -> None:
    life = Life().days(10, 2.5 * HABIT)
    [(day, told)] = life.news
    assert 2.4 < day < 2.5  # ten hours until a day is over the habit, and two days
    assert told.rule == "leak"
    assert told.announce
    assert "in 3 days, 2." in told.reason
    assert "more than usual" in told.reason


def test_it_ends_when_spend_is_back() -> None:
    life = Life().days(5, 2.5 * HABIT).days(4, HABIT)
    (_, told), (day, ended) = life.news
    assert told.announce
    assert ended.ended
    assert 6 < day < 8
    assert ended.reason.endswith("a day is over.")
    assert life.leak is None


def test_what_goes_on_for_a_fortnight_is_the_habit_and_is_not_told_again() -> None:
    life = Life().days(40, 2.5 * HABIT)
    assert [verdict.ended for _, verdict in life.news] == [False, True]
    assert "taken for the habit now" in life.news[1][1].reason


@pytest.mark.parametrize(("days", "times"), [(1, 2.5), (1.5, 2.5), (20, 1.5), (20, 6)])
def test_two_days_a_half_more_and_a_launch_are_no_leak(days: float, times: float) -> None:
    assert Life().days(days, times * HABIT).days(5, HABIT).news == []


def test_growth_that_the_budget_covers_is_the_budgets_to_tell() -> None:
    assert Life(budget=3 * HABIT * 30).days(10, 2.5 * HABIT).news == []
    assert len(Life(budget=1.5 * HABIT * 30).days(10, 2.5 * HABIT).news) == 1


def test_slow_growth_is_no_leak() -> None:
    life = Life()
    for day in range(40):
        life.days(1, HABIT * 1.03**day)
    assert life.news == []


def test_a_launch_four_weeks_ago_makes_no_leak_of_ordinary_days() -> None:
    life = Life().days(5, 6 * HABIT).days(40, HABIT)
    assert life.news == []


def test_a_leak_that_an_incident_of_its_own_has_told_is_not_told_again() -> None:
    life = Life()
    life.state = replace(QUIET, told_minute=DAWN)
    assert life.days(10, 2.5 * HABIT).news == []


def leaking(world: Any, **workload: Any) -> str:
    """A declared workload of a dollar an hour for three weeks, then of two and a half for three days."""
    world.with_policy(workloads=[{**WORKLOAD, **workload}])
    key: str = world.account.add("prod-agent")
    world.tick(at=world.at.replace(hour=0, minute=0))
    live(world, key, days=21, usd_an_hour=1.0)
    live(world, key, days=4, usd_an_hour=2.5)
    return key


def live(world: Any, key: str, days: int, usd_an_hour: float) -> None:
    for _ in range(days * 24):
        world.account.spend(key, usd_an_hour)
        world.tick(minutes=60)


def test_people_are_told_and_nothing_is_confirmed(world: Any) -> None:
    key = leaking(world, runaway={"mode": "disable"})
    (told,) = world.bus.of("Runaway Suspected", "Runaway Confirmed")
    assert (told.detail_type, told.subject, told.evidence["rule"]) == ("Runaway Suspected", "prod-agent", "leak")
    assert told.evidence["keys"][0]["hash"] == key
    world.restart()
    live(world, key, days=1, usd_an_hour=0.01)
    world.account.spend(key, 0.001)
    world.tick(minutes=2 * DAY)
    assert [event.evidence["rule"] for event in world.bus.of("Runaway Ended")] == ["leak"]


def test_a_leak_of_a_key_that_spends_nothing_any_more_ends(world: Any) -> None:
    leaking(world)
    for _ in range(3):
        world.tick(minutes=DAY)
    assert len(world.bus.of("Runaway Ended")) == 1


def test_after_expected_no_more_is_told_of_it(world: Any) -> None:
    key = leaking(world)
    until = world.at.isoformat().replace("+00:00", "Z").replace(f"T{world.at:%H}", "T23")
    world.ledger.commit(Put("detector", "prod-agent#expected", {"kind": "expected", "until": until}))
    live(world, key, days=2, usd_an_hour=2.5)
    live(world, key, days=3, usd_an_hour=1.0)
    assert len(world.bus.of("Runaway Suspected")) == 1
    assert world.bus.of("Runaway Ended") == []


def test_where_the_detector_is_off_no_leak_is_told(world: Any) -> None:
    leaking(world, runaway={"mode": "off"})
    assert world.bus.of("Runaway Suspected") == []


def test_spend_that_the_policy_expects_is_no_leak(world: Any) -> None:
    expected = {"name": "reindex", "up_to_usd": 100, "cron": "0 0 * * *", "lasts": "24h"}
    leaking(world, runaway={"mode": "alert", "expect": [expected]})
    assert world.bus.of("Runaway Suspected") == []


def test_what_is_over_its_habit_survives_encoding_and_a_clock_that_goes_back() -> None:
    leak = Leak(24.0, 20_000 * DAY + 9, 20_002, 60.5, 121.0, told=20_002 * DAY + 5, silent=False)
    state = State(tick=20_002 * DAY + 10, leaks={"prod-agent": leak})
    assert Codec().decode(Codec().encode(state)).leaks == state.leaks
    back = set_back(state, DAY).leaks["prod-agent"]
    assert (back.began, back.day, back.told) == (19_999 * DAY + 9, 20_001, 20_001 * DAY + 5)


def test_a_history_that_knows_few_days_is_watched_for_no_leak() -> None:
    history = History.empty(DAWN)
    history.record(DAWN + 30, 50.0, 30)
    assert watch(None, history, 50.0, UNLIMITED, QUIET) == (None, None)
