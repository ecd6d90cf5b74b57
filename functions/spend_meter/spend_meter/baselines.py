"""What a subject spent before it was watched, from OpenRouter's analytics: a new stack knows old keys' habits at once.

Analytics is slow and its freshness is documented nowhere, so it only ever fills days before today, a few subjects a
beat. An answer that fails or is cut short teaches nothing: the subject stays cold, and is asked about again later.
"""

from collections.abc import Mapping
from datetime import timedelta

from governor.clock import parse_instant
from management_api import AnalyticsFilter, AnalyticsQuery, OpenRouter, OpenRouterError, TimeRange, number
from spend_meter.history import DAYS
from spend_meter.learning import Attempt, Hourly, due
from spend_meter.periods import minute_of, moment_of
from spend_meter.subjects import Lineage, LineageOf


def learn_from_analytics(
    client: OpenRouter, learning: Mapping[str, Attempt], lineage_of: LineageOf, minute: int
) -> dict[str, Hourly | None]:
    """The last 28 days of the subjects whose turn it is; None for one that could not be learned."""
    return {subject: _hourly(client, lineage_of(subject), minute) for subject in due(learning, minute)}


def _hourly(client: OpenRouter, lineage: Lineage, minute: int) -> Hourly | None:
    # What analytics counts of BYOK usage is documented nowhere; a habit without it would look too small.
    if not lineage or any(key.byok_usage for key, _ in lineage):
        return None
    end = moment_of(minute).replace(minute=0)
    start = max(end - timedelta(days=DAYS), min(key.created_at for key, _ in lineage))
    question = AnalyticsQuery(
        metrics=["total_usage"],
        filters=[AnalyticsFilter(field="api_key_id", operator="in", value=[key.hash for key, _ in lineage])],
        granularity="hour",
        time_range=TimeRange(start=start, end=end),
        limit=24 * (DAYS + 1),
    )
    try:
        answer = client.analytics.query(question)
        if answer.truncated:
            return None
        rows = [(_hour(row), number(row["total_usage"]) or 0.0) for row in answer.rows]
    except (OpenRouterError, KeyError, StopIteration, ValueError, TypeError):
        return None
    return [(minute_of(start) // 60, 0.0), *rows]


def _hour(row: Mapping[str, object]) -> int:
    """The hour of a row, hours since 1970. Its column is called after the time dimension, as in `date__hour`."""
    text = next(str(value) for name, value in row.items() if name.endswith("__hour"))
    return minute_of(parse_instant(text)) // 60
