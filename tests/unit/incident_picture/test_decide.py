"""Which picture an incident has, and that its words say what is drawn."""

from datetime import timedelta
from itertools import pairwise

import pytest

from governor.events import BadEvent, DetailType, Event
from incident_picture.decide import decide
from incident_picture.plot import MAX_ALT, Plot, dollars
from tests.unit.incident_picture.conftest import (
    MINUTES,
    T0,
    disabled,
    draining,
    leaking,
    low_credits,
    made,
    runaway,
    sample,
)


def _plot(*events: Event) -> Plot:
    plot = decide(events)
    assert plot is not None
    return plot


def test_a_runaways_minutes_are_the_readings_with_the_judged_minute_last() -> None:
    plot = _plot(runaway(DetailType.RUNAWAY_SUSPECTED), disabled())
    assert [point.usd for point in plot.points] == MINUTES
    assert plot.points[-1].at == T0
    assert {later.at - one.at for one, later in pairwise(plot.points)} == {timedelta(minutes=1)}


def test_a_later_reading_adds_its_minutes_and_has_the_last_word_on_the_others() -> None:
    later = [*MINUTES[1:-1], 8.2, 8.4]
    plot = _plot(runaway(DetailType.RUNAWAY_SUSPECTED), runaway(minute=1, spend_by_minute=later))
    assert [point.usd for point in plot.points] == later
    assert plot.points[-1].at == T0 + timedelta(minutes=1)


def test_habit_and_limit_are_those_of_the_window_by_the_minute() -> None:
    habit, limit = _plot(runaway()).levels
    assert (habit.kind, limit.kind) == ("habit", "limit")
    assert [habit.usd, limit.usd] == [pytest.approx(1.56 / 15), pytest.approx(5.0 / 15)]


def test_the_decisions_are_marked_and_only_a_disable_ends_it() -> None:
    plot = _plot(runaway(DetailType.RUNAWAY_SUSPECTED), runaway(minute=1), runaway(minute=2), disabled(minute=2))
    assert [(mark.label, mark.ends) for mark in plot.marks] == [
        ("suspected 03:00", False), ("confirmed 03:01", False), ("disabled 03:02", True),
    ]  # fmt: skip


def test_what_would_have_come_is_the_messages_own_figure() -> None:
    plot = _plot(runaway(), disabled())
    assert "$2,452.40 by the next 08:00 UTC" in plot.ahead_label
    assert "$2,452.40 by the next 08:00 UTC" in plot.alt
    assert [point.usd for point in plot.ahead] == [pytest.approx(492.12 / 60)] * 15
    assert plot.ahead[0].at > plot.points[-1].at


def test_while_nothing_stops_it_the_next_hour_is_told_and_after_its_end_nothing() -> None:
    assert "$492.12 in the next hour" in _plot(runaway()).alt
    over = _plot(runaway(), runaway(DetailType.RUNAWAY_ENDED, minute=9, rate_usd_per_hour=0.0))
    assert (over.ahead, over.ahead_label) == ((), "")
    assert over.title == "prod-search-agent: $492.12 an hour", "an end does not hide what it ended"


def test_a_leak_shows_days_beside_habit_and_limit() -> None:
    plot = _plot(leaking())
    assert [(bar.label, bar.usd) for bar in plot.bars] == [("habit", 150.11), ("limit", 300.0), ("spent", 412.37)]
    assert "$262.26 more than usual" in plot.alt


def test_a_budget_shows_each_message_and_where_the_rate_leads() -> None:
    first = sample("budget_threshold_reached", threshold=0.5, spent_usd=100.25, runs_out_at=None)
    second = sample("budget_threshold_reached")
    plot = _plot(first, second)
    assert [point.usd for point in plot.points] == [100.25, 160.4]
    assert [level.usd for level in plot.levels] == [200.0, 100.0, 160.0]
    assert plot.ahead[-1].usd == pytest.approx(160.4 + 3.1 * (12 + 46 / 60))
    assert "$160.40 of $200.00, 80%" in plot.alt


def test_credits_fall_to_nothing_at_the_present_rate() -> None:
    plot = _plot(low_credits())
    assert [point.usd for point in plot.points] == [41.2]
    assert plot.ahead[-1].usd == pytest.approx(0, abs=0.05)
    assert "$41.20" in plot.title
    assert _plot(low_credits(hours=None)).ahead == ()
    assert _plot(low_credits(left=-3.5)).points[-1].usd == -3.5


def test_a_drain_shows_who_still_pays_and_adds_up_to_what_was_spent() -> None:
    plot = _plot(draining())
    assert [bar.label for bar in plot.bars] == ["anthropic/claude-opus-4.5", "openai/gpt-5-mini", "other"]
    assert sum(bar.usd for bar in plot.bars) == pytest.approx(14.21)
    assert "disabled at 22 Nov 08:00 UTC" in plot.alt
    assert "disabled at" not in _plot(draining(rule="last_key")).alt, "that key is kept"
    assert [bar.label for bar in _plot(draining(top_models=[])).bars] == ["in all"]


def test_a_drain_that_nobody_measured_has_no_picture() -> None:
    assert decide([draining(spent_usd=None)]) is None


def test_a_credits_leak_grows_from_its_start_and_stops_at_its_end() -> None:
    plot = _plot(sample("credits_leak_suspected"))
    assert [point.usd for point in plot.points] == [0.0, 31.4]
    assert plot.ahead[-1].usd == pytest.approx(31.4 + 24 * 62.8)
    assert _plot(sample("credits_leak_suspected"), sample("credits_leak_ended")).ahead == ()


@pytest.mark.parametrize(
    "events",
    [(), (sample("monitor_blind"),), (runaway(spend_by_minute=[]),), (disabled(cause="operator"),)],
    ids=["none", "blind", "unmeasured", "by hand"],
)
def test_where_nothing_was_measured_there_is_no_picture(events: tuple[Event, ...]) -> None:
    assert decide(events) is None


@pytest.mark.parametrize("kind", [DetailType.RUNAWAY_CONFIRMED, DetailType.BUDGET_THRESHOLD_REACHED])
def test_evidence_of_another_shape_is_an_error_that_names_the_field(kind: DetailType) -> None:
    with pytest.raises(BadEvent, match=r"detail\.evidence\."):
        decide([made(kind, T0, spent_usd="much")])


@pytest.mark.parametrize("name", ["x" * 300, "a\nb", "<!channel>"])
def test_a_name_from_elsewhere_stays_one_short_line(name: str) -> None:
    plot = _plot(runaway(name=name))
    assert "\n" not in plot.title
    assert len(plot.title) < 80
    assert len(plot.alt) <= MAX_ALT


def test_the_same_figures_are_one_picture_and_others_another() -> None:
    assert _plot(runaway()).digest == _plot(runaway()).digest
    assert _plot(runaway()).digest != _plot(runaway(spend_by_minute=[*MINUTES[:-1], 8.19])).digest


@pytest.mark.parametrize(
    ("usd", "said"),
    [(0, "$0.00"), (0.004, "$0.004"), (1.005, "$1.00"), (4980, "$4,980.00"), (-3.5, "-$3.50"), (0.00012, "$0.00012")],
)
def test_dollars_are_to_the_cent(usd: float, said: str) -> None:
    assert dollars(usd) == said
