"""The detector's verdicts, each on a story told minute by minute."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spend_meter.days import DAY, WINDOWS
from spend_meter.history import History
from spend_meter.limits import LIMITS, Allowed, Level
from spend_meter.runaway import QUIET, Facts, State, Verdict, judge, settle

DAWN = 20_000 * DAY


def accustomed(usd_a_minute: float, days: int = 28, at: Iterable[int] = range(600, 660)) -> History:
    """A history of so many days, with an hour of this spend in each."""
    history = History.empty(DAWN - days * DAY)
    for day in range(days):
        for minute in at:
            history.record(DAWN - (days - day) * DAY + minute, usd_a_minute)
            history.teach()
    history.advance(DAWN)
    return history


@dataclass
class Story:
    """A subject as it is lived: spend goes in, verdicts come out."""

    history: History
    budget: float | None = None
    daily: float | None = None
    state: State = QUIET
    verdicts: list[Verdict] = field(default_factory=list)

    def live(self, minutes: int, usd: float, every: int = 1) -> list[Verdict]:
        """So many minutes of this spend each, read in runs of `every`."""
        told = []
        for _ in range(minutes // every):
            minute = self.history.minute + every
            self.history.record(minute, usd * every, every)
            verdict = judge(self.history, Facts(minute, Allowed(self.budget, self.daily), self.state))
            settle(self.history, verdict)
            self.state = State.from_bytes(verdict.next_state.to_bytes())
            told.append(verdict)
        self.verdicts += told
        return told


def levels(verdicts: list[Verdict]) -> set[Level]:
    return {verdict.level for verdict in verdicts}


def first(verdicts: list[Verdict], level: Level) -> int:
    return [verdict.level for verdict in verdicts].index(level) + 1


@pytest.mark.parametrize(("usd_per_hour", "minutes"), [(500, 4), (100, 10)])
def test_a_loop_on_a_modest_key_is_confirmed_in_minutes(usd_per_hour: float, minutes: int) -> None:
    told = Story(accustomed(0.005)).live(30, usd_per_hour / 60)
    assert first(told, Level.CONFIRM) <= minutes


def test_the_first_run_over_a_limit_only_waits() -> None:
    told = Story(accustomed(0.005)).live(3, 40.0)
    assert [verdict.level for verdict in told] == [Level.QUIET, Level.CONFIRM, Level.CONFIRM]


def test_one_dear_request_is_no_runaway() -> None:
    story = Story(accustomed(0.005))
    story.live(1, 40.0)
    assert levels(story.live(60, 0.0)) == {Level.QUIET}
    assert not story.state.needs_tick


def test_the_habitual_batch_is_left_alone_even_at_twice_its_size() -> None:
    story = Story(accustomed(5.0))
    story.live(600, 0.0)
    assert levels(story.live(60, 10.0)) == {Level.QUIET}


def test_a_confirmed_runaway_is_one_incident_told_again_every_quarter_of_an_hour() -> None:
    story = Story(accustomed(0.005))
    story.live(100, 0.0)
    told = story.live(70, 500 / 60)
    confirmed = [verdict for verdict in told if verdict.level == Level.CONFIRM]
    assert {verdict.started_minute for verdict in confirmed} == {DAWN + 101}
    announced = [i for i, verdict in enumerate(told, 1) if verdict.announce and verdict.level == Level.CONFIRM]
    assert announced == [announced[0] + 15 * k for k in range(len(announced))]
    assert len(announced) == 5


def test_an_incident_ends_once_and_only_after_spend_has_fallen_back() -> None:
    story = Story(accustomed(0.005))
    story.live(20, 500 / 60)
    told = story.live(60, 0.001)
    ends = [i for i, verdict in enumerate(told, 1) if verdict.ended]
    assert len(ends) == 1
    assert LIMITS.quiet_after <= ends[0] <= LIMITS.quiet_after + 5
    assert told[ends[0] - 1].started_minute == DAWN + 1
    assert levels(told[ends[0] - 1 :]) == {Level.QUIET}


def test_a_pause_shorter_than_ten_minutes_does_not_split_an_incident() -> None:
    story = Story(accustomed(0.005))
    story.live(20, 500 / 60)
    story.live(7, 0.0)
    story.live(20, 500 / 60)
    assert len({verdict.started_minute for verdict in story.verdicts if verdict.level}) == 1
    assert not any(verdict.ended for verdict in story.verdicts)


def test_a_confirmed_runaway_teaches_nothing() -> None:
    story = Story(accustomed(0.005))
    before = {window: story.history.maxima(window) for window in WINDOWS}
    story.live(300, 500 / 60)
    story.live(30, 0.0)
    story.history.advance(DAWN + DAY)
    assert {window: story.history.maxima(window) for window in WINDOWS} == before


def test_ordinary_spend_after_a_runaway_raises_nothing() -> None:
    story = Story(accustomed(0.05))
    story.live(120, 500 / 60)
    story.live(30, 0.0)
    assert levels(story.live(600, 0.05)) == {Level.QUIET}


def test_a_runaway_that_returns_after_a_restore_is_confirmed_anew() -> None:
    story = Story(accustomed(0.005))
    story.live(20, 500 / 60)
    story.history.rebaseline(story.history.minute + 5)
    story.state = QUIET
    assert levels(story.live(10, 0.01)) == {Level.QUIET}
    told = story.live(10, 500 / 60)
    assert first(told, Level.CONFIRM) <= 4
    assert told[-1].started_minute >= DAWN + 36


def test_a_suspicion_nobody_acted_on_becomes_the_habit() -> None:
    story = Story(accustomed(2.0, at=range(0, DAY, 10)))
    told = story.live(DAY + 60, 0.9)
    assert Level.SUSPECT in levels(told)
    assert Level.CONFIRM not in levels(told)
    assert sum(verdict.ended for verdict in told) == 1
    assert sum(verdict.announce for verdict in told) == 1
    story.history.advance(DAWN + 2 * DAY)
    assert story.history.maxima(60)[0] > 50


def test_the_same_suspicion_is_not_told_twice_in_three_days() -> None:
    story = Story(accustomed(2.0, at=range(0, DAY, 10)))
    for _ in range(3):
        story.live(120, 0.9)
        story.live(DAY - 120, 0.0)
    assert sum(verdict.announce for verdict in story.verdicts) == 1


def test_a_cold_key_is_suspected_but_never_confirmed() -> None:
    story = Story(History.empty(DAWN), daily=40.0)
    told = story.live(600, 500 / 60)
    assert levels(told) == {Level.QUIET, Level.SUSPECT}


def test_a_cold_key_without_any_limit_is_allowed_ten_floors() -> None:
    told = Story(History.empty(DAWN)).live(60, 100 / 60)
    assert levels(told) == {Level.QUIET}


def test_a_key_known_to_lie_idle_is_confirmed_at_half_its_budget() -> None:
    history = History.empty(DAWN - 28 * DAY)
    history.advance(DAWN)
    told = Story(history, budget=60.0).live(10, 500 / 60)
    assert first(told, Level.CONFIRM) == 5


def test_a_key_known_to_lie_idle_without_a_budget_is_only_suspected() -> None:
    history = History.empty(DAWN - 28 * DAY)
    history.advance(DAWN)
    assert Level.CONFIRM not in levels(Story(history).live(60, 500 / 60))


def test_analytics_makes_a_new_key_warm() -> None:
    history = History.empty(DAWN)
    history.learn([(DAWN // 60 - 24 * 28 + hour, 0.02) for hour in range(24 * 28)])
    assert first(Story(history).live(10, 500 / 60), Level.CONFIRM) <= 4


def test_spend_within_a_generous_budget_is_not_a_runaway() -> None:
    assert levels(Story(accustomed(0.005), budget=200_000.0).live(15, 100 / 60)) == {Level.QUIET}


def test_a_gap_with_the_usual_spend_in_it_raises_nothing() -> None:
    story = Story(accustomed(1.0, at=range(0, DAY, 7)))
    story.history.record(DAWN + 700, 100.0, span=700)
    verdict = judge(story.history, Facts(DAWN + 700))
    assert verdict.level == Level.QUIET
    assert not verdict.next_state.needs_tick


def test_a_loop_is_confirmed_when_runs_are_five_minutes_apart() -> None:
    told = Story(accustomed(0.005)).live(30, 500 / 60, every=5)
    assert first(told, Level.CONFIRM) == 2


def test_a_verdict_says_in_one_sentence_what_was_spent_and_how_unusual_it_is() -> None:
    verdict = Story(accustomed(0.05)).live(3, 10.0)[-1]
    assert verdict.reason == "Spent $30.00 in 15 minutes, 40.0 times its habit of $0.75; now burning $600.00 an hour."
    assert verdict.spent_usd == 30.0
    assert verdict.floor == 10.0
    assert verdict.multiple == pytest.approx(40, rel=0.01)
    assert verdict.rate_usd_per_hour == pytest.approx(600)


def test_fewer_days_of_spend_ask_for_more() -> None:
    assert LIMITS.thinness(28) == 1
    assert LIMITS.thinness(14) > 2
    assert LIMITS.thinness(0) == LIMITS.thinness(1)


def test_a_quiet_state_takes_no_bytes_and_any_other_comes_back() -> None:
    assert QUIET.to_bytes() == b""
    assert State.from_bytes(b"") == QUIET
    story = Story(accustomed(0.005))
    story.live(20, 500 / 60)
    assert State.from_bytes(story.state.to_bytes()) == story.state
    with pytest.raises(ValueError, match="not a detector's state"):
        State.from_bytes(b"abc")


@given(st.lists(st.tuples(st.integers(1, 120), st.floats(0, 200)), max_size=15), st.integers(1, 90))
@settings(max_examples=60, deadline=None)
def test_a_run_without_spend_opens_nothing(story_of: list[tuple[int, float]], idle: int) -> None:
    story = Story(accustomed(0.05))
    for passed, usd in story_of:
        story.history.advance(story.history.minute + passed)
        story.live(1, usd)
    if story.state.needs_tick:
        return
    state = story.state
    for minute in range(story.history.minute + 1, story.history.minute + idle):
        story.history.advance(minute)
        verdict = judge(story.history, Facts(minute, previous=state))
        assert verdict.level == Level.QUIET
        assert replace(verdict.next_state, told_minute=0, told_rate=0.0) == QUIET
