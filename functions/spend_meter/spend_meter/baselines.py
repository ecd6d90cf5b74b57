"""What a subject spent before it was watched, from OpenRouter's analytics: a new stack knows old keys' habits at once.

Analytics is slow and its freshness is documented nowhere, so it only ever fills days before today, a few subjects a
beat. An answer that fails or is cut short teaches nothing: the subject stays cold, and is asked about again later.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from governor.clock import parse_instant
from management_api import AnalyticsFilter, AnalyticsQuery, OpenRouter, OpenRouterError, TimeRange, number

from spend_meter.history import DAYS
from spend_meter.periods import minute_of, moment_of
from spend_meter.state import Attempt
from spend_meter.subjects import Lineage, LineageOf

AT_ONCE = 5
FIRST_DELAY, LONGEST_DELAY = 10, 1440
"""Minutes to wait after the first failure; doubled by each one, up to a day."""

type Hourly = Sequence[tuple[int, float]]
"""(hours since 1970, USD); absent hours are zero."""


def learn_from_analytics(
    client: OpenRouter, learning: Mapping[str, Attempt], lineage_of: LineageOf, minute: int
) -> dict[str, Hourly | None]:
    """The last 28 days of the subjects whose turn it is; None for one that could not be learned."""
    due = sorted((attempt.next_at, subject) for subject, attempt in learning.items() if attempt.next_at <= minute)
    return {subject: _hourly(client, lineage_of(subject), minute) for _, subject in due[:AT_ONCE]}


def attempted(learning: Mapping[str, Attempt], learned: Mapping[str, Hourly | None], minute: int) -> dict[str, Attempt]:
    """The attempts that are left: those in vain are put off, each time for twice as long."""
    after = dict(learning)
    for subject, hourly in learned.items():
        count = after.pop(subject, Attempt(0, 0)).count
        if hourly is None:
            after[subject] = Attempt(minute + min(FIRST_DELAY << min(count, 10), LONGEST_DELAY), count + 1)
    return after


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
