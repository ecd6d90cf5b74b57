"""Watches a replaced key until nobody uses it, and says who does."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from governor.events import DetailType, Event, event_id
from governor.events.evidence import Drain, KeyRef
from governor.keys.lineage import Lineage, LineageKey
from governor.keys.rotation_end import key_ref
from governor.keys.sighting import Sighting
from key_retirement.copying import Behind
from key_retirement.decide import Decision, drain, look
from key_retirement.ports import LineageRun
from key_retirement.usage_queries import Asking
from management_api import (
    SINGLE_REQUESTS_WITHIN,
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

if TYPE_CHECKING:
    from management_api import ApiKey

TOP = 5
ANALYTICS_SECONDS = 10.0


def watch(run: LineageRun, asking: Asking, key: LineageKey, *, held: bool, behind: bool) -> tuple[LineageKey, Decision]:
    """The key as it is seen now, and what to do with it."""
    live = run.place.keys.get(key.hash)
    federated = run.workload.key.federated
    decide = partial(drain, key, live, rules=run.rules, now=run.now, held=held, behind=behind, federated=federated)
    if live is None:
        return key, decide(None)
    seen = replace(key, seen=look(live, live.usage + live.byok_usage, key.seen, run.now))
    decision = decide(seen.seen)
    if decision.rule == "quiet" and asking.lately(run, key.hash, run.rules.quiet):
        decision = decide(None)
    return seen, decision


def blocked(run: LineageRun, lineage: Lineage, key: LineageKey, live: "ApiKey", behind: Sequence[Behind]) -> Event:
    """Drain Blocked: who still uses the key, as far as analytics tells, and which copies still hold it. Once a day."""
    until = key.until or key.since
    rankings: dict[str, list[tuple[str, float]]] = {}
    missing: list[str] = []
    for name, dimension in (
        ("top_models", Dimension.MODEL),
        ("top_apps", Dimension.APP),
        ("top_users", Dimension.USER),
    ):
        try:
            rankings[name] = _ranking(run, key.hash, dimension, key.since)
        except (OpenRouterError, ValueError, KeyError) as error:
            missing.append(f"{name}: {type(error).__name__} from analytics")
    evidence = Drain(
        name=key.name,
        key=KeyRef(hash=key.hash, name=key.name),
        since=key.since,
        deadline=until + run.rules.drain_deadline,
        last_used_at=live.last_used_at,
        spent_usd=_spent(key.seen),
        missing=missing,
        behind=[f"{one.where}: {one.error}" if one.error else one.where for one in behind],
        rule="" if behind or not run.workload.key.federated else "federated",
        current=key_ref(lineage.current),
        **rankings,
    )
    places = " and ".join(one.where for one in behind)
    since = f"{key.name} was replaced at {key.since:%Y-%m-%d %H:%M} UTC"
    if behind:
        reason = f"{since} and stays enabled: {places} does not hold the new key."
    elif evidence.rule:
        reason = (
            f"{since} and is still used. A federation policy acts as it and cannot follow secret "
            f"{run.workload.secret}, so it stays enabled: let the policy act as the new key (Settings, Workload "
            f"identity), or disable the old one yourself."
        )
    else:
        reason = (
            f"{since} and is still used: point its users to secret {run.workload.secret}. It is disabled at "
            f"{evidence.deadline:%Y-%m-%d %H:%M} UTC."
        )
    kind = DetailType.DRAIN_BLOCKED
    day = (run.now - until) // timedelta(days=1)
    return Event(
        kind,
        event_id(kind, key.hash, day),
        run.workload.name,
        run.now,
        reason,
        evidence.model_dump(mode="json"),
    )


def _spent(seen: Sighting | None) -> float | None:
    """USD since the first look after it was replaced, which `Key Rotated` brings about at once."""
    return round(seen.counted_usd - seen.first_usd, 6) if seen and seen.first_usd is not None else None


def _ranking(run: LineageRun, hash: str, dimension: str, since: datetime) -> list[tuple[str, float]]:
    account = run.account.within(Deadline(lambda: min(ANALYTICS_SECONDS, run.seconds_left())))
    answer = account.analytics.query(
        AnalyticsQuery(
            metrics=[Metric.REQUEST_COUNT],
            dimensions=[dimension],
            filters=[AnalyticsFilter(field=Dimension.API_KEY, operator="in", value=[hash])],
            time_range=TimeRange(start=max(since, run.now - SINGLE_REQUESTS_WITHIN), end=run.now),
            order_by=AnalyticsOrder(field=Metric.REQUEST_COUNT, direction="desc"),
            limit=TOP,
        )
    )
    if answer.warnings:
        raise ValueError(f"analytics left the key out: {answer.warnings[0]}")
    return [(str(row.get(dimension) or "unknown"), number(row[Metric.REQUEST_COUNT]) or 0.0) for row in answer.rows]
