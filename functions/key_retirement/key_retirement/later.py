"""A list, or what is made of lists, that is read when somebody first looks at it, and once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import overload


class LaterSequence[Item](Sequence[Item]):
    """What `once` gives. A reading that raises is made again at the next look."""

    def __init__(self, once: Callable[[], Sequence[Item]]) -> None:
        self._once = once

    @cached_property
    def _read(self) -> Sequence[Item]:
        return self._once()

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | Sequence[Item]:
        return self._read[index]

    def __len__(self) -> int:
        return len(self._read)


class LaterMapping[Key, Value](Mapping[Key, Value]):
    """What `once` gives. A reading that raises is made again at the next look."""

    def __init__(self, once: Callable[[], Mapping[Key, Value]]) -> None:
        self._once = once

    @cached_property
    def _read(self) -> Mapping[Key, Value]:
        return self._once()

    def __getitem__(self, key: Key) -> Value:
        return self._read[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)
