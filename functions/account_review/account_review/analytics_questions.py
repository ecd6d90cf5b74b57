"""Questions to analytics: counted, whole or unknown. The account may ask 64 a minute, Governor's other functions too.

Sources: `POST /analytics/query` of the vendor's OpenAPI document (`limit`: the most rows, 1,000 where nothing is said;
`metadata.truncated`; `warnings`), `GET /analytics/meta` for the metrics that are offered. Keys and workspaces come back
by name; the filter `api_key_id` takes hashes.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from account_review.costs import NOUGHT
from account_review.movers import Usage
from management_api import (
    AnalyticsFilter,
    AnalyticsMeta,
    AnalyticsOrder,
    AnalyticsQuery,
    AnalyticsResult,
    OpenRouterError,
    TimeRange,
    number,
)

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_QUESTIONS = 40
"""In one run: what it asks and a third over, well under what a minute takes."""
MOST_ROWS = 20_000
MOST_KEYS = 50
TOKENS = ("tokens_prompt", "tokens_completion", "cache_hit_rate")
"""Asked for where `GET /analytics/meta` lists them: no source states every metric's name."""


class Analytics(Protocol):
    """The part of the client that is asked."""

    def query(self, question: AnalyticsQuery) -> AnalyticsResult: ...
    def meta(self) -> AnalyticsMeta: ...


class Asker:
    """Asks, and notes in `unknown` what got no whole answer, by the name of what was asked for."""

    def __init__(self, analytics: Analytics) -> None:
        self._analytics = analytics
        self._offered: frozenset[str] | None = None
        self.unknown: dict[str, str] = {}
        self.asked = 0

    def spend(self, what: str, dimension: str, first: date, end: date) -> dict[str, Decimal]:
        """`total_usage` by one dimension; empty, and noted, where it is not known."""
        question = self._question([dimension], first, end, ["total_usage"])
        return self._read(what, question, lambda rows: _sums(rows, dimension))

    def days(self, first: date, end: date) -> dict[date, Decimal]:
        """USD of each day of the account from the first that spent anything; days between that lack a row spent
        nothing, since the answer is whole."""
        question = self._question([], first, end, ["total_usage"], granularity="day")
        found = self._read("days", question, _by_day)
        known = dict(found)
        for day in range(min(known).toordinal(), end.toordinal()) if known else ():
            known.setdefault(date.fromordinal(day), NOUGHT)
        return known

    def app_weeks(self, spans: Sequence[tuple[date, date]]) -> list[dict[str, Decimal]]:
        return [self.spend("apps", "app", first, end) for first, end in spans]

    def apps_by_key(self, first: date, end: date) -> dict[str, frozenset[str]]:
        """The named applications that used each key, by the key's name."""
        question = self._question(["api_key_id", "app"], first, end, ["request_count"], order="request_count")

        def read(rows: Sequence[Mapping[str, Any]]) -> dict[str, frozenset[str]]:
            found: dict[str, set[str]] = {}
            for row in rows:
                if row.get("api_key_id") and row.get("app"):
                    found.setdefault(str(row["api_key_id"]), set()).add(str(row["app"]))
            return {name: frozenset(apps) for name, apps in found.items()}

        return self._read("apps of keys", question, read)

    def models_of_workspaces(self, first: date, end: date) -> dict[str, dict[str, Usage]]:
        """Each model's use by the workspace's name."""
        question = self._question(["workspace", "model"], first, end, self._metrics())

        def read(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Usage]]:
            found: dict[str, dict[str, Usage]] = {}
            for row in rows:
                found.setdefault(str(row.get("workspace")), {})[str(row.get("model"))] = _usage(row)
            return found

        return self._read("models of workspaces", question, read)

    def models_of_keys(self, name: str, hashes: Sequence[str], first: date, end: date) -> dict[str, Usage]:
        """Each model's use under these keys (at most `MOST_KEYS`)."""
        which = AnalyticsFilter(field="api_key_id", operator="in", value=list(hashes[:MOST_KEYS]))
        question = self._question(["model"], first, end, self._metrics(), filters=[which])
        return self._read(
            f"models of {name}", question, lambda rows: {str(row.get("model")): _usage(row) for row in rows}
        )

    def _metrics(self) -> list[str]:
        if self._offered is None:
            try:
                self._offered = frozenset(one.name for one in self._analytics.meta().metrics)
            except OpenRouterError as error:
                if error.status == 401:
                    raise
                self._offered = frozenset()
                self.unknown["tokens"] = f"{error}"
        return ["total_usage", "request_count", *(name for name in TOKENS if name in self._offered)]

    def _question(
        self,
        dimensions: list[str],
        first: date,
        end: date,
        metrics: list[str],
        *,
        granularity: str | None = None,
        order: str = "total_usage",
        filters: list[AnalyticsFilter] | None = None,
    ) -> AnalyticsQuery:
        return AnalyticsQuery(
            metrics=metrics,
            dimensions=dimensions,
            granularity=granularity,
            filters=filters or [],
            time_range=TimeRange(start=_midnight(first), end=_midnight(end)),
            order_by=AnalyticsOrder(field=order, direction="desc") if dimensions else None,
            limit=MOST_ROWS,
        )

    def _read[K, V](
        self, what: str, question: AnalyticsQuery, read: "Callable[[Sequence[Mapping[str, Any]]], dict[K, V]]"
    ) -> dict[K, V]:
        """What the rows say; nothing, and a note of why, where the answer is none, not whole, or cannot be read."""
        if self.asked >= MOST_QUESTIONS:
            self.unknown[what] = f"more than {MOST_QUESTIONS} questions to analytics in one run"
            return {}
        self.asked += 1
        try:
            answer = self._analytics.query(question)
            if not answer.is_whole:
                self.unknown[what] = "; ".join(answer.warnings) or f"more than {MOST_ROWS:,} rows"
                return {}
            return read(answer.rows)
        except OpenRouterError as error:
            if error.status == 401:
                raise
            self.unknown[what] = f"{error}"
        except (ValueError, TypeError) as error:
            self.unknown[what] = f"an answer that cannot be read: {error}"
        return {}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _sums(rows: Sequence[Mapping[str, Any]], dimension: str) -> dict[str, Decimal]:
    """Two keys may share a name: their rows are one sum."""
    found: dict[str, Decimal] = {}
    for row in rows:
        name = str(row.get(dimension) or "(not named)")
        found[name] = found.get(name, NOUGHT) + _decimal(row.get("total_usage"))
    return found


def _by_day(rows: Sequence[Mapping[str, Any]]) -> dict[date, Decimal]:
    return {date.fromisoformat(str(row["date__day"])[:10]): _decimal(row.get("total_usage")) for row in rows}


def _usage(row: Mapping[str, Any]) -> Usage:
    rate = number(row.get("cache_hit_rate"))
    return Usage(
        requests=_decimal(row.get("request_count")),
        cost=_decimal(row.get("total_usage")),
        prompt_tokens=_decimal(row.get("tokens_prompt")),
        completion_tokens=_decimal(row.get("tokens_completion")),
        cache_rate=None if rate is None else Decimal(f"{rate}"),
    )


def _decimal(value: Any) -> Decimal:
    read = number(value)
    return NOUGHT if read is None else Decimal(f"{read}")
