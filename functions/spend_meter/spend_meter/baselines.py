"""What a subject spent before it was watched, from OpenRouter's analytics: a new stack knows old keys' habits at once.

Analytics is slow and its freshness is documented nowhere, so it only ever fills days before today, a few subjects a
run. An answer that fails or is cut short teaches nothing: the subject stays cold, and is asked about again later.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from governor.clock import parse_instant
from management_api import (
    AnalyticsFilter,
    AnalyticsQuery,
    Dimension,
    Metric,
    OpenRouter,
    OpenRouterError,
    TimeRange,
    number,
)
from spend_meter.days import DAYS
from spend_meter.learning import Attempt, Hourly, due
from spend_meter.periods import minute_of, moment_of
from spend_meter.subjects import Lineage, LineageOf

if TYPE_CHECKING:
    from management_api import ApiKey

type CountsByok = Callable[["ApiKey"], bool]
"""Whether a key's BYOK inference is spend, as the meter counts it."""


def learn_from_analytics(
    client: OpenRouter, learning: Mapping[str, Attempt], lineage_of: LineageOf, counts_byok: CountsByok, minute: int
) -> dict[str, Hourly | None]:
    """The last 28 days of the subjects whose turn it is; None for one that could not be learned."""
    return {subject: _hourly(client, lineage_of(subject), counts_byok, minute) for subject in due(learning, minute)}


def _hourly(client: OpenRouter, lineage: Lineage, counts_byok: CountsByok, minute: int) -> Hourly | None:
    """The lineage's spend, counted as the meter counts it: of each key, BYOK inference or not."""
    if not lineage:
        return None
    end = moment_of(minute).replace(minute=0)
    start = max(end - timedelta(days=DAYS), min(key.created_at for key, _ in lineage))
    spent = {minute_of(start) // 60: 0.0}
    both, credits_only = [Metric.CREDITS_USAGE, Metric.BYOK_USAGE], [Metric.CREDITS_USAGE]
    for metrics, counted in ((both, True), (credits_only, False)):
        hashes = [key.hash for key, _ in lineage if counts_byok(key) is counted]
        if not hashes:
            continue
        question = AnalyticsQuery(
            metrics=list(metrics),
            filters=[AnalyticsFilter(field=Dimension.API_KEY, operator="in", value=list(hashes))],
            granularity="hour",
            time_range=TimeRange(start=start, end=end),
            limit=24 * (DAYS + 1),
        )
        try:
            answer = client.analytics.query(question)
            if not answer.is_whole:
                return None
            for row in answer.rows:
                hour = _hour(row)
                spent[hour] = spent.get(hour, 0.0) + sum(number(row[metric]) or 0.0 for metric in metrics)
        except (OpenRouterError, KeyError, StopIteration, ValueError, TypeError):
            return None
    return sorted(spent.items())


def _hour(row: Mapping[str, object]) -> int:
    """The hour of a row, hours since 1970. Its column is called after the time dimension, as in `date__hour`."""
    text = next(str(value) for name, value in row.items() if name.endswith("__hour"))
    return minute_of(parse_instant(text)) // 60
