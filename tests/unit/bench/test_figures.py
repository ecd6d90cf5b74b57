"""What a bench comes to."""

from tests.bench.figures import Figure, interleaved, table


def test_a_ratio_at_its_limit_holds_and_one_above_it_does_not():
    assert Figure("sweep", 1.3, 1.0, "s", 1.3).held
    assert not Figure("sweep", 1.31, 1.0, "s", 1.3).held


def test_a_ratio_without_a_limit_is_only_shown():
    assert Figure("sweep", 9.0, 1.0, "s").held


def test_two_measurements_are_taken_in_turn_and_answered_by_their_medians():
    order: list[str] = []
    values = {"a": [1.0, 50.0, 3.0], "b": [2.0, 2.0, 90.0]}

    def take(name: str) -> float:
        order.append(name)
        return values[name].pop(0)

    assert interleaved(3, lambda: take("a"), lambda: take("b")) == (3.0, 2.0)
    assert order == ["a", "b"] * 3


def test_a_row_holds_what_the_report_promises():
    assert Figure("memory", 128.0, 256.0, "MB", 1.0).row() == {
        "name": "memory", "ratio": 0.5, "numerator": 128.0, "denominator": 256.0,
        "unit": "MB", "limit": 1.0, "held": True,
    }  # fmt: skip


def test_the_table_marks_a_missed_limit_and_no_other():
    lines = table([Figure("kept", 1.0, 1.0, "s", 1.3), Figure("broken", 2.0, 1.0, "s", 1.3)]).splitlines()
    assert [line.endswith("MISSED") for line in lines] == [False, False, True]
