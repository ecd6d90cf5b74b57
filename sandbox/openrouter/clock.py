"""The simulator's time: the machine's by default, movable, and shared by every copy of the state."""

import time
from collections.abc import Callable


class Clock:
    """Epoch seconds. `read` is the source; `set` moves this clock and lets it run on from there."""

    def __init__(self, read: Callable[[], float] | None = None) -> None:
        self._read = read or time.time
        self._offset = 0.0

    def now(self) -> float:
        return self._read() + self._offset

    def set(self, now: float) -> None:
        self._offset = now - self._read()

    def __deepcopy__(self, _memo: object) -> "Clock":
        # A snapshot of the state (the stale-list fault) still lives in the same time.
        return self
