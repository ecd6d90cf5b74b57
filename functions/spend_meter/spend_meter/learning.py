"""Whose baseline is still to be asked of analytics, and when. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

AT_ONCE = 5
"""Subjects asked about in one run."""
FIRST_DELAY, LONGEST_DELAY = 10, 60
"""Minutes to wait after the first failure; doubled by each one, up to an hour.

A subject that is not learned can be suspected and never confirmed, so none may stay so for long once analytics answers
again. However many wait, `AT_ONCE` bounds what is asked: ten questions a minute of the vendor's 64.
"""

type Hourly = Sequence[tuple[int, float]]
"""(hours since 1970, USD); absent hours are zero."""


@dataclass(frozen=True)
class Attempt:
    """Analytics was asked in vain `count` times; ask again from the minute `next_at` on."""

    next_at: int
    count: int


def due(learning: Mapping[str, Attempt], minute: int) -> list[str]:
    """The subjects whose turn it is: those never asked about first, then those that have waited longest.

    So subjects about which every question fails, however many there are, hold up no new one.
    """
    waiting = sorted(
        (attempt.count > 0, attempt.next_at, subject)
        for subject, attempt in learning.items()
        if attempt.next_at <= minute
    )
    return [subject for *_, subject in waiting[:AT_ONCE]]


def attempted(learning: Mapping[str, Attempt], learned: Mapping[str, Hourly | None], minute: int) -> dict[str, Attempt]:
    """The attempts that are left: those in vain are put off, each time for twice as long."""
    after = dict(learning)
    for subject, hourly in learned.items():
        count = after.pop(subject, Attempt(0, 0)).count
        if hourly is None:
            after[subject] = Attempt(minute + min(FIRST_DELAY << min(count, 10), LONGEST_DELAY), count + 1)
    return after
