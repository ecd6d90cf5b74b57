"""`POST /analytics/query`: metrics, grouped by up to two dimensions, filtered by ids and answered by names.

The limits are the vendor's (its skill on analytics): 64 queries a minute, minutes over three hours at most, and 31 days
where a dimension needs the single requests.
"""

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sandbox.openrouter.analytics import HOUR, MINUTE, Tally, Traffic, bucket_of
from sandbox.openrouter.bodies import AnalyticsQuery, Filter
from sandbox.openrouter.catalogue import MODELS, PROVIDERS
from sandbox.openrouter.periods import DAY, iso
from sandbox.openrouter.refusals import Refusal, invalid

if TYPE_CHECKING:
    from sandbox.openrouter.organization import Organization

METRICS: dict[str, Callable[[Tally], Any]] = {
    # Counts come as strings, money and rates as numbers.
    "request_count": lambda tally: str(tally.requests),
    "tokens_total": lambda tally: str(tally.prompt_tokens + tally.completion_tokens),
    "tokens_prompt": lambda tally: str(tally.prompt_tokens),
    "tokens_completion": lambda tally: str(tally.completion_tokens),
    "total_usage": lambda tally: round(tally.usage + tally.upstream, 10),
    "credits_usage": lambda tally: round(tally.usage, 10),
    "openrouter_usage": lambda tally: round(tally.usage - tally.byok_fees, 10),
    "byok_usage": lambda tally: round(tally.upstream, 10),
    "byok_fees": lambda tally: round(tally.byok_fees, 10),
    "byok_request_count": lambda tally: str(tally.byok_requests),
    "usage_upstream": lambda tally: round(tally.provider_side, 10) if tally.provider_side else None,
    "cache_hit_rate": lambda tally: tally.cached_tokens / tally.prompt_tokens if tally.prompt_tokens else None,
}
"""A component that was never used is null. What each cost means: the vendor's guide to the analytics schema.

`usage_upstream` is what providers charge for *all* inference; `byok_usage` is the part that our own accounts paid.
"""

DIMENSIONS: dict[str, Callable[[Traffic], str | None]] = {
    "api_key_id": lambda traffic: traffic.key_hash,
    "model": lambda traffic: traffic.model,
    "provider": lambda traffic: PROVIDERS[traffic.provider],
    "app": lambda traffic: traffic.app,
    "user": lambda traffic: traffic.user,
    "workspace": lambda traffic: traffic.workspace_id,
}
GRANULARITIES = ("minute", "hour", "day", "week", "month")

QUERIES_A_MINUTE = 64
MINUTES_WITHIN = 3 * HOUR
REQUESTS_WITHIN = 31 * DAY
SINGLE_REQUESTS = frozenset({"provider", "app", "workspace"})
"""Dimensions that are not aggregated ahead: they are read from the single requests, which reach back 31 days."""


def query(organization: "Organization", asked: AnalyticsQuery) -> dict[str, Any]:
    """`{"data": rows, "metadata": ...}`; a name that is not offered is a 400."""
    unknown = [each for each in asked.metrics if each not in METRICS]
    unknown += [each for each in asked.dimensions if each not in DIMENSIONS]
    if unknown:
        raise invalid(f"Unknown metric or dimension: {unknown[0]}")
    start, end = _range(organization, asked)
    _count(organization)
    question, now = asked.model_dump_json(), organization.now
    cached = organization.analytics_cache.get(question)
    if cached and now - cached[0] < organization.analytics_cache_seconds:
        return {**cached[1], "cachedAt": cached[0] * 1000}
    organization.analytics_cache = {question: (now, _answer(organization, asked, start, end))}
    return organization.analytics_cache[question][1]


def _range(organization: "Organization", asked: AnalyticsQuery) -> tuple[float, float]:
    """The instants asked about. Raises a 400 where the range is longer than granularity or dimension allows."""
    by_minute = asked.granularity == "minute"
    end = asked.time_range.end.timestamp() if asked.time_range else organization.now
    # Without a range the vendor takes one of its own, which no source states.
    start = (
        asked.time_range.start.timestamp() if asked.time_range else end - (MINUTES_WITHIN if by_minute else 30 * DAY)
    )
    if end < start:
        raise invalid("time_range.start must be before time_range.end")
    if by_minute and end - start > MINUTES_WITHIN:
        raise invalid("Minute granularity is limited to a time range of 3 hours")
    narrow = sorted(SINGLE_REQUESTS & {*asked.dimensions, *(each.field for each in asked.filters)})
    if narrow and end - start > REQUESTS_WITHIN:
        raise invalid(f"{narrow[0]} is limited to a time range of 31 days")
    return start, end


