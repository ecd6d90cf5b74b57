"""What is going to happen, in order of virtual time."""

import heapq
import itertools
import threading
from collections.abc import Callable
from datetime import datetime


class Agenda:
    """A queue of things to do, each at its instant; things of one instant in the order they were added. Thread-safe."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._lock = threading.Lock()

    def add(self, due: datetime, action: Callable[[], None]) -> None:
        with self._lock:
            heapq.heappush(self._heap, (due, next(self._order), action))

    def next_due(self) -> datetime | None:
        with self._lock:
            return self._heap[0][0] if self._heap else None

    def pop(self) -> Callable[[], None]:
        with self._lock:
            return heapq.heappop(self._heap)[2]
