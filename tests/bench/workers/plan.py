"""Worker: the past of `governor plan`, read from analytics that cost no memory and played; what it took of each."""

import json
import math
import resource
import sys
import time
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from cli.account import Account
from cli.output import Output
from cli.replay.asking import LONGEST, ROWS, Asking, Pace
from cli.replay.history import MATTERS_USD
from cli.replay.outcome import outcome_of
from cli.replay.play import Play
from cli.replay.source import Source
from governor.policy import Policy
from management_api import AnalyticsQuery, AnalyticsResult, ApiKey, Metric, Workspace
from spend_meter.periods import minute_of, moment_of

NOW = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)
MONTHLY = ((0.60, 5.0), (0.85, 50.0), (0.97, 500.0), (1.0, 5000.0))
"""USD a month of each share of the keys."""
WORKSPACES = 20
VENDORS_QUERIES_A_MINUTE = 64


class Generated:
    """Spend by key and hour as dice say; the same for the same hour, so that none of it need be kept."""

    def __init__(self, keys: list[ApiKey]) -> None:
        dice = Random(1)
        self._keys = keys
        self._number = {key.hash: number for number, key in enumerate(keys)}
        self._daily = [_monthly(dice.random()) / 30 for _ in keys]
        self._always = [dice.random() < 0.3 for _ in keys]
        self.rows = {"hour": 0, "minute": 0}
        self.least_of_minutes = 0
        self.ranges: list[tuple[int, int]] = []

    def daily(self, number: int) -> float:
        """USD of a day, about."""
        return self._daily[number]

    def usd(self, number: int, hour: int) -> float:
        """A third of the keys work around the clock, the others on weekdays from eight to six."""
        day = hour // 24
        at_work = 8 <= hour % 24 < 18 and (day + 3) % 7 < 5
        if not (self._always[number] or at_work):
            return 0.0
        share = 1 / 24 if self._always[number] else 0.14
        return self._daily[number] * share * (0.6 + 0.8 * ((number * 7919 + hour * 104729) % 1000) / 1000)

    def query(self, question: AnalyticsQuery) -> AnalyticsResult:
        assert question.time_range
        start, end = (minute_of(at) for at in (question.time_range.start, question.time_range.end))
        rows = self._hours(start, end) if question.granularity == "hour" else self._minutes(question, start, end)
        limit = question.limit or ROWS
        if question.granularity == "minute":
            self.least_of_minutes += math.ceil(len(rows) / limit)
        return AnalyticsResult(rows=rows[:limit], truncated=len(rows) > limit)

    def _hours(self, start: int, end: int) -> list[dict[str, Any]]:
        """As many as an answer holds, and one more where there are others."""
        rows: list[dict[str, Any]] = []
        for hour in range(start // 60, end // 60):
            at = moment_of(hour * 60).isoformat()
            for number, key in enumerate(self._keys):
                if usd := self.usd(number, hour):
                    rows.append(_row("hour", at, key.name, usd))
            if len(rows) > ROWS:
                break
        return rows

    def _minutes(self, question: AnalyticsQuery, start: int, end: int) -> list[dict[str, Any]]:
        (asked,) = question.filters
        assert isinstance(asked.value, list)
        numbers = [self._number[str(hash)] for hash in asked.value]
        rows = []
        for minute in range(start, end):
            at = moment_of(minute).isoformat()
            for number in numbers:
                if usd := self.usd(number, minute // 60):
                    rows.append(_row("minute", at, self._keys[number].name, usd / 60))
        return rows

    def hour_rows(self, start: int, end: int) -> int:
        return sum(self.usd(number, hour) > 0 for hour in range(start, end) for number in range(len(self._keys)))


def _row(granularity: str, at: str, name: str, usd: float) -> dict[str, Any]:
    return {f"date__{granularity}": at, "api_key_id": name, Metric.CREDITS_USAGE: usd, Metric.BYOK_USAGE: None}


def _monthly(dice: float) -> float:
    return next(usd for share, usd in MONTHLY if dice <= share)


def _key(number: int) -> ApiKey:
    counters: dict[str, Any] = {
        f"{kind}usage{of}": 0.0 for kind in ("", "byok_") for of in ("", "_daily", "_weekly", "_monthly")
    }
    return ApiKey(
        hash=f"{number:064x}", name=f"key-{number}", disabled=False, limit=None, limit_reset=None,
        include_byok_in_limit=False, created_at=NOW - timedelta(days=300), workspace_id=f"w{number % WORKSPACES}",
        **counters,
    )  # fmt: skip


def measure(keys: int, days: int) -> dict[str, Any]:
    """Seconds of asking are of a clock that the pace alone moves: what the vendor's rate makes of the questions."""
    listed = [_key(number) for number in range(keys)]
    far, clock = Generated(listed), {"now": 0.0}

    def sleep(seconds: float) -> None:
        clock["now"] += seconds

    asking = Asking(far, Pace(now=lambda: clock["now"], sleep=sleep))
    start = (NOW - timedelta(days=days)).replace(hour=0)
    fetched = Source(asking, listed, None, Output()).fetch(start, NOW)
    rows = far.hour_rows(fetched.history.start, fetched.history.end)
    longest = (fetched.history.end - fetched.history.start) * 60 / LONGEST["hour"]
    least = max(math.ceil(rows / ROWS), math.ceil(longest)) + far.least_of_minutes
    workspaces = tuple(
        Workspace(id=f"w{number}", name=f"W{number}", slug=f"w{number}", created_at=NOW - timedelta(days=300))
        for number in range(WORKSPACES)
    )
    account = Account(begun=NOW, workspaces=workspaces, keys=tuple(listed))
    began = time.perf_counter()
    played = Play(Policy(version=1), account, fetched.history, start, NOW).run()
    summaries = outcome_of(played, fetched.history).summaries
    return {
        "queries": fetched.queries,
        "least": least,
        "asking_s": clock["now"],
        "least_s": least / VENDORS_QUERIES_A_MINUTE * 60,
        "playing_s": time.perf_counter() - began,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "keys": len(summaries),
    }


def floor(keys: int, days: int) -> dict[str, Any]:
    """The least number of questions for so many keys, counted and not asked: each row once, in full answers."""
    listed = [_key(number) for number in range(keys)]
    far = Generated(listed)
    end = minute_of(NOW) // 60
    start = minute_of((NOW - timedelta(days=days)).replace(hour=0)) // 60
    least = math.ceil(far.hour_rows(start - 28 * 24, end) / ROWS)
    dear = [number for number in range(keys) if far.daily(number) > MATTERS_USD]
    for first in range(start, end, LONGEST["minute"] // 60):
        window = range(first, min(first + LONGEST["minute"] // 60, end))
        hours = [[far.usd(number, hour) for hour in window] for number in dear]
        rows = 60 * sum(usd > 0 for one in hours if max(one) >= MATTERS_USD for usd in one)
        least += math.ceil(rows / ROWS)
    return {"least": least, "least_s": least / VENDORS_QUERIES_A_MINUTE * 60}


if __name__ == "__main__":
    for line in sys.stdin:
        given = json.loads(line)
        do = {"measure": measure, "floor": floor}[given.pop("do")]
        print(json.dumps(do(**given)), flush=True)
