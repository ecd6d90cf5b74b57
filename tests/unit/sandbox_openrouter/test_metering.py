"""Periods and counters, over instants nobody picked."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.openrouter.metering import Meter
from sandbox.openrouter.periods import INTERVALS, end_of, start_of

instants = st.integers(1_577_836_800, 2_208_988_800).map(float)


@given(instants)
def test_an_instant_lies_in_its_period_and_the_next_begins_where_this_one_ends(at):
    for interval in INTERVALS:
        start, end = start_of(interval, at), end_of(interval, at)
        assert start <= at < end
        assert start_of(interval, end) == end
        assert start_of(interval, end - 1) == start


@given(instants)
def test_periods_begin_at_midnight_on_mondays_and_on_firsts(at):
    moment = datetime.fromtimestamp(at, UTC)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    assert start_of("daily", at) == midnight.timestamp()
    assert start_of("weekly", at) == (midnight - timedelta(days=midnight.weekday())).timestamp()
    assert start_of("monthly", at) == midnight.replace(day=1).timestamp()


@given(st.lists(st.tuples(instants, st.integers(0, 50), st.integers(0, 50)), max_size=30), instants)
def test_a_counter_is_the_sum_of_what_fell_in_its_period_whatever_the_order(spends, now):
    meter = Meter()
    for at, usage, byok in spends:
        meter.add(at, usage, byok)
    assert (meter.usage, meter.byok) == (sum(each[1] for each in spends), sum(each[2] for each in spends))
    for interval in INTERVALS:
        inside = [each for each in spends if start_of(interval, now) <= each[0] < end_of(interval, now)]
        expected = (sum(each[1] for each in inside), sum(each[2] for each in inside))
        assert meter.usage_in(interval, now) == expected
        assert meter.spent(interval, now, include_byok=True) == pytest.approx(sum(expected))
