"""What a person said was meant: how far it reaches, by window and by calendar."""

import pytest

from spend_meter.days import DAY, WINDOWS
from spend_meter.lessons import Lessons

NOON = 20_000 * DAY + 720
QUARTER, HOUR, SIX_HOURS, WHOLE_DAY = range(len(WINDOWS))


def learned(*spent: float) -> Lessons:
    lessons = Lessons()
    lessons.add(NOON, spent)
    return lessons


def test_the_same_job_may_be_done_in_a_quarter_of_an_hour() -> None:
    assert learned(10, 40, 200, 200).meant(QUARTER, NOON) == 200


def test_a_job_whose_end_nobody_had_seen_may_have_grown_by_then() -> None:
    lessons = learned(10, 40, 40, 40)
    assert lessons.meant(SIX_HOURS, NOON) == pytest.approx(40 * 6 ** (2 / 3))
    assert lessons.meant(WHOLE_DAY, NOON) == pytest.approx(40 * 24 ** (2 / 3))


def test_on_other_days_of_the_month_nothing_is_meant() -> None:
    assert learned(10, 40, 200, 200).meant(QUARTER, NOON + 12 * DAY) == 0.0


def test_what_nobody_explained_is_not_meant() -> None:
    assert Lessons().meant(WHOLE_DAY, NOON) == 0.0


def test_a_lesson_survives_being_stored() -> None:
    lessons = learned(10, 40, 200, 200)
    again = Lessons.from_bytes(lessons.to_bytes())
    assert [again.meant(i, NOON) for i in range(len(WINDOWS))] == [lessons.meant(i, NOON) for i in range(len(WINDOWS))]
    assert Lessons.from_bytes(Lessons().to_bytes()).meant(HOUR, NOON) == 0.0
