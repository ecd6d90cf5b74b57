"""`/analytics` and `/activity`."""

from typing import Any

from sandbox.openrouter.analytics import Tally
from sandbox.openrouter.analytics_query import meta, query
from sandbox.openrouter.bodies import AnalyticsQuery
from sandbox.openrouter.calls import Call, Routes
from sandbox.openrouter.catalogue import MODELS, PROVIDERS
from sandbox.openrouter.periods import DAY, day_of, iso

ACTIVITY_DAYS = 30

routes = Routes()


@routes.add("GET", "/analytics/meta", refuses=403)
def get_meta(_call: Call) -> dict[str, Any]:
    return {"data": meta()}


@routes.add("POST", "/analytics/query", refuses=403)
def query_analytics(call: Call) -> dict[str, Any]:
    return {"data": query(call.organization, call.body(AnalyticsQuery))}


@routes.add("GET", "/activity", refuses=403)
def get_activity(call: Call) -> dict[str, Any]:
    """Completed UTC days only, by model and endpoint."""
    today = day_of(call.now) * DAY
    key_hash, workspace_id, date = (call.query.get(each) for each in ("api_key_hash", "workspace_id", "date"))
    by_workspace = call.query.get("group_by") == "workspace"
    sums: dict[tuple[str, str, str, str | None], Tally] = {}
    buckets = call.organization.analytics.between(today - ACTIVITY_DAYS * DAY, today, minutes=False)
    for at, traffic, tally in buckets:
        day = iso(at)[:10]
        if (
            key_hash in (None, traffic.key_hash)
            and workspace_id in (None, traffic.workspace_id)
            and date in (None, day)
        ):
            group = (day, traffic.model, traffic.provider, traffic.workspace_id if by_workspace else None)
            sums.setdefault(group, Tally()).add(tally)
    return {"data": [_item(*group, tally) for group, tally in sorted(sums.items(), key=lambda item: item[0][:3])]}


def _item(day: str, model_id: str, provider: str, workspace_id: str | None, tally: Tally) -> dict[str, Any]:
    model = MODELS[model_id]
    return {
        "date": day,
        "model": model.id,
        "model_permaslug": model.permaslug,
        "endpoint_id": model.endpoint_id(provider),
        "provider_name": PROVIDERS[provider],
        "usage": round(tally.usage, 10),
        "byok_usage_inference": round(tally.upstream, 10),
        "requests": tally.requests,
        "prompt_tokens": tally.prompt_tokens,
        "completion_tokens": tally.completion_tokens,
        "cached_tokens": tally.cached_tokens,
        "reasoning_tokens": 0,
        **({} if workspace_id is None else {"workspace_id": workspace_id}),
    }
