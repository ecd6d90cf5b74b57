"""What Key Disabled and Disable Withheld hold: the spend by minute, by morning, and on which models and apps."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from governor.events.evidence import BudgetReached, Cause, Disable, KeyOutcome, Runaway
from kill_switch.ports import Account
from kill_switch.settings import Claim
from management_api import (
    AnalyticsFilter,
    AnalyticsOrder,
    AnalyticsQuery,
    Deadline,
    Dimension,
    Metric,
    OpenRouterError,
    TimeRange,
    number,
)

MORNING = 8
"""The hour, UTC, at which somebody would have noticed."""
ANALYTICS_SECONDS = 6.0
TOP = 5
DAY = timedelta(days=1)

type Ranking = list[tuple[str, float]]


def by_morning(rate_usd_per_hour: float, now: datetime) -> float:
    """USD that the rate would have cost from `now` until the next 08:00 UTC."""
    morning = now.astimezone(UTC).replace(hour=MORNING, minute=0, second=0, microsecond=0)
    if morning <= now:
        morning += DAY
    return round(rate_usd_per_hour * (morning - now).total_seconds() / 3600, 2)


def evidence(
    claim: Claim, *, name: str, cause: Cause, trigger: str, rule: str, keys: Sequence[KeyOutcome], now: datetime
) -> Disable:
    """The evidence without the rankings, which take another call."""
    runaway = claim if isinstance(claim, Runaway) else None
    counted = claim if isinstance(claim, Runaway | BudgetReached) else None
    rate = counted.rate_usd_per_hour if counted else None
    return Disable(
        name=name,
        cause=cause,
        trigger=trigger,
        rule=rule,
        keys=list(keys),
        started_at=runaway.started_at if runaway else None,
        spent_usd=counted.spent_usd if counted else None,
        rate_usd_per_hour=rate,
        by_morning_usd=None if rate is None else by_morning(rate, now),
        spend_by_minute=runaway.spend_by_minute if runaway else [],
    )


def with_rankings(
    bare: Disable,
    account: Account,
    hashes: Sequence[str],
    claim: Claim,
    now: datetime,
    seconds_left: Callable[[], float],
) -> Disable:
    """`bare` with its models and apps by spend; without them, and saying so, when analytics does not answer in time."""
    since = now - DAY
    if isinstance(claim, Runaway):
        since = claim.observed_at - timedelta(minutes=claim.window_minutes)
    end = seconds_left() - ANALYTICS_SECONDS
    hurried = account.within(Deadline(lambda: min(seconds_left(), seconds_left() - end)))
    try:
        models, apps = (
            _ranking(hurried, dimension, hashes, since, now) for dimension in (Dimension.MODEL, Dimension.APP)
        )
    except (OpenRouterError, ValueError, KeyError) as error:
        return bare.model_copy(update={"missing": [f"top_models and top_apps: {type(error).__name__} from analytics"]})
    return bare.model_copy(update={"top_models": models, "top_apps": apps})


def _ranking(account: Account, dimension: str, hashes: Sequence[str], since: datetime, until: datetime) -> Ranking:
    answer = account.analytics.query(
        AnalyticsQuery(
            metrics=[Metric.TOTAL_USAGE],
            dimensions=[dimension],
            filters=[AnalyticsFilter(field=Dimension.API_KEY, operator="in", value=list(hashes))],
            time_range=TimeRange(start=since, end=until),
            order_by=AnalyticsOrder(field=Metric.TOTAL_USAGE, direction="desc"),
            limit=TOP,
        )
    )
    if answer.warnings:
        raise ValueError(f"analytics left a key out: {answer.warnings[0]}")
    spent = [(str(row.get(dimension) or "unknown"), number(row[Metric.TOTAL_USAGE]) or 0.0) for row in answer.rows]
    return sorted(((name, round(usd, 6)) for name, usd in spent if usd > 0), key=lambda pair: -pair[1])[:TOP]
