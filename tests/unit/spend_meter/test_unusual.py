"""Evidence of when a subject spends: what hides below the largest of its days, and what must not be taken for it."""

import pytest

from governor.events.evidence import RunawayRule
from spend_meter.days import DAY
from spend_meter.history import History
from spend_meter.limits import Level
from spend_meter.reasons import reason_of
from tests.unit.spend_meter.test_runaway import DAWN, Story, accustomed, first, levels

NIGHT = range(120, 210)
"""A job of 90 minutes."""
NOON = DAWN + 12 * 60


def job(usd: float = 900.0, days: int = 28) -> Story:
    """A key that spends this in a job every night, and stands at noon of the next day."""
    history = accustomed(usd / len(NIGHT), days, NIGHT)
    for minute in NIGHT:
        history.record(DAWN + minute, usd / len(NIGHT))
        history.teach()
    history.advance(NOON)
    return Story(history)


def test_a_loop_by_day_is_confirmed_below_the_size_of_the_nightly_job() -> None:
    verdicts = job().live(8 * 60, 500 / 60)
    assert first(verdicts, Level.CONFIRM) < 6 * 60
    confirmed = next(verdict for verdict in verdicts if verdict.level == Level.CONFIRM)
    assert confirmed.rule in (RunawayRule.HOURS, RunawayRule.ON_END)
    assert confirmed.spent_usd < 4.8 * 900


def test_a_job_that_failed_at_night_and_runs_by_day_is_not_confirmed() -> None:
    assert Level.CONFIRM not in levels(job().live(len(NIGHT), 900 / len(NIGHT)))


def test_two_nights_work_at_once_by_day_is_suspected_half_an_hour_before_it_is_confirmed() -> None:
    """Spend alone cannot tell it from a loop: people have this long to say that it is meant."""
    verdicts = job().live(len(NIGHT) * 2, 900 / len(NIGHT))
    assert first(verdicts, Level.SUSPECT) <= first(verdicts, Level.CONFIRM) - 30


def test_a_job_that_moved_by_an_hour_is_left_alone() -> None:
    story = job()
    story.history.advance(DAWN + DAY + NIGHT.start + 60)
    story.history.teach()
    assert levels(story.live(len(NIGHT), 900 / len(NIGHT))) == {Level.QUIET}


def test_one_rerun_by_day_does_not_blind_its_hours() -> None:
    story = job()
    story.live(len(NIGHT), 900 / len(NIGHT))
    story.live(DAY - len(NIGHT), 0.0)
    assert Level.CONFIRM in levels(story.live(8 * 60, 500 / 60))


def test_a_burn_that_does_not_end_is_confirmed_where_a_job_of_the_same_rate_is_not() -> None:
    story = job()
    assert Level.CONFIRM not in levels(story.live(120, 400 / 60))
    assert RunawayRule.ON_END in {verdict.rule for verdict in story.live(6 * 60, 400 / 60) if verdict.level}


def test_a_lump_of_unread_time_is_no_evidence_of_hours() -> None:
    story = job()
    told = story.live(4 * 60, 300 / 60, every=40)
    assert levels(told) == {Level.QUIET}


def test_a_subject_with_few_days_of_spend_is_not_judged_by_hours() -> None:
    verdicts = job(days=6).live(3 * 60, 500 / 60)
    assert not {v.rule for v in verdicts if v.level} & {RunawayRule.HOURS, RunawayRule.ON_END, RunawayRule.MONTH}


def test_a_months_money_in_a_day_is_confirmed_whatever_the_hours_say() -> None:
    story = Story(accustomed(10 / 1440, at=range(0, 1440, 10)))
    told = story.live(DAY, 400 / 1440)
    assert Level.CONFIRM in levels(told)


@pytest.mark.parametrize("rule", list(RunawayRule))
def test_each_rule_says_its_numbers_in_one_sentence(rule: RunawayRule) -> None:
    said = reason_of(rule, job().history, 360, 500.0)
    assert said.startswith("Spent $0.00 in 6 hours, ")
    assert said.endswith("; now burning $500.00 an hour.")


# --- what a person says ---------------------------------------------------------------------------------------------
def test_what_a_person_said_was_meant_is_left_alone_at_the_next_month_end() -> None:
    """31 March and 30 April: told once, and never again for as much."""
    march_31 = 20_543 * DAY
    history = History.empty(march_31 - 28 * DAY)
    for day in range(28):
        history.record(march_31 - (28 - day) * DAY + 600, 3.0)
        history.teach()
    history.advance(march_31 + 17 * 60)
    story = Story(history)
    told = story.live(180, 500 / 60)
    assert Level.CONFIRM in levels(told)
    history.meant()
    story.state = type(story.state)()
    story.live(60, 0.0)
    for day in range(1, 30):
        history.record(march_31 + day * DAY + 600, 3.0)
        history.teach()
    history.advance(march_31 + 30 * DAY + 17 * 60)
    assert levels(story.live(180, 500 / 60)) == {Level.QUIET}


def test_what_was_meant_at_a_month_end_is_still_found_in_the_middle_of_the_next_month() -> None:
    march_31 = 20_543 * DAY
    history = accustomed(0.05)
    history = History.empty(march_31 - 28 * DAY)
    for day in range(28):
        history.record(march_31 - (28 - day) * DAY + 600, 3.0)
        history.teach()
    story = Story(history)
    story.live(180, 500 / 60)
    history.meant()
    story.state = type(story.state)()
    for day in range(1, 16):
        history.record(march_31 + day * DAY + 600, 3.0)
        history.teach()
    assert Level.CONFIRM in levels(story.live(180, 500 / 60))


def test_a_runaway_that_nobody_explained_within_three_days_is_no_lesson() -> None:
    story = job()
    story.live(8 * 60, 500 / 60)
    story.history.rebaseline(story.history.minute)
    story.history.advance(story.history.minute + 4 * DAY)
    story.history.meant()
    assert story.history.expected(1440) == 0.0


def test_histories_of_the_version_before_are_read_and_know_no_hours() -> None:
    now = job().history
    before = bytes([1, 0]) + now.to_bytes()[1:697]
    old = History.from_bytes(before)
    assert old.maxima(1440) == now.maxima(1440)
    assert old.usual(60) == 0.0
    assert len(old.to_bytes()) == len(now.to_bytes()) <= 1300
