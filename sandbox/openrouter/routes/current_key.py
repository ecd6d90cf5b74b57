"""`/key`: what the calling key is, and every budget that stands before it. Free, so also the liveness check."""

from typing import Any

from sandbox.openrouter.calls import Call, Routes
from sandbox.openrouter.keys import Key
from sandbox.openrouter.limits import blocking, layers
from sandbox.openrouter.metering import Meter
from sandbox.openrouter.organization import OWNER, Organization
from sandbox.openrouter.periods import day_of, iso_or_none

FREE_REQUESTS = 1000
"""A day, for the whole account; told, not enforced."""

routes = Routes("any")


@routes.add("GET", "/key")
def get_current_key(call: Call) -> dict[str, Any]:
    key, now = call.key, call.now
    budgets = [] if key is None else layers(call.organization, key, now)
    effective = blocking(budgets)
    free_requests = call.organization.free_requests[day_of(now)]
    return {
        "data": {
            **_identity(call.organization, key, now),
            "budgets": [layer.view() for layer in budgets],
            "effective_budget": effective and effective.view(),
            "allowed_data_regions": ["global"],
            "free_model_daily_requests": {
                "limit": FREE_REQUESTS,
                "remaining": max(FREE_REQUESTS - free_requests, 0),
                "used": free_requests,
            },
            "is_free_tier": False,
            "organization_id": call.organization.id,
            "rate_limit": {"requests": -1, "interval": "10s", "note": "This field is deprecated and safe to ignore."},
        }
    }


def _identity(organization: Organization, key: Key | None, now: float) -> dict[str, Any]:
    is_management = key is None
    return {
        "label": organization.management_label if key is None else key.label,
        "is_management_key": is_management,
        "is_provisioning_key": is_management,
        "limit": key and key.limit,
        "limit_remaining": key and key.limit_remaining(now),
        "limit_reset": key and key.limit_reset,
        "include_byok_in_limit": key is not None and key.include_byok_in_limit,
        **(Meter() if key is None else key.meter).view(now),
        "expires_at": iso_or_none(organization.management_expires_at if key is None else key.expires_at),
        "creator_user_id": OWNER if key is None else key.creator_user_id,
        "workspace_id": organization.default_workspace.id if key is None else key.workspace_id,
    }
