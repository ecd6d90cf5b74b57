"""What goes wrong on purpose, once each: duplicates, delays, and workers killed at an exact point."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta


class Faults:
    """Armed by a test, used up by the next delivery to (or run of) the function named."""

    def __init__(self) -> None:
        self._twice: set[str] = set()
        self._delays: dict[str, deque[timedelta]] = {}
        self._kill_after: dict[str, float] = {}
        self._kill_during: dict[str, tuple[str, bool]] = {}
        self._killers: dict[str, Callable[[], None]] = {}

    def deliver_twice(self, function: str) -> None:
        """The next asynchronous event or queue batch for the function arrives twice."""
        self._twice.add(function)

    def delay(self, function: str, by: timedelta) -> None:
        """The next asynchronous event for the function arrives later (and so perhaps after younger ones)."""
        self._delays.setdefault(function, deque()).append(by)

    def kill_after(self, function: str, seconds: float) -> None:
        """The worker of the function's next run is killed so many real seconds into it."""
        self._kill_after[function] = seconds

    def kill_during_call(self, function: str, action: str, *, takes_effect: bool) -> None:
        """The worker dies in its next permitted call of an IAM action such as `dynamodb:PutItem`.

        The answer reaches nobody; whether the call took effect all the same is `takes_effect`.
        """
        self._kill_during[function] = (action, takes_effect)

    def copies(self, function: str) -> int:
        if function in self._twice:
            self._twice.remove(function)
            return 2
        return 1

    def delay_of(self, function: str) -> timedelta:
        waiting = self._delays.get(function)
        return waiting.popleft() if waiting else timedelta()

    @contextmanager
    def around(self, function: str, kill: Callable[[], None]) -> Iterator[None]:
        """A run of the function; `kill` ends its worker."""
        seconds = self._kill_after.pop(function, None)
        timer = threading.Timer(seconds, kill) if seconds is not None else None
        if timer is not None:
            timer.start()
        self._killers[function] = kill
        try:
            yield
        finally:
            self._killers.pop(function, None)
            if timer is not None:
                timer.cancel()

    def lost(self, holder: str, action: str) -> bool:
        """Told of every permitted call; True when it must not take effect."""
        wanted, takes_effect = self._kill_during.get(holder, ("", True))
        if wanted != action or holder not in self._killers:
            return False
        del self._kill_during[holder]
        self._killers[holder]()
        return not takes_effect
