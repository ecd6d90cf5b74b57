"""The walk over a list that changes under it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from management_api._paging import ListMoves, Walk

SIZE = 5
"""Items on a page here: small, so that a short list has many pages."""


@dataclass
class Moving:
    """A list, newest first, that others add to and delete from."""

    items: list[int]
    survivors: set[int] = field(init=False)

    def __post_init__(self) -> None:
        self.survivors = set(self.items)
        self._newest = len(self.items)

    def page(self, offset: int) -> list[int]:
        return self.items[offset : offset + SIZE]

    def add(self) -> None:
        self._newest += 1
        self.items.insert(0, self._newest)

    def delete(self, share: float) -> None:
        if self.items:
            gone = self.items.pop(int(share * (len(self.items) - 1)))
            self.survivors.discard(gone)


def walk_over(moving: Moving, data: st.DataObject, *, changes_at_most: int) -> Walk[int]:
    """Walks with up to four pages under way, served and handed in in any order; the list changes before each."""
    walk: Walk[int] = Walk(lambda item: item, SIZE)
    under_way: list[int] = []
    while True:
        while len(under_way) < 4 and (asked := walk.ask()) is not None:
            under_way.append(asked)
        if not under_way:
            return walk
        asked = under_way.pop(data.draw(st.integers(0, len(under_way) - 1)))
        for change in data.draw(st.lists(st.sampled_from(["add", "delete"]), max_size=changes_at_most)):
            if change == "add":
                moving.add()
            else:
                moving.delete(data.draw(st.floats(0, 1)))
        walk.take(asked, moving.page(asked))


def finish(walk: Walk[int], page: Callable[[], list[int]]) -> None:
    while (asked := walk.ask()) is not None:
        walk.take(asked, page())


@given(st.integers(0, 60), st.data())
def test_every_item_that_was_there_throughout_is_found_once_however_the_list_moves(
    length: int, data: st.DataObject
) -> None:
    moving = Moving(list(range(length, 0, -1)))
    walk = walk_over(moving, data, changes_at_most=3)
    found = walk.items()
    assert len(found) == len(set(found))
    assert moving.survivors <= set(found)
    assert walk.ended


@given(st.integers(0, 60))
def test_a_list_that_stands_still_is_read_whole_and_in_order(length: int) -> None:
    still = list(range(length))
    walk: Walk[int] = Walk(lambda item: item, SIZE)
    while (asked := walk.ask()) is not None:
        walk.take(asked, still[asked : asked + SIZE])
    assert walk.items() == still


def test_an_item_lost_across_a_page_boundary_is_found_by_stepping_back() -> None:
    moving = Moving(list(range(20, 0, -1)))
    walk: Walk[int] = Walk(lambda item: item, SIZE)
    first = walk.ask()
    assert first is not None
    walk.take(first, moving.page(first))
    for _ in range(3):
        moving.delete(0.0)  # three of the newest go: what stood at offset 5 now stands at offset 2
    while (asked := walk.ask()) is not None:
        walk.take(asked, moving.page(asked))
    assert moving.survivors <= set(walk.items())


def test_a_repeated_item_keeps_its_newest_reading() -> None:
    walk: Walk[tuple[str, int]] = Walk(lambda item: item[0], 2)
    walk.take(0, [("a", 1), ("b", 1)])
    walk.take(1, [("b", 2)])
    assert walk.items() == [("a", 1), ("b", 2)]


def test_pages_of_a_long_list_are_asked_ahead_but_never_more_than_have_come() -> None:
    walk: Walk[int] = Walk(lambda item: item, SIZE)
    under_way_at_most: list[int] = []
    under_way = [0]
    assert walk.ask() == 0
    while under_way:
        asked = under_way.pop(0)
        walk.take(asked, list(range(100))[asked : asked + SIZE])
        while (ahead := walk.ask()) is not None:
            under_way.append(ahead)
        under_way_at_most.append(len(under_way))
    assert under_way_at_most[:4] == [1, 2, 3, 4]
    assert len(walk.items()) == 100


def test_a_list_of_one_page_costs_one_request() -> None:
    walk: Walk[int] = Walk(lambda item: item, SIZE)
    asked = walk.ask()
    assert asked == 0
    assert walk.ask() is None
    walk.take(asked, [1, 2])
    assert walk.ended
    assert walk.ask() is None


def test_a_page_asked_before_a_step_back_does_not_end_the_list_after_it() -> None:
    walk: Walk[int] = Walk(lambda item: item, SIZE)
    walk.take(0, [9, 8, 7, 6, 5])
    walk.take(4, [3, 2, 1, 0, -1])  # nothing in common: 4 may be lost
    walk.take(8, [])  # an answer from before: not the end of the list
    assert not walk.ended
    assert walk.ask() == 0


def test_a_far_side_that_repeats_one_full_page_for_ever_is_given_up() -> None:
    walk: Walk[int] = Walk(lambda item: item, SIZE)
    with pytest.raises(ListMoves, match="gave up"):
        finish(walk, lambda: [1, 2, 3, 4, 5])


def test_a_list_replaced_between_any_two_pages_is_given_up() -> None:
    walk: Walk[int] = Walk(lambda item: item, SIZE)
    fresh = iter(range(10_000))
    with pytest.raises(ListMoves, match="gave up"):
        finish(walk, lambda: [next(fresh) for _ in range(SIZE)])
