"""Readings of a counter that are not believed at once: one that fell, and one that grew more than money can be spent.

A lifetime counter only grows. One that falls was read from a stale copy, or was corrected. One that leaps was read
wrongly, or somebody spends a fortune. The next readings tell which, and no spend is invented meanwhile (decision 24).
Pure.
"""

from typing import Literal, NamedTuple

ROUNDING = 1e-9
"""USD. Differences below it are binary fractions at play."""
MOST_PER_MINUTE = 10_000.0
"""USD that one key can be believed to spend in a minute on the word of one reading: a hundred requests that each fill
the context of the dearest model. The next reading confirms more than that, so nobody is held up for longer."""
LASTING = 3
"""Minutes without a reading as high as the former ones after which a fall is taken for a correction: the lower counter
is then metered. As long as a workspace may be unread before people are told."""


class Counters(NamedTuple):
    """A key's lifetime counters, USD."""

    usage: float
    byok_usage: float

    def reaches(self, other: "Counters") -> bool:
        """Neither counter is below the other's."""
        return self.usage >= other.usage - ROUNDING and self.byok_usage >= other.byok_usage - ROUNDING


class Doubt(NamedTuple):
    """What is remembered of a key whose counters are in doubt.

    `fell`: `usage` and `byok_usage` are the highest ever seen. `corrected`: the same, and the fall has lasted.
    `jumped`: they are what one reading claimed. `since`: the minute of the last reading that was not in doubt.
    """

    kind: Literal["fell", "corrected", "jumped"]
    usage: float
    byok_usage: float
    since: int

    @property
    def counters(self) -> Counters:
        return Counters(self.usage, self.byok_usage)

    @property
    def unsettled(self) -> bool:
        """Nothing may be decided from the key's present counters, neither spend nor a budget."""
        return self.kind != "corrected"


class Growth(NamedTuple):
    """What a reading adds. `spent`: growth by counter, None when it cannot be told. `base`: what the next reading is
    compared with. `span`: the minutes in which it was spent."""

    spent: Counters | None
    base: Counters
    span: int
    doubt: Doubt | None


def growth(now: Counters, before: Counters, doubt: Doubt | None, minute: int, since: int) -> Growth:
    """What the key has spent between `before`, read at the minute `since`, and `now`."""
    if doubt is None and now.reaches(before):
        return _grown(now, before, None, minute, since)
    sure = doubt.since if doubt and doubt.unsettled else since
    highest = doubt.counters if doubt and doubt.kind != "jumped" else None
    if highest and now.reaches(highest):
        # Back where it was: it spent what is above the highest. Only that: the rest was counted when it was first seen.
        return _grown(now, highest, None, minute, sure)
    if doubt and doubt.kind == "jumped" and now.reaches(doubt.counters):
        if _grown(now, doubt.counters, None, minute, minute - 1).spent:
            return Growth(_difference(now, before), now, max(1, minute - sure), None)
        return Growth(None, before, 1, Doubt("jumped", *now, sure))
    fell = doubt is not None and doubt.kind == "fell"
    if fell and minute - sure > LASTING and now.reaches(before):
        return _grown(now, before, doubt._replace(kind="corrected") if doubt else None, minute, since)
    if fell or not now.reaches(before):
        former = highest or before
        top = Counters(max(now.usage, former.usage), max(now.byok_usage, former.byok_usage))
        return Growth(None, now, 1, Doubt("fell", *top, sure))
    return _grown(now, before, doubt if highest else None, minute, sure)


def _grown(now: Counters, before: Counters, doubt: Doubt | None, minute: int, since: int) -> Growth:
    span = max(1, minute - since)
    spent = _difference(now, before)
    if max(spent) > MOST_PER_MINUTE * span:
        return Growth(None, before, span, Doubt("jumped", *now, since))
    return Growth(spent, now, span, doubt)


def _difference(now: Counters, before: Counters) -> Counters:
    own, brought = now.usage - before.usage, now.byok_usage - before.byok_usage
    return Counters(own if own > 0 else 0.0, brought if brought > 0 else 0.0)
