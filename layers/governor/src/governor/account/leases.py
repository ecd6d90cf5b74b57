"""Readings that one process shares for a short time, each with the age that it may have.

A list of the account is as long as the account, and a thousand rotations in a row would read it a thousand times. What
is kept here may be older than its lease by nothing, and whoever borrows it says by which read of its own a stale copy
is found out. Nothing is refused by a borrowed reading: `borrowed` tells that there was one, and `drop` has all read
again. Not shared by threads: a Lambda container does one thing at a time.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

PAGE = 100
PER_PAGE = timedelta(seconds=3)
"""A list lives so much longer for each of its pages: at a pace of 20 requests a second and four containers beside each
other, a list of a hundred pages would else be read for a third of the time."""


@dataclass
class Leases:
    """`borrowed`: whether any reading since the last `begin` was an earlier one's."""

    borrowed: bool = False
    _kept: dict[Hashable, tuple[datetime, datetime, Any]] = field(default_factory=dict)

    def begin(self) -> None:
        """A new piece of work, which has borrowed nothing yet."""
        self.borrowed = False

    def read[T](self, name: Hashable, lease: timedelta, now: datetime, once: Callable[[], T]) -> T:
        """What was read under this name within the lease, else `once()`, kept from now on.

        A reading from the future, of a clock that was set back, is read again. `once` may raise: nothing is kept then.
        """
        found = self._kept.get(name)
        if found and found[0] <= now < found[1]:
            self.borrowed = True
            value: T = found[2]
            return value
        value = once()
        size = len(value) if hasattr(value, "__len__") else 0
        self._kept[name] = (now, now + lease + size // PAGE * PER_PAGE, value)
        return value

    def has(self, name: Hashable, now: datetime) -> bool:
        """Whether `read` would borrow."""
        found = self._kept.get(name)
        return found is not None and found[0] <= now < found[1]

    def drop(self, *names: Hashable) -> None:
        """Forgets these readings; without a name all."""
        for name in names or tuple(self._kept):
            self._kept.pop(name, None)