def _count(organization: "Organization") -> None:
    """Raises a 429 on the 65th query of a minute."""
    asked_at, now = organization.analytics_asked, organization.now
    while asked_at and not now - MINUTE < asked_at[0] <= now:
        asked_at.popleft()
    if len(asked_at) >= QUERIES_A_MINUTE:
        wait = math.ceil(asked_at[0] + MINUTE - now)
        raise Refusal(429, "Rate limit exceeded: 64 analytics queries per minute", retry_after=wait)
    asked_at.append(now)


def _answer(organization: "Organization", asked: AnalyticsQuery, start: float, end: float) -> dict[str, Any]:
    groups: dict[tuple[int | None, tuple[str | None, ...]], Tally] = {}
    for at, traffic, tally in _matching(organization, asked, start, end):
        bucket = None if asked.granularity is None else bucket_of(asked.granularity, at)
        group = (bucket, tuple(DIMENSIONS[name](traffic) for name in asked.dimensions))
        groups.setdefault(group, Tally()).add(tally)
    rows = [
        _row(organization, asked, bucket, values, tally)
        for (bucket, values), tally in sorted(groups.items(), key=lambda item: (item[0][0] or 0, -item[1].usage))
    ]
    order = asked.order_by
    if order:
        field = f"date__{asked.granularity}" if order.field == "date" else order.field
        rows.sort(key=lambda row: _sortable(row.get(field)), reverse=order.direction == "desc")
    shown = rows[: asked.limit]
    metadata = {"query_time_ms": 12, "row_count": len(shown), "truncated": len(shown) < len(rows)}
    unresolved = [
        f"api_key_id {value} could not be resolved"
        for each in asked.filters
        if each.field == "api_key_id"
        for value in (each.value if isinstance(each.value, list) else [each.value])
        if not organization.keys.get(str(value))
    ]
    return {"data": shown, "metadata": metadata, **({"warnings": unresolved} if unresolved else {})}


def meta() -> dict[str, Any]:
    """What can be asked for."""
    return {
        "metrics": [
            {
                "name": name,
                "display_label": _label(name),
                "display_format": _format(name),
                "is_rate": name.endswith("rate"),
            }
            for name in METRICS
        ],
        "dimensions": [{"name": name, "display_label": _label(name)} for name in DIMENSIONS],
        "granularities": [{"name": name, "display_label": _label(name)} for name in GRANULARITIES],
        "operators": [
            {"name": name, "value_type": "array" if name.endswith("in") else "scalar"}
            for name in ("eq", "neq", "in", "not_in")
        ],
    }


def _format(name: str) -> str:
    if "usage" in name or name.endswith("fees"):
        return "currency"
    return "percent" if name.endswith("rate") else "number"


def _label(name: str) -> str:
    return name.replace("_", " ").title()


def _matching(
    organization: "Organization", asked: AnalyticsQuery, start: float, end: float
) -> Iterator[tuple[int, Traffic, Tally]]:
    tests = [_test(each) for each in asked.filters]
    minutes = asked.granularity == "minute" or bool(start % HOUR or end % HOUR)
    for at, traffic, tally in organization.analytics.between(start, end, minutes=minutes):
        if all(test(traffic) for test in tests):
            yield at, traffic, tally


def _test(asked: Filter) -> Callable[[Traffic], bool]:
    """Filters take underlying ids: a key's hash, a workspace's id, a model's slug or permaslug."""
    read = DIMENSIONS.get(asked.field)
    if read is None or asked.operator not in ("eq", "neq", "in", "not_in"):
        raise invalid(f"Cannot filter by {asked.field} {asked.operator}")
    values = asked.value if isinstance(asked.value, list) else [asked.value]
    if asked.field == "model":
        slugs = {model.permaslug: model.id for model in MODELS.values()}
        values = [slugs.get(str(value), value) for value in values]
    wanted = asked.operator in ("eq", "in")
    return lambda traffic: (read(traffic) in values) is wanted


def _row(
    organization: "Organization",
    asked: AnalyticsQuery,
    bucket: int | None,
    values: tuple[str | None, ...],
    tally: Tally,
) -> dict[str, Any]:
    when = {} if bucket is None else {f"date__{asked.granularity}": iso(bucket)}
    named = {name: _name(organization, name, value) for name, value in zip(asked.dimensions, values, strict=True)}
    return {**when, **named, **{metric: METRICS[metric](tally) for metric in asked.metrics}}


def _name(organization: "Organization", dimension: str, value: str | None) -> str | None:
    """Keys and workspaces come back as names, which two of them may share; a deleted key's as its hash."""
    if dimension == "api_key_id":
        key = organization.keys.get(value or "")
        return key.name if key else value
    if dimension == "workspace":
        workspace = organization.workspaces.get(value or "")
        return workspace.name if workspace else value
    return value


def _sortable(value: Any) -> tuple[int, float, str]:
    if value is None:
        return (0, 0.0, "")
    try:
        return (1, float(value), "")
    except ValueError:
        return (2, 0.0, str(value))
