"""`/models` and `/providers`: the catalogue."""

from typing import Any

from sandbox.openrouter.calls import Call, Routes
from sandbox.openrouter.catalogue import MODELS, PROVIDERS, architecture, endpoint_view, model_view
from sandbox.openrouter.refusals import not_found

routes = Routes("public")


@routes.add("GET", "/models")
def list_models(call: Call) -> dict[str, Any]:
    changed = call.organization.listed_models
    rows = [{**model_view(model), **(changed.get(model.id) or {})} for model in MODELS.values()]
    rows = [row for row in rows if changed.get(row["id"], {}) is not None]
    offset, limit = call.number("offset", 0), call.number("limit", 500, least=1, most=1000)
    return {"data": rows[offset : offset + limit], "links": {"next": None}, "total_count": len(rows)}


@routes.add("GET", "/models/count")
def count_models(_call: Call) -> dict[str, Any]:
    return {"data": {"count": len(MODELS)}}


@routes.add("GET", "/models/user", access="any")
def list_user_models(call: Call) -> dict[str, Any]:
    """Those the calling key's guardrails let through."""
    guardrails = [] if call.key is None else call.organization.guardrails_over(call.key)
    allowed = [model for model in MODELS.values() if all(each.allows_model(model) for each in guardrails)]
    return {"data": [model_view(model) for model in allowed], "links": {"next": None}, "total_count": len(allowed)}


@routes.add("GET", "/models/{author}/{slug}/endpoints")
def list_endpoints(call: Call) -> dict[str, Any]:
    model = MODELS.get(f"{call.path['author']}/{call.path['slug']}")
    if model is None:
        raise not_found("Model")
    return {
        "data": {
            "id": model.id,
            "name": model.name,
            "created": model.created,
            "description": f"{model.name}, simulated.",
            "architecture": architecture(model),
            "endpoints": [endpoint_view(model, provider) for provider in model.providers],
        }
    }


@routes.add("GET", "/providers")
def list_providers(_call: Call) -> dict[str, Any]:
    absent = dict.fromkeys(
        ("privacy_policy_url", "terms_of_service_url", "status_page_url", "headquarters", "datacenters")
    )
    return {"data": [{"slug": slug, "name": name, **absent} for slug, name in PROVIDERS.items()]}
