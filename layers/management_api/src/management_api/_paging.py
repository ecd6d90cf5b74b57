"""Walks a list page by page while it changes, and loses nothing that was there throughout.

OpenRouter pages by offset over a live list: something deleted between two requests moves everything behind it up, and
the item that crossed the page boundary is never sent. So neighbouring pages overlap by one item, and must prove it:

    if page B shares an item with what pages up to A cover, then every item that existed throughout the walk and stands
    between the first item covered and B's last has been seen,

because each page is a contiguous piece of the list as it was at that page's moment, and items keep their order. It does
not matter in which order A and B were asked, so pages may be fetched ahead, several at once. Where no item is shared
something was deleted in between (or everything in the overlap was), and the walk steps back until pages meet again, at
the latest at offset 0, where there is nothing to miss.

What came into being during the walk may or may not be in the result.
"""

from collections.abc import Callable, Hashable, Iterable

MAX_DETOURS = 40
"""Pages that brought nothing new, or did not meet, before the walk gives up: the list moves faster than it is read."""


class ListMoves(Exception):
    """The list changed faster than it could be read, or the far side repeats itself."""


class Walk[Item]:
    """One walk: says which offset to ask next, takes the pages in any order. No I/O, no threads, no clock.

    `page_size`: items on a full page. A shorter page ends the list. `identity`: what makes two items the same.
    `newest`: which of two readings of one item, in the order of their pages, to keep; the second unless told otherwise.
    """

    def __init__(
        self,
        identity: Callable[[Item], Hashable],
        page_size: int = 100,
        newest: Callable[[Item, Item], Item] = lambda first, second: second,
    ) -> None:
        self._identity = identity
        self._newest = newest
        self._page_size = page_size
        self._stride = page_size - 1
        self._seen: dict[Hashable, Item] = {}
        self._arrived: dict[int, list[Item]] = {}
        self._frontier = 0  # the next page to be joined on
        self._next = 0  # the next page nobody has asked for
        self._joined = 0
        self._detours = 0
        self._back = self._stride
        self.ended = False

    def ask(self) -> int | None:
        """The offset to fetch now; None until more is known, or at the end.

        No more pages under way than have been joined already, so that a short list costs no guesses.
        """
        if self.ended or self._next >= self._frontier + max(1, self._joined) * self._stride:
            return None
        offset = self._next
        self._next += self._stride
        return offset

    def take(self, offset: int, page: Iterable[Item]) -> None:
        """Hands in a page that was asked. Raises `ListMoves` when the walk cannot be finished."""
        self._arrived[offset] = list(page)
        while not self.ended and self._frontier in self._arrived:
            self._join(self._arrived.pop(self._frontier))

    def items(self) -> list[Item]:
        """Everything seen, once, newest reading of each, in the order it was first met."""
        return list(self._seen.values())

    def _join(self, page: list[Item]) -> None:
        identities = [self._identity(item) for item in page]
        if self._frontier and not any(identity in self._seen for identity in identities):
            self._step_back()
            return
        before = len(self._seen)
        for identity, item in zip(identities, page, strict=True):
            known = self._seen.get(identity)
            self._seen[identity] = item if known is None else self._newest(known, item)
        self._joined += 1
        if len(page) < self._page_size:
            self.ended = True
            return
        if len(self._seen) == before:
            self._detour()
        self._frontier += self._stride
        self._back = self._stride

    def _step_back(self) -> None:
        self._detour()
        self._arrived.clear()
        self._frontier = self._next = max(0, self._frontier - self._back)
        self._back *= 2

    def _detour(self) -> None:
        self._detours += 1
        if self._detours > MAX_DETOURS:
            raise ListMoves(f"gave up after {MAX_DETOURS} detours with {len(self._seen)} items seen")
