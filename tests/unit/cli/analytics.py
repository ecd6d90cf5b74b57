"""Analytics in memory, with the vendor's limits: rows an answer, minutes a question, names instead of hashes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from management_api import AnalyticsQuery, AnalyticsResult, ApiKey, Metric, RateLimited, Rejected
from spend_meter.periods import minute_of, moment_of

NOW = datetime(2026, 11, 18, 11, 0, tzinfo=UTC)


def api_key(number: int, name: str = "", **fields: object) -> ApiKey:
    counters = {
        f"{kind}usage{period}": 0.0 for kind in ("", "byok_") for period in ("", "_daily", "_weekly", "_monthly")
    }
    known: dict[str, Any] = {
        "disabled": False, "limit": None, "limit_reset": None, "include_byok_in_limit": False,
        "created_at": NOW - timedelta(days=200), "workspace_id": "w1", **counters, **fields,
    }  # fmt: skip
    return ApiKey(hash=f"{number:064x}", name=name or f"key-{number}", **known)


@dataclass
class FakeAnalytics:
    """`spent`: (key, minute) to USD. `asked`: every question. `before`: called with each, and may raise."""

    keys: list[ApiKey]
    spent: dict[tuple[str, int], float] = field(default_factory=dict)
    asked: list[AnalyticsQuery] = field(default_factory=list)
    before: Callable[[AnalyticsQuery], None] = lambda question: None
    warnings: list[str] = field(default_factory=list)
    called: dict[str, str] = field(default_factory=dict)
    """Hash to the name that analytics gives, where it is another than the client shows."""
    by_minute_since: int = 0
    """Older spend is known by the hour only, whatever is asked for."""

    def spend(self, key: ApiKey, at: datetime, usd: float) -> None:
        self.spent[key.hash, minute_of(at)] = self.spent.get((key.hash, minute_of(at)), 0.0) + usd

    def query(self, question: AnalyticsQuery) -> AnalyticsResult:
        self.asked.append(question)
        self.before(question)
        assert question.time_range
        start, end = (minute_of(at) for at in (question.time_range.start, question.time_range.end))
        if question.granularity == "minute" and end - start > 180:
            raise Rejected("minutes over three hours at most", request="POST /analytics/query", status=400)
        wanted = {str(hash) for one in question.filters if isinstance(one.value, list) for hash in one.value}
        names = {key.hash: key.name for key in self.keys} | self.called
        sums: dict[tuple[int, str], float] = {}
        for (hash, minute), usd in self.spent.items():
            bucket = minute // 60 * 60 if question.granularity == "hour" or minute < self.by_minute_since else minute
            if start <= bucket < end and (not wanted or hash in wanted):
                sums[bucket, names.get(hash, hash)] = sums.get((bucket, names.get(hash, hash)), 0.0) + usd
        rows = [
            {f"date__{question.granularity}": moment_of(bucket).isoformat(), "api_key_id": name,
             Metric.CREDITS_USAGE: usd, Metric.BYOK_USAGE: None}
            for (bucket, name), usd in sorted(sums.items())
        ]  # fmt: skip
        limit = question.limit or 1000
        return AnalyticsResult(rows=rows[:limit], truncated=len(rows) > limit, warnings=self.warnings)


def limited(retry_after: float) -> RateLimited:
    return RateLimited("slow down", request="POST /analytics/query", status=429, retry_after=retry_after)
