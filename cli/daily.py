"""What keys spent by UTC day, from OpenRouter's analytics (`replay/asking.py`).

An answer that names keys it could not resolve is unread, never taken for less spend.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from cli.account import Gap
from cli.caps import DAYS
from cli.replay.asking import AnalyticsUnclear, Asking, Names, Row, together
from management_api import ApiKey, OpenRouterError
from spend_meter.periods import minute_of, moment_of


@dataclass
class DailySpend:
    """USD by key hash and day. `unread`: hashes of keys whose spend is not known, and `gaps` why."""

    credits: dict[str, dict[date, float]] = field(default_factory=dict)
    byok: dict[str, dict[date, float]] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    gaps: list[Gap] = field(default_factory=list)


def read_daily(
    asking: Asking, keys: Iterable[ApiKey], now: datetime, advance: Callable[[int], None] = lambda steps: None
) -> DailySpend:
    """The last 28 complete days and today. `advance` is told how many keys are done.

    Raises nothing of OpenRouter's but a 401: what is not answered is a gap.
    """
    spend, start = DailySpend(), datetime.combine(now.astimezone(UTC).date() - timedelta(days=DAYS), time(), UTC)
    waiting = together(keys, filtered=True)
    while waiting:
        names = waiting.pop()
        try:
            rows = _ask(asking, names, minute_of(start), minute_of(now))
        except OpenRouterError as error:
            if error.status == 401:
                raise
            _unread(spend, names, f"spend of {len(names.hashes)} keys", str(error))
        except AnalyticsUnclear as error:
            # Which key it is about, only halves can tell.
            if len(names.hashes) > 1:
                waiting += _halves(names)
                continue
            _unread(spend, names, f"spend of key {next(iter(names.hashes))}", str(error))
        else:
            _count(spend, rows)
        advance(len(names.hashes))
    return spend


def _ask(asking: Asking, names: Names, start: int, end: int) -> list[Row]:
    """Every row, before the first is counted: what is asked about again must not be there already."""
    rows = list(asking.spend("day", start, end, names, lambda minutes: None))
    if len(names.hashes) == 1:
        # Whatever name analytics gives it, the question was about one key.
        (hash,) = names.hashes.values()
        return [Row(hash, row.name, row.minute, row.credits, row.byok) for row in rows]
    if any(not row.hash for row in rows):
        raise AnalyticsUnclear("a row is of a key that was not asked about")
    return rows


def _halves(names: Names) -> list[Names]:
    all_of = list(names.hashes.items())
    middle = len(all_of) // 2
    return [Names(dict(part), filtered=True) for part in (all_of[:middle], all_of[middle:])]


def _unread(spend: DailySpend, names: Names, what: str, why: str) -> None:
    spend.gaps.append(Gap(what, why, "spend"))
    spend.unread |= set(names.hashes.values())


def _count(spend: DailySpend, rows: Iterable[Row]) -> None:
    for row in rows:
        day = moment_of(row.minute).date()
        for by_key, usd in ((spend.credits, row.credits), (spend.byok, row.byok)):
            by_day = by_key.setdefault(row.hash, {})
            by_day[day] = by_day.get(day, 0.0) + usd
