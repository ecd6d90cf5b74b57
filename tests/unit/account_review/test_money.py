"""The tables, movers and deeds of the demo organization, held against what was really spent there."""

from datetime import timedelta
from decimal import Decimal

import pytest

from account_review.costs import cents, windows
from account_review.past import deeds
from account_review.report import Report
from governor.events import DetailType, Event
from governor.events.evidence import Disable
from management_api import ActivityItem
from sandbox.reviewed import NOW
from sandbox.reviewed.clean import HABITS
from tests.unit.account_review.world import World


@pytest.fixture(scope="module")
def report() -> Report:
    return World().review()


def _near(one: Decimal, other: float) -> bool:
    return abs(float(one) - other) < 0.01


def test_the_windows_are_four_times_seven_completed_days() -> None:
    assert windows(NOW.date())[0] == (NOW.date() - timedelta(days=7), NOW.date())
    assert windows(NOW.date())[3][0] == NOW.date() - timedelta(days=28)


def test_every_table_has_the_same_total_and_it_is_what_was_spent(report: Report) -> None:
    totals = [table.total.weeks for table in report.money.costs.tables]
    for weeks in totals[1:]:
        assert [cents(one) for one in weeks] == [cents(one) for one in totals[0]]
    days = report.money.costs.days
    assert len(days) == 70
    week = sum((days[NOW.date() - timedelta(days=n)] for n in range(1, 8)), Decimal(0))
    assert cents(totals[0][0]) == cents(week)


def test_a_workload_that_grew_by_six_tenths_is_up_by_that_and_by_volume(report: Report) -> None:
    (mover,) = [one for one in report.money.movers if (one.kind, one.name) == ("workload", "prod-platform-search")]
    assert mover.reasons.main == "volume"
    assert _near(mover.reasons.change - sum(mover.reasons.parts.values()), 0)
    line = next(one for one in report.money.costs.workloads.lines if one.name == "prod-platform-search")
    assert 1.4 < float(line.week / line.usual) < 1.8
    assert (cents(line.week), cents(line.before)) == (mover.reasons.now, mover.reasons.before)


def test_byok_and_credits_are_apart(report: Report) -> None:
    payers = {line.name: line.week for line in report.money.costs.payers.lines}
    owned = next(one for one in report.money.costs.workloads.lines if one.name == "prod-platform-triage")
    assert cents(payers["BYOK"]) == cents(owned.week)
    assert payers["credits"] > payers["BYOK"] > 0


def test_workloads_and_models_have_the_28_days_before(report: Report) -> None:
    costs = report.money.costs
    assert {one.name for one in HABITS} == {*costs.workloads.month_before}
    assert sum(costs.workloads.month_before.values()) > 0
    assert cents(sum(costs.models.month_before.values(), Decimal(0))) == cents(
        sum(costs.workloads.month_before.values(), Decimal(0))
    )


def test_the_forecast_was_tried_on_the_past(report: Report) -> None:
    ahead = report.money.forecast
    assert ahead is not None
    assert ahead.low is not None
    assert ahead.high is not None
    assert ahead.so_far < ahead.low <= ahead.expected
    assert ahead.trials >= 10


def test_analytics_that_does_not_answer_is_unknown_and_the_rest_is_told() -> None:
    world = World()
    world.simulator.fault("/analytics/query", "500", times=None)
    report = world.review()
    assert report.money.forecast is None
    assert report.money.costs.workspaces.total.week > 0
    assert {"workloads", "days", "apps"} <= {*report.money.unknown}
    assert report.unread()


def _disabled(usd: float, cause: str, hours: int) -> Event:
    evidence = Disable.model_validate(
        {"name": "prod-a", "cause": cause, "trigger": "t", "rule": "r", "keys": [], "by_morning_usd": usd}
    )
    at = NOW - timedelta(hours=hours)
    return Event(DetailType.KEY_DISABLED, f"id-{hours}", "prod-a", at, "", evidence.model_dump(mode="json"))


def test_saved_is_what_disabled_runaways_of_this_week_would_have_cost_and_who_voted_is_named() -> None:
    events = [_disabled(120.5, "runaway", 5), _disabled(70.0, "operator", 6), _disabled(33.0, "runaway", 24 * 8)]
    request = {"r1": {"kind": "restore", "name": "prod-a", "subject": "prod-a"}}
    at = (NOW - timedelta(days=1)).isoformat()
    votes = {"r1": {"votes": [{"id": "v", "by": "U0LEAD", "verdict": "approve", "at": at, "comment": ""}]}}
    found = deeds(events, request, votes, NOW, 6.0)
    assert (found.saved, found.stopped, found.counts) == (Decimal("120.50"), ["prod-a"], {"Key Disabled": 2})
    assert found.cost == Decimal("1.38")
    assert [(one.by, one.verdict, one.what) for one in found.decided] == [("U0LEAD", "approve", "restore of prod-a")]


def test_a_deleted_workspaces_activity_is_kept_in_the_sums() -> None:
    world = World()
    gone = world.simulator.organization.workspace("platform-staging")
    world.simulator.organization.delete_workspace(gone)
    report = world.review()
    assert "(deleted)" in {line.name for line in report.money.costs.workspaces.lines}
    assert all(isinstance(row, ActivityItem) for row in report.facts.activity)
