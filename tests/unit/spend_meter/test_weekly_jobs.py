"""Jobs that run once a week, and were seen once, or not at all: they are not disabled for it."""

import pytest

from spend_meter.days import DAY
from spend_meter.history import History
from spend_meter.limits import LIMITS, Level
from tests.unit.spend_meter.test_runaway import DAWN, Story, levels

JOB = 42 / 60
"""USD a minute."""
LASTS = 150
UNREAD = {"lost": 25 * 60, "a lump": 25 * 60, "lost, but for an hour": 60}
"""Minutes."""


def weeks(count: int, unread: str = "", days: tuple[int, ...] = ()) -> Story:
    """A key that spends cents in every hour, at midnight after so many weeks. `unread`: what these days were."""
    history = History.empty(DAWN - count * 7 * DAY)
    for hour in range(count * 7 * 24):
        minute = DAWN - count * 7 * DAY + hour * 60 + 30
        if hour % 24 == 1 and hour // 24 in days:
            end = history.minute + UNREAD[unread]
            history.unknown(end) if unread.startswith("lost") else history.record(end, 0.5, UNREAD[unread])
        if minute > history.minute:
            history.record(minute, 0.02)
            history.teach()
    history.advance(DAWN)
    return Story(history, budget=750.0)


def a_week_later(story: Story) -> None:
    for _ in range(7 * 24 - LASTS // 60):
        story.live(1, 0.02)
        story.live(59, 0.0, every=59)


def test_a_job_as_no_weekday_like_it_has_brought_is_confirmed() -> None:
    assert Level.CONFIRM in levels(weeks(2).live(LASTS, JOB))


@pytest.mark.parametrize("unread", ["lost", "a lump"])
def test_a_job_whose_only_run_before_may_have_gone_unseen_is_suspected(unread: str) -> None:
    assert levels(weeks(2, unread, days=(7,)).live(LASTS, JOB)) == {Level.QUIET, Level.SUSPECT}


def test_a_job_that_begins_before_midnight_may_have_gone_unseen_the_day_before() -> None:
    assert levels(weeks(2, "lost", days=(5,)).live(LASTS, JOB)) == {Level.QUIET, Level.SUSPECT}


def test_once_it_was_suspected_it_is_known() -> None:
    story = weeks(2, "lost", days=(7,))
    story.live(LASTS, JOB)
    a_week_later(story)
    assert levels(story.live(LASTS, JOB)) == {Level.QUIET}


def test_what_was_lost_on_another_day_of_the_week_takes_nothing() -> None:
    assert Level.CONFIRM in levels(weeks(2, "lost", days=(10,)).live(LASTS, JOB))


def test_what_was_lost_for_an_hour_takes_nothing() -> None:
    assert Level.CONFIRM in levels(weeks(2, "lost, but for an hour", days=(7,)).live(LASTS, JOB))


def test_of_four_weeks_two_are_enough() -> None:
    assert Level.CONFIRM in levels(weeks(4, "lost", days=(7, 21)).live(LASTS, JOB))
    assert levels(weeks(4, "lost", days=(7, 14, 21)).live(LASTS, JOB)) == {Level.QUIET, Level.SUSPECT}


def test_what_was_lost_four_weeks_ago_is_forgotten() -> None:
    story = weeks(2, "lost", days=(7,))
    for _ in range(4):
        story.live(1, 0.02)
        a_week_later(story)
        story.live(LASTS, 0.0, every=LASTS)
    assert Level.CONFIRM in levels(story.live(LASTS, JOB))


def test_how_long_a_suspected_job_burned_is_known_once_the_suspicion_has_ended() -> None:
    story = weeks(2, "lost", days=(7,))
    assert not story.history.burns_on_end(LIMITS.on_end_floor, LIMITS.on_end)
    story.live(LASTS, JOB)
    assert story.history.burns_on_end(LIMITS.on_end_floor, LIMITS.on_end)
    story.live(2 * DAY, 0.0, every=60)
    story.live(LASTS, 3 * JOB)
    assert not story.history.burns_on_end(LIMITS.on_end_floor, LIMITS.on_end)


def test_histories_of_the_version_before_have_lost_nothing() -> None:
    now = weeks(4).history
    old = History.from_bytes(bytes([2, 0]) + now.to_bytes()[1:-4])
    assert old == now
