"""A list, or what is made of lists, that is read when somebody first looks at it, and once; whoever looks at it
meanwhile waits."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import overload


class _Once[Value]:
    def __init__(self, read: Callable[[], Value]) -> None:
        self._read, self._reading, self._values = read, threading.Lock(), list[Value]()

    def value(self) -> Value:
        with self._reading:
            if not self._values:
                self._values.append(self._read())
            return self._values[0]


class LaterSequence[Item](Sequence[Item]):
    """What `once` gives. A reading that raises is made again at the next look."""

    def __init__(self, once: Callable[[], Sequence[Item]]) -> None:
        self._once = _Once(once)

    @property
    def _read(self) -> Sequence[Item]:
        return self._once.value()

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
        self._once = _Once(once)

    @property
    def _read(self) -> Mapping[Key, Value]:
        return self._once.value()

    def __getitem__(self, key: Key) -> Value:
        return self._read[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)
