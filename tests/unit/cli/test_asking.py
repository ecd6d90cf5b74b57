"""Analytics is asked as seldom as its limits allow, and no faster."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from cli.replay.asking import QUERIES_A_MINUTE, AnalyticsUnclear, Asking, Pace, Row, together
from management_api import AnalyticsQuery, RateLimited
from redaction import redact
from spend_meter.periods import minute_of
from tests.unit.cli.analytics import NOW, FakeAnalytics, api_key, limited

KEYS = [api_key(number) for number in range(3)]
START = NOW - timedelta(hours=40)


@dataclass
class Clock:
    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    @property
    def pace(self) -> Pace:
        return Pace(now=lambda: self.now, sleep=self.sleep)


def busy() -> FakeAnalytics:
    """Each of three keys spends a dollar in each of forty hours."""
    far = FakeAnalytics(KEYS)
    for hour in range(40):
        for key in KEYS:
            far.spend(key, START + timedelta(hours=hour, minutes=7), 1.0)
    return far


def rows_of(asking: Asking, far: FakeAnalytics) -> list[Row]:
    (names,) = together(far.keys)
    return list(asking.spend("hour", minute_of(START), minute_of(NOW), names, lambda minutes: None))


def test_what_fits_into_one_answer_is_asked_for_once():
    far = busy()

    rows = rows_of(Asking(far, Clock().pace), far)

    assert len(far.asked) == 1
    assert {(row.hash, row.minute) for row in rows} == {
        (key.hash, minute_of(START) + 60 * hour) for key in KEYS for hour in range(40)
    }


def test_an_answer_that_is_cut_off_is_gone_on_from_and_no_row_is_there_twice():
    far = busy()
    asking = Asking(far, Clock().pace, rows=31)

    rows = rows_of(asking, far)

    assert len(rows) == len({(row.hash, row.minute) for row in rows}) == 120
    # 120 rows in answers of 31, of which the hour at the end of each may be cut: the least is 4.
    assert asking.queries == len(far.asked) == 4


def test_rows_in_no_order_are_asked_for_in_smaller_parts():
    far = busy()
    ordered = far.query

    class Unordered(FakeAnalytics):
        def query(self, question: AnalyticsQuery):
            answer = ordered(question)
            return answer.model_copy(update={"rows": list(reversed(answer.rows))})

    rows = rows_of(Asking(Unordered(KEYS), Clock().pace, rows=31), far)

    assert len(rows) == len({(row.hash, row.minute) for row in rows}) == 120


def test_an_hour_with_more_rows_than_an_answer_holds_is_said_to_be_one():
    far = busy()

    with pytest.raises(AnalyticsUnclear, match="more rows than an answer holds"):
        rows_of(Asking(far, Clock().pace, rows=2), far)


def test_keys_of_one_name_are_asked_about_apart_because_answers_hold_names():
    first, second = api_key(1, "agent"), api_key(2, "agent")
    far = FakeAnalytics([first, second])
    far.spend(first, START, 3.0)
    far.spend(second, START, 5.0)
    asking = Asking(far, Clock().pace)

    rows = [
        row
        for names in together(far.keys)
        for row in asking.spend("hour", minute_of(START), minute_of(NOW), names, lambda minutes: None)
    ]

    assert {(row.hash, row.credits) for row in rows} == {(first.hash, 3.0), (second.hash, 5.0)}


def test_no_more_than_the_limit_are_asked_in_any_minute():
    clock = Clock()
    pace = clock.pace
    asked = []

    for _ in range(3 * QUERIES_A_MINUTE):
        pace.wait()
        asked.append(clock.now)
        clock.now += 0.1

    assert all(asked[at + QUERIES_A_MINUTE] - asked[at] > 59.999 for at in range(2 * QUERIES_A_MINUTE))
    assert asked[QUERIES_A_MINUTE - 1] < 60, "a few questions wait for nothing"


def test_openrouter_is_given_the_time_that_it_asks_for():
    far, clock = busy(), Clock()
    refused = [limited(17.0), limited(4.0)]

    def refuse(question: AnalyticsQuery) -> None:
        if refused:
            raise refused.pop(0)

    far.before = refuse

    assert len(rows_of(Asking(far, clock.pace), far)) == 120
    assert clock.slept == [17.0, 4.0]


def test_openrouter_that_goes_on_refusing_is_not_asked_for_ever():
    far = busy()

    def refuse(question: AnalyticsQuery) -> None:
        raise limited(1.0)

    far.before = refuse

    with pytest.raises(RateLimited):
        rows_of(Asking(far, Clock().pace), far)


def test_rows_of_other_traffic_than_was_asked_about_are_not_taken():
    far = busy()
    far.warnings = ["api_key_id could not be resolved"]

    with pytest.raises(AnalyticsUnclear, match="could not be resolved"):
        rows_of(Asking(far, Clock().pace), far)


@pytest.mark.parametrize("odd", [{"credits_usage": "a lot"}, {"credits_usage": -1}, {"date__hour": "yesterday"}])
def test_a_row_that_cannot_be_read_is_not_skipped(odd):
    far = busy()
    whole = far.query

    class Odd(FakeAnalytics):
        def query(self, question: AnalyticsQuery):
            answer = whole(question)
            return answer.model_copy(update={"rows": [{**answer.rows[0], **odd}, *answer.rows[1:]]})

    with pytest.raises(AnalyticsUnclear, match="cannot be read"):
        rows_of(Asking(Odd(KEYS), Clock().pace), far)


def test_a_key_that_somebody_pasted_into_a_name_goes_no_further():
    pasted = "sk-or-v1-" + "0123456789abcdef" * 4
    key = api_key(1, redact(pasted))
    far = FakeAnalytics([key], called={key.hash: pasted})
    far.spend(key, START, 2.0)
    far.spend(api_key(2), START, 3.0)
    (names,) = together([key])

    rows = list(Asking(far, Clock().pace).spend("hour", minute_of(START), minute_of(NOW), names, lambda minutes: None))

    assert {(row.hash, row.credits) for row in rows} == {(key.hash, 2.0), ("", 3.0)}
    assert not any(pasted in row.name for row in rows)
