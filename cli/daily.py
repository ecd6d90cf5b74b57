"""What keys spent by UTC day, from OpenRouter's analytics.

Analytics answers with the names of keys, which are not unique: each question is about keys of different names, by their
hashes. An answer that is cut off or that names keys it could not resolve is unread, never taken for less spend.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from cli.account import Gap
from cli.caps import DAYS
from management_api import (
    AnalyticsFilter,
    AnalyticsQuery,
    AnalyticsResult,
    ApiKey,
    Dimension,
    Metric,
    OpenRouterError,
    TimeRange,
    number,
)
from redaction import redact

KEYS_A_QUESTION = 300
"""So that 29 days of them fit into the 10,000 rows that an answer may have (vendor's skill on analytics queries)."""
ROWS = 10_000


class Analytics(Protocol):
    """`OpenRouter.analytics`, as far as it is used here."""

    def query(self, question: AnalyticsQuery) -> AnalyticsResult: ...


@dataclass
class DailySpend:
    """USD by key hash and day. `unread`: hashes of keys whose spend is not known, and `gaps` why."""

    credits: dict[str, dict[date, float]] = field(default_factory=dict)
    byok: dict[str, dict[date, float]] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    gaps: list[Gap] = field(default_factory=list)


def read_daily(
    analytics: Analytics, keys: Iterable[ApiKey], now: datetime, advance: Callable[[int], None] = lambda steps: None
) -> DailySpend:
    """The last 28 complete days and today. One question for up to 300 keys; `advance` is told how many are done.

    Raises nothing of OpenRouter's but a 401: what is not answered is a gap.
    """
    spend, start = DailySpend(), datetime.combine(now.astimezone(UTC).date() - timedelta(days=DAYS), time(), UTC)
    waiting = _groups(keys)
    while waiting:
        group = waiting.pop()
        try:
            whole = _ask(analytics, group, TimeRange(start=start, end=now), spend)
        except (OpenRouterError, KeyError, ValueError) as error:
            if isinstance(error, OpenRouterError) and error.status == 401:
                raise
            whole = False
            if len(group) == 1 or isinstance(error, OpenRouterError):
                spend.gaps.append(Gap(f"spend of {len(group)} keys", str(error) or type(error).__name__, "spend"))
                spend.unread |= {key.hash for key in group}
                advance(len(group))
                continue
        if whole:
            advance(len(group))
        elif len(group) > 1:
            waiting += [group[: len(group) // 2], group[len(group) // 2 :]]
        else:
            why = "analytics did not answer for it, or not in full"
            spend.gaps.append(Gap(f"spend of key {group[0].name}", why, "spend"))
            spend.unread.add(group[0].hash)
            advance(1)
    return spend


def _groups(keys: Iterable[ApiKey]) -> list[Sequence[ApiKey]]:
    """Groups in which no name is there twice."""
    groups: list[dict[str, ApiKey]] = []
    for key in keys:
        group = next((one for one in groups if key.name not in one and len(one) < KEYS_A_QUESTION), None)
        if group is None:
            group = {}
            groups.append(group)
        group[key.name] = key
    return [list(group.values()) for group in groups]


def _ask(analytics: Analytics, group: Sequence[ApiKey], range: TimeRange, spend: DailySpend) -> bool:
    """Whether the answer was whole. Raises `ValueError` or `KeyError` for rows that are not as documented."""
    answer = analytics.query(
        AnalyticsQuery(
            metrics=[Metric.CREDITS_USAGE, Metric.BYOK_USAGE],
            dimensions=[Dimension.API_KEY],
            filters=[AnalyticsFilter(field=Dimension.API_KEY, operator="in", value=[key.hash for key in group])],
            granularity="day",
            time_range=range,
            limit=ROWS,
        )
    )
    if not answer.is_whole:
        return False
    hashes = {key.name: key.hash for key in group}

    def whose(name: str) -> str:
        # A credential that somebody pasted into a name is cut out of it where keys are read.
        return group[0].hash if len(group) == 1 else hashes.get(name) or hashes[redact(name)]

    # All rows are read before the first is counted: a group that is asked about again must not be there already.
    rows = [
        (
            whose(str(row[Dimension.API_KEY])),
            # A day, or the instant at which it began.
            date.fromisoformat(str(row["date__day"])[:10]),
            number(row[Metric.CREDITS_USAGE]) or 0.0,
            number(row[Metric.BYOK_USAGE]) or 0.0,
        )
        for row in answer.rows
    ]
    for hash, day, credits, byok in rows:
        for by_key, usd in ((spend.credits, credits), (spend.byok, byok)):
            by_day = by_key.setdefault(hash, {})
            by_day[day] = by_day.get(day, 0.0) + usd
    return True
