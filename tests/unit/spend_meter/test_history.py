"""What a subject's memory keeps, and what it refuses to learn."""

from copy import deepcopy
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spend_meter.days import DAY, DAYS, WINDOWS
from spend_meter.history import History

DAWN = 20_000 * DAY
"""Midnight UTC of some day."""

amounts = st.floats(0.001, 500).map(lambda usd: round(usd, 4))
steps = st.lists(st.tuples(st.integers(1, 4000), amounts, st.integers(1, 300)), max_size=12)


def lived(story: list[tuple[int, float, int]], history: History | None = None) -> History:
    history = history or History.empty(DAWN)
    for passed, usd, span in story:
        history.record(history.minute + passed, usd, min(span, passed))
        history.teach()
    return history


def a_day_of(history: History, day: int, usd: float, at: int = 600) -> None:
    history.record(DAWN + day * DAY + at, usd)
    history.teach()


@given(steps, st.one_of(st.integers(1, 3000), st.just(30 * DAY)))
@settings(max_examples=25, deadline=None)
def test_advancing_late_is_the_same_as_advancing_every_minute(story: list[tuple[int, float, int]], idle: int) -> None:
    late, minutely = lived(story), lived(story)
    start = late.minute
    late.advance(start + idle)
    for minute in range(start + 1, start + idle + 1):
        minutely.advance(minute)
    assert late == minutely


@given(steps, steps)
@settings(max_examples=60, deadline=None)
def test_a_history_comes_back_from_its_bytes_and_goes_on_the_same(
    before: list[tuple[int, float, int]], after: list[tuple[int, float, int]]
) -> None:
    history = lived(before)
    again = History.from_bytes(history.to_bytes())
    assert again == history
    assert lived(after, again) == lived(after, history)


@given(steps)
@settings(max_examples=60, deadline=None)
def test_an_hour_is_exact_and_longer_windows_never_hold_less(story: list[tuple[int, float, int]]) -> None:
    history = lived(story)
    spent = [history.spent(window) for window in WINDOWS]
    assert spent[1] == pytest.approx(sum(history.recent(60)), rel=1e-5)
    assert all(a <= b * 1.00001 for a, b in pairwise(spent))


def test_a_history_takes_less_than_900_bytes() -> None:
    assert len(lived([(7, 3.0, 1)] * 500).to_bytes()) < 900


@pytest.mark.parametrize("content", [b"", b"\x00" * 820, b"\x01\x02"])
def test_bytes_of_another_version_or_length_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a version 3 history"):
        History.from_bytes(content)


def test_a_lump_after_a_gap_is_no_burst() -> None:
    history = History.empty(DAWN)
    history.record(DAWN + 300, 300.0, span=300)
    assert history.spent(15) == pytest.approx(15)
    assert history.spent(60) == pytest.approx(60)
    assert history.spent(1440) == pytest.approx(300)


def test_of_a_lump_older_than_a_day_only_the_last_day_counts() -> None:
    history = History.empty(DAWN)
    history.record(DAWN + 3 * DAY, 3 * DAY * 1.0, span=3 * DAY)
    assert history.spent(1440) == pytest.approx(DAY, rel=0.03)
    assert history.spent(60) == pytest.approx(60)


