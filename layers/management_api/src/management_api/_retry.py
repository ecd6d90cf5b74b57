"""How often, how soon and how long: retries, the time that is left, and the pace of the whole account."""

import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Protocol


@dataclass(frozen=True)
class Deadline:
    """The time a caller has left, in seconds, asked anew before every step.

    In a Lambda: `Deadline(lambda: context.get_remaining_time_in_millis() / 1000 - margin)`.
    """

    seconds_left: Callable[[], float]


UNBOUNDED = Deadline(lambda: math.inf)
"""No deadline: every request still has its own timeout, and every retry its count."""


@dataclass(frozen=True)
class Retry:
    """Exponential backoff with full jitter, so that callers refused together do not come back together.

    `attempts` counts the first one. `base`, `cap` and `patience` are seconds; a `Retry-After` longer than `patience` is
    not waited for: the error is raised with it, and the caller decides.
    """

    attempts: int = 4
    base: float = 0.25
    cap: float = 8.0
    patience: float = 30.0
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random
    now: Callable[[], float] = time.time

    def pause(self, attempt: int, retry_after: float | None) -> float:
        """Seconds to wait after the failed `attempt` (1 is the first): what was asked, and a share of the backoff."""
        return (retry_after or 0.0) + self.random() * min(self.cap, self.base * 2.0 ** (attempt - 1))

    def retry_after(self, header: str | None) -> float | None:
        """Seconds in a `Retry-After` header (RFC 9110: seconds or an HTTP date); None when absent or no such thing."""
        if not header:
            return None
        try:
            seconds = float(header)
        except ValueError:
            try:
                seconds = parsedate_to_datetime(header).timestamp() - self.now()
            except ValueError:
                return None
        return max(0.0, seconds) if math.isfinite(seconds) else None


class Pace(Protocol):
    """Whose turn it is to ask OpenRouter, which limits an account and not a process."""

    def wait(self, seconds_left: float) -> bool:
        """Sleep until this caller's turn. False, at once and with no turn taken, when that is beyond `seconds_left`."""

    def slow(self, retry_after: float | None) -> None:
        """OpenRouter answered 429, and asks for so many seconds' pause where it says so."""


class Pacing:
    """At most `requests_per_second` for everything that shares this object, threads included, evenly spaced.

    OpenRouter limits an account, not a process: share one among a process's clients, and give each process its part. A
    429 to one of them is a pause for all.
    """

    def __init__(
        self,
        requests_per_second: float,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not requests_per_second > 0:
            raise ValueError(f"requests_per_second must be above zero, not {requests_per_second}")
        self._gap = 1.0 / requests_per_second
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = -math.inf

    def wait(self, seconds_left: float) -> bool:
        """Sleep until this caller's turn. False, at once and with no turn taken, when that is beyond `seconds_left`."""
        with self._lock:
            now = self._now()
            turn = max(now, self._next)
            if turn - now >= seconds_left:
                return False
            self._next = turn + self._gap
        if turn > now:
            self._sleep(turn - now)
        return True

    def slow(self, retry_after: float | None) -> None:
        """No turn before so many seconds have passed; nothing where OpenRouter named no time: the retry's own pause."""
        with self._lock:
            self._next = max(self._next, self._now() + (retry_after or 0.0))
