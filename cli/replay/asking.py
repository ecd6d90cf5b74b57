"""The questions to OpenRouter's analytics: as few as its limits allow, at the pace it allows, each row once.

The limits (vendor's skill on analytics queries): 10,000 rows an answer, 64 questions a minute, minutes over three hours
at most, 31 days where a dimension needs it. Rows are asked for in order of time, so that an answer that is cut off is
whole up to its last bucket, and the next question goes on from there: nothing is asked twice.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Literal, Protocol

from governor.clock import parse_instant
from management_api import (
    AnalyticsFilter,
    AnalyticsOrder,
    AnalyticsQuery,
    AnalyticsResult,
    ApiKey,
    Dimension,
    Metric,
    RateLimited,
    TimeRange,
    number,
)
from redaction import redact
from spend_meter.periods import minute_of, moment_of

ROWS = 10_000
"""Rows that one answer may have at most."""
QUERIES_A_MINUTE = 60
"""A few less than the vendor's 64: a deployed stack asks as well."""
LONGEST = {"minute": 3 * 60, "hour": 31 * 24 * 60, "day": 31 * 24 * 60}
"""Minutes that one question may be about."""
BUCKET = {"minute": 1, "hour": 60, "day": 24 * 60}
TOGETHER = 5_000
"""Keys that one question is about at most, so that a single bucket of theirs fits into an answer."""
PATIENCE = 5
"""Times that a question is asked again after OpenRouter said to wait."""

type Granularity = Literal["minute", "hour", "day"]


class Analytics(Protocol):
    """`OpenRouter.analytics`, as far as it is used here."""

    def query(self, question: AnalyticsQuery) -> AnalyticsResult: ...


class AnalyticsUnclear(Exception):
    """An answer cannot be used; the message says what it lacks."""


@dataclass(frozen=True)
class Row:
    """`hash`: of the key, or empty where none of those asked about has the `name` in the answer; traffic without a key
    has no name. `minute`: when the bucket began. USD."""

    hash: str
    name: str
    minute: int
    credits: float
    byok: float


@dataclass(frozen=True)
class Names:
    """Keys that one question can be about: analytics answers with names, so none is there twice.

    `filtered`: the question names the keys; otherwise it is about all that there are.
    """

    hashes: Mapping[str, str]
    filtered: bool


def together(keys: Iterable[ApiKey], *, filtered: bool = False) -> list[Names]:
    """The keys in as few groups as their names allow."""
    groups: list[dict[str, str]] = []
    for key in keys:
        group = next((one for one in groups if key.name not in one and len(one) < TOGETHER), None)
        if group is None:
            group = {}
            groups.append(group)
        group[key.name] = key.hash
    return [Names(group, filtered or len(groups) > 1) for group in groups]


@dataclass
class Pace:
    """At most `QUERIES_A_MINUTE` in any 60 seconds; a few are asked at once. `now` and `sleep` in seconds."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _asked: deque[float] = field(default_factory=deque)

    def wait(self) -> None:
        if len(self._asked) == QUERIES_A_MINUTE:
            left = self._asked.popleft() + 60 - self.now()
            if left > 0:
                self.sleep(left)
        self._asked.append(self.now())


class Asking:
    """Asks for spend by key and time. `queries`, `rows`: asked and received so far."""

    def __init__(self, analytics: Analytics, pace: Pace | None = None, rows: int = ROWS) -> None:
        self._analytics = analytics
        self._pace = pace or Pace()
        self._limit = rows
        self.queries = 0
        self.rows = 0

    def spend(
        self, granularity: Granularity, start: int, end: int, names: Names, covered: Callable[[int], object]
    ) -> Iterator[Row]:
        """Rows from the minute `start` up to `end`, in order of time. `covered`: told how many minutes are done.

        Raises `AnalyticsUnclear`, and what the client raises.
        """
        at, longest = start, LONGEST[granularity]
        while at < end:
            until = min(end, at + longest)
            answer = self._ask(granularity, at, until, names)
            rows = [_row(one, granularity, names) for one in answer.rows]
            if not answer.truncated:
                yield from rows
                covered(until - at)
                at = until
                continue
            whole, cut = _up_to_last(rows)
            if cut is None or cut <= at:
                # Not in order, or one bucket alone is too much: ask about less.
                if until - at <= BUCKET[granularity]:
                    raise AnalyticsUnclear(
                        f"one {granularity} at {moment_of(at):%Y-%m-%d %H:%M} UTC has more rows than an answer holds"
                    )
                longest = max((until - at) // 2, BUCKET[granularity])
                continue
            yield from whole
            covered(cut - at)
            at = cut

    def _ask(self, granularity: Granularity, start: int, end: int, names: Names) -> AnalyticsResult:
        filters = [AnalyticsFilter(field=Dimension.API_KEY, operator="in", value=[*names.hashes.values()])]
        question = AnalyticsQuery(
            metrics=[Metric.CREDITS_USAGE, Metric.BYOK_USAGE],
            dimensions=[Dimension.API_KEY],
            filters=filters if names.filtered else [],
            granularity=granularity,
            time_range=TimeRange(start=moment_of(start), end=moment_of(end)),
            order_by=AnalyticsOrder(field="date", direction="asc"),
            limit=self._limit,
        )
        answer = self._patiently(question)
        self.rows += len(answer.rows)
        if answer.warnings:
            raise AnalyticsUnclear(f"OpenRouter did not resolve all keys: {answer.warnings[0]}")
        return answer

    def _patiently(self, question: AnalyticsQuery) -> AnalyticsResult:
        for attempt in range(PATIENCE + 1):
            self._pace.wait()
            self.queries += 1
            try:
                return self._analytics.query(question)
            except RateLimited as error:
                if attempt == PATIENCE:
                    raise
                self._pace.sleep(error.retry_after or 60.0)
        raise AssertionError("the loop returns or raises")


def _row(row: Mapping[str, object], granularity: Granularity, names: Names) -> Row:
    """Raises `AnalyticsUnclear` for a row that has not the columns asked for."""
    try:
        # People paste keys into names: the client shows no name of a key as it is, and neither do we.
        name = redact(str(row[Dimension.API_KEY] or ""))
        began = str(row[f"date__{granularity}"])
        # A day may be told without a time.
        at: datetime = parse_instant(f"{began}T00:00:00Z" if len(began) == len("2026-11-17") else began)
        credits, byok = (number(row[metric]) or 0.0 for metric in (Metric.CREDITS_USAGE, Metric.BYOK_USAGE))
    except (KeyError, ValueError, TypeError) as error:
        raise AnalyticsUnclear(f"a row of analytics cannot be read: {type(error).__name__}: {error}") from error
    return Row(names.hashes.get(name, ""), name, minute_of(at), credits, byok)


def _up_to_last(rows: Sequence[Row]) -> tuple[list[Row], int | None]:
    """The rows before the last bucket, which may be cut, and when that began; (none, None) if they are in no order."""
    if not rows or any(after.minute < before.minute for before, after in pairwise(rows)):
        return [], None
    last = rows[-1].minute
    return [one for one in rows if one.minute < last], last