@given(st.lists(st.floats(1, 1000), min_size=30, max_size=40), st.data())
@settings(max_examples=60, deadline=None)
def test_a_gap_never_lowers_what_was_learned(days: list[float], data: st.DataObject) -> None:
    history = History.empty(DAWN)
    for day, usd in enumerate(days):
        a_day_of(history, day, usd)
    history.advance(DAWN + len(days) * DAY)
    before = {window: history.maxima(window) for window in WINDOWS}
    gap = data.draw(st.integers(2, 40 * DAY))
    end = history.minute + gap
    if lost := data.draw(st.booleans()):
        history.unknown(end)
    else:
        history.record(end, 0.01, span=gap)
    history.advance((end // DAY + 1) * DAY)
    for window in WINDOWS:
        if lost or gap * 3 > window:
            assert history.maxima(window) >= before[window]


def test_unread_days_leave_what_was_learned_as_it_was() -> None:
    history = History.empty(DAWN)
    for day in range(DAYS):
        a_day_of(history, day, 10.0 + day)
    history.advance(DAWN + DAYS * DAY)
    before = {window: history.maxima(window) for window in WINDOWS}
    history.unknown(DAWN + (DAYS + 200) * DAY + 5)
    history.advance(DAWN + (DAYS + 201) * DAY)
    assert {window: history.maxima(window) for window in WINDOWS} == before


def test_an_idle_day_is_known_and_an_unread_one_is_not() -> None:
    idle, unread = History.empty(DAWN), History.empty(DAWN)
    idle.advance(DAWN + 5 * DAY)
    unread.unknown(DAWN + 5 * DAY)
    assert (idle.days_seen, idle.days_of_spend) == (5, 0)
    assert unread.days_seen == 0


def test_a_day_leaves_half_of_its_maximum_after_28_days() -> None:
    history = History.empty(DAWN)
    a_day_of(history, 0, 64.0)
    history.advance(DAWN + 28 * DAY)
    assert history.maxima(60) == (64.0, 0.0)
    history.advance(DAWN + 29 * DAY)
    assert history.maxima(60) == (32.0, 0.0)


def test_today_teaches_only_once_it_is_over() -> None:
    history = History.empty(DAWN)
    a_day_of(history, 0, 64.0)
    assert history.maxima(15) == (0.0, 0.0)
    history.advance(DAWN + DAY)
    assert history.maxima(15) == (64.0, 0.0)


def test_what_is_withheld_teaches_later_and_what_is_discarded_never() -> None:
    withheld, discarded = History.empty(DAWN), History.empty(DAWN)
    for history in (withheld, discarded):
        history.record(DAWN + 10, 50.0)
        history.withhold()
    discarded.discard()
    for history in (withheld, discarded):
        history.advance(DAWN + 100)
        history.teach()
        history.advance(DAWN + DAY)
    assert withheld.maxima(15)[0] == 50.0
    assert discarded.maxima(15)[0] == 0.0


def test_after_a_rebaseline_the_incident_counts_nowhere_but_can_still_be_shown() -> None:
    history = History.empty(DAWN)
    for minute in range(1, 31):
        history.record(DAWN + minute, 8.0)
        history.discard()
    history.rebaseline(DAWN + 40)
    assert [history.spent(window) for window in WINDOWS] == [0.0] * 4
    assert sum(history.recent(60)) == pytest.approx(240)
    history.record(DAWN + 41, 0.5)
    history.teach()
    assert [history.spent(window) for window in WINDOWS] == [0.5] * 4
    history.advance(DAWN + DAY)
    assert history.maxima(1440) == (0.5, 0.0)


def test_a_lump_that_reaches_back_before_a_rebaseline_counts_only_from_there() -> None:
    history = History.empty(DAWN)
    history.rebaseline(DAWN + 100)
    history.record(DAWN + 110, 20.0, span=20)
    assert history.spent(60) == pytest.approx(10)
    assert history.spent(1440) == pytest.approx(10)


def test_a_clock_that_steps_back_loses_nothing() -> None:
    history = History.empty(DAWN + 100)
    history.record(DAWN + 90, 5.0)
    history.advance(DAWN + 80)
    assert (history.minute, history.spent(15)) == (DAWN + 100, 5.0)


def test_analytics_fills_unseen_days_and_leaves_seen_ones() -> None:
    history = History.empty(DAWN - DAY)
    a_day_of(history, -1, 3.0)
    history.advance(DAWN)
    first = (DAWN // DAY - 10) * 24
    hourly = [(first, 0.0)] + [(first + 24 * day + 2, 40.0 + day) for day in range(10)]
    before = deepcopy(history)
    history.learn(hourly)
    assert history.days_seen == 10
    assert history.maxima(60) == (48.0, 47.0)
    assert history.maxima(15) == (48.0, 47.0)
    before.learn([])
    assert before.days_seen == 1


def test_analytics_learns_long_windows_across_midnight() -> None:
    history = History.empty(DAWN)
    first = (DAWN // DAY - 3) * 24
    history.learn([(first, 0.0), (first + 23, 10.0), (first + 24, 10.0)])
    assert history.maxima(360) == (20.0, 10.0)
