"""Small spend that waits changes no verdict."""

from datetime import UTC, datetime
from itertools import pairwise
from random import Random

import pytest

from spend_meter.days import WINDOWS
from spend_meter.habits import Habits
from spend_meter.history import History
from spend_meter.limits import LIMITS
from spend_meter.periods import minute_of
from spend_meter.runaway import QUIET, Facts, judge, settle
from spend_meter.small_spend import LOW, MOST, PATIENCE

NOON = minute_of(datetime(2026, 11, 16, 12, 0, tzinfo=UTC))


def test_what_is_low_is_far_below_every_floor() -> None:
    assert all(low * 20 < LIMITS.suspect * floor for low, floor in zip(LOW, LIMITS.floor, strict=True))


@pytest.mark.parametrize("usd_a_tick", [0.001, 0.05, 0.3, 1.0, 4.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_subject_whose_small_spend_waits_is_judged_as_one_whose_spend_does_not(seed: int, usd_a_tick: float) -> None:
    random = Random(seed)
    at_once, expected_state = History.empty(NOON), QUIET
    encoded: dict[str, bytes] = {}
    waiting: dict[str, bytes] = {}
    state = QUIET
    minute = NOON
    for _ in range(600):
        minute += random.choice([1, 1, 1, 1, 1, 5, 30, 200, 600])
        usd = usd_a_tick * random.random() * random.choice([1, 1, 1, 5, 30])
        at_once.record(minute, usd)
        expected = judge(at_once, Facts(minute, previous=expected_state))
        settle(at_once, expected)
        expected_state = expected.next_state

        habits = Habits(encoded, waiting)
        if state != QUIET or not habits.note("s", minute, usd, 1):
            history = habits.open("s", NOON)
            history.record(minute, usd)
            verdict = judge(history, Facts(minute, previous=state))
            settle(history, verdict)
            state = verdict.next_state
            assert verdict == expected
        else:
            assert expected_state == QUIET
        encoded, waiting = habits.close()

    history = Habits(encoded, waiting).open("s", NOON)
    history.advance(minute)
    assert [history.spent(window) for window in WINDOWS] == [at_once.spent(window) for window in WINDOWS]
    assert history.recent() == at_once.recent()


def test_notes_do_not_wait_for_ever() -> None:
    habits = Habits({}, {})
    habits.open("s", NOON)
    encoded, waiting = habits.close()
    longest = 0
    for minute in range(NOON, NOON + 200):
        habits = Habits(encoded, waiting)
        if not habits.note("s", minute, 0.0001, 1):
            habits.open("s", minute).record(minute, 0.0001)
        encoded, waiting = habits.close()
        longest = max(longest, len(waiting["s"]))

    assert longest <= 8 + (2 * MOST - 1) * 14


def test_notes_do_not_wait_for_ever_where_they_are_few() -> None:
    habits = Habits({}, {})
    habits.open("s", NOON)
    encoded, waiting = habits.close()
    entered = []
    for minute in range(NOON, NOON + 600, 10):
        habits = Habits(encoded, waiting)
        if not habits.note("s", minute, 0.0001, 1):
            habits.open("s", minute).record(minute, 0.0001)
            entered.append(minute)
        encoded, waiting = habits.close()

    waits = [later - earlier for earlier, later in pairwise(entered)]
    assert entered
    assert max(waits) <= 2 * PATIENCE + 10
