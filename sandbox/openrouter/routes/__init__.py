"""Every route of the API, one module per resource."""

from sandbox.openrouter.routes import (
    analytics,
    byok,
    current_key,
    guardrails,
    inference,
    keys,
    models,
    oauth,
    observability,
    presets,
    workspaces,
)

ROUTES = [
    route
    for resource in (
        keys, current_key, workspaces, guardrails, byok, observability, analytics, presets, inference, models, oauth,
    )
    for route in resource.routes.all
]  # fmt: skip
