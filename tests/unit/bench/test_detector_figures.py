"""What the detector's report says of slow leaks and of sums of keys."""

from tests.bench.detector.attacks import FLAT
from tests.bench.detector.figures import MONTHS, leaks_by_times, sums_by_size
from tests.bench.detector.replay import LEARNING, Caught, Key, Leaked, Outcome

DAY = 1440


def test_leaks_are_counted_by_size_and_those_below_the_floor_are_left_out() -> None:
    one = Outcome(Key("steady", 500, 1), "detector", "every minute")
    one.leaked = [Leaked(2.0, None, 150.0), Leaked(2.5, 60.0, 80.0)]
    other = Outcome(Key("steady", 500, 2), "detector", "every minute", leaked=[Leaked(2.5, 50.0, 60.0)])
    small = Outcome(Key("steady", 50, 1), "detector", "every minute", leaked=[Leaked(2.5, 1.0, 1.0)])
    twice, more = leaks_by_times([one, other, small])
    assert (twice.leaks, twice.heard, twice.hours_median) == (1, 0, None)
    assert (more.leaks, more.heard, more.hours_median, more.usd_median) == (2, 2, 55.0, 70.0)


def test_sums_are_counted_by_size_from_day_28_on() -> None:
    some = Outcome(Key("fleet", 600, 101), "sum of keys", "every minute")
    some.suspected = [LEARNING * DAY - 1, LEARNING * DAY]
    some.caught = [Caught(FLAT, 500, None, 5, 40.0, 28), Caught(FLAT, 500, None, None, 9000.0, 28)]
    (sums,) = sums_by_size([some])
    assert sums.suspected == 1 / MONTHS
    assert sums.heard == {500: (1, 2, None)}
