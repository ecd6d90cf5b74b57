"""The allowances' bench: what a key's days and a loop come to, on one small key."""

from tests.bench.detector.allowances import CHOICES, NO_ALLOWANCE, Played, Tended, lines, play
from tests.bench.detector.replay import Key

KEY = Key("weekly job", 500.0, 101)


def test_an_allowance_that_leaves_more_refuses_less_and_costs_no_less() -> None:
    played = play(KEY)
    six_hours = [choice for choice in CHOICES if choice[0] == 360]
    refused = [played.refused.get(choice, 0) for choice in six_hours]
    assert refused[0] > 0
    assert refused == sorted(refused, reverse=True)
    assert refused[-1] == 0
    assert played.windows[six_hours[0]] > 20
    an_hour = [sum(played.usd[choice]) for choice in (*(one for one in CHOICES if one[0] == 60), NO_ALLOWANCE)]
    assert an_hour == sorted(an_hour)
    assert an_hour[0] < an_hour[-1]


def test_a_limit_is_set_seldom_and_refuses_nothing_while_somebody_looks() -> None:
    tended = play(KEY).tended
    assert 0 < tended.patches < tended.minutes / 1440
    assert tended.refused == 0


def test_a_limit_that_is_spent_between_two_looks_refuses_until_the_next() -> None:
    tended = Tended()
    for i, usd in enumerate([0.0, 200.0, *[0.0] * 20]):
        tended.minute(i, usd, 100.0)
    assert (tended.patches, tended.refused) == (1, 10)


def test_the_table_has_a_line_for_each_choice() -> None:
    both = Played()
    both.add(Played({(360, 3.0): 4}, {}, {(360, 3.0): 1}, {(360, 3.0): [2.0]}))
    both.add(Played({(360, 3.0): 4}, {(360, 3.0): 2}, {}, {(360, 3.0): [100.0]}))
    shown = list(lines(both))
    assert len(shown) == len(CHOICES) + 2
    assert shown[1 + CHOICES.index((360, 3.0))].split() == ["6", "h", "3.0", "8", "2", "1", "2", "102", "100"]
