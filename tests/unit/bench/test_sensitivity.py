"""The table of a sharper detector: its limits, one key under two of them, and a line of it."""

from spend_meter.limits import LIMITS
from tests.bench.detector.replay import Key
from tests.bench.detector.sensitivity import Sharpened, lines, play, sharpened

KEY = Key("weekly job", 500.0, 101)


def test_a_share_takes_the_multiples_and_leaves_the_floors() -> None:
    assert sharpened(1.0) == LIMITS
    half = sharpened(0.5)
    assert half.multiple == tuple(each / 2 for each in LIMITS.multiple)
    assert (half.floor, half.unusual_floor) == (LIMITS.floor, LIMITS.unusual_floor)


def test_a_sharper_detector_stops_loops_for_less_and_suspects_more() -> None:
    own, sharp = play((1.0, KEY)), play((0.25, KEY))
    assert len(own.alone) == len(own.allowed) == 5
    assert sum(sharp.alone) < sum(own.alone)
    assert sum(own.allowed) <= sum(own.alone)
    assert own.suspected + own.confirmed < sharp.suspected + sharp.confirmed


def test_the_table_adds_up_keys_of_one_share() -> None:
    some = [Sharpened(0.5, 1, 0, (100.0, 4000.0), (90.0, 300.0)), Sharpened(0.5, 0, 2, (), ())]
    (_, shown) = lines([*some, Sharpened(1.0, 0, 0, (), ())])[1:]
    assert shown.split() == ["0.50", "2", "1", "2", "2", "1", "4,100", "4,000", "390", "300"]
