"""What a key has spent at the least: its counters, and never less than the row has noted of the same period. Pure; USD.

A counter only grows within its period. One that is lower than it was came from a stale copy of OpenRouter's, or was
corrected (decision 24), and unknown is not zero: a cap that were shared by it could be spent twice (promise 6). A
correction costs the workload the difference until the period ends.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from governor.keys.caps import Cap, period_start, spent_by_period
from governor.keys.lineage import LineageKey

if TYPE_CHECKING:
    from management_api import ApiKey

NOTED = 0.01
"""Share of the smallest cap that a key at rest may spend before its row is written again."""
_SUFFIX = {"daily": "_daily", "weekly": "_weekly", "monthly": "_monthly", "lifetime": ""}
_ROUNDING = 0.000001


def unnoted(caps: Sequence[Cap]) -> float:
    """USD that a key may have spent since its row was written; 0 where nothing is capped."""
    return NOTED * min((cap.limit_usd for cap in caps), default=0.0)


def remembered(live: "ApiKey", own: LineageKey | None, byok: bool, now: datetime, margin: float = 0.0) -> "ApiKey":
    """The key with no counter below what was noted, and `margin` above it where one of them fell.

    `byok`: whether the workload's limit counts BYOK inference, as the note does.
    """
    noted = dict(own.spent or {}) if own else {}
    for period in noted.keys() - {"lifetime"}:
        start = period_start(period, now)
        if own is None or start is None or (own.spent_at or own.since) < start:
            del noted[period]
    shown = spent_by_period(live, byok)
    if all(shown[period] >= usd - _ROUNDING for period, usd in noted.items()):
        return live
    return replace(
        live,
        **{
            f"usage{_SUFFIX[period]}": getattr(live, f"usage{_SUFFIX[period]}") + max(0.0, usd + margin - shown[period])
            for period, usd in _least(noted).items()
        },
    )


def spent_of(live: "ApiKey", own: LineageKey | None, byok: bool, now: datetime) -> dict[str, float]:
    """What the row is to note: by period, never less than it has noted before."""
    return spent_by_period(remembered(live, own, byok, now), byok)


def _least(noted: dict[str, float]) -> dict[str, float]:
    """By period; what is not noted of one is 0, and may still have been spent since."""
    return {period: noted.get(period, 0.0) for period in _SUFFIX}
