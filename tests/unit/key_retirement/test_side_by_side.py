"""Lineages of one run, side by side."""

import threading

import pytest

from key_retirement.side_by_side import FEW, MOST, side_by_side

PATIENCE = 60.0
"""Seconds until a test that would wait for ever fails."""


def test_a_few_are_done_in_their_order_and_in_the_callers_thread() -> None:
    done: list[tuple[int, threading.Thread]] = []
    side_by_side(range(2 * FEW - 1), lambda item: done.append((item, threading.current_thread())))
    assert done == [(item, threading.current_thread()) for item in range(2 * FEW - 1)]


def test_many_are_done_as_many_at_a_time_as_there_are_threads_and_answered_in_their_order() -> None:
    meeting = threading.Barrier(MOST)

    def do(item: int) -> int:
        meeting.wait(PATIENCE)  # broken, and the test red, unless so many are in it together
        return 2 * item

    assert side_by_side(range(MOST * FEW), do) == [2 * item for item in range(MOST * FEW)]


def test_what_one_of_a_few_raises_keeps_the_others_from_beginning() -> None:
    begun: list[int] = []

    def do(item: int) -> None:
        begun.append(item)
        raise PermissionError("no")

    with pytest.raises(PermissionError):
        side_by_side(range(3), do)
    assert begun == [0]


def test_what_one_of_many_raises_is_raised_and_those_that_have_not_begun_do_not() -> None:
    begun: list[int] = []
    over = threading.Event()

    def do(item: int) -> None:
        begun.append(item)
        if item == 0:
            raise PermissionError("no")
        assert over.wait(PATIENCE)

    with pytest.raises(PermissionError):
        side_by_side(range(MOST * FEW), do, over)
    assert len(begun) <= MOST
