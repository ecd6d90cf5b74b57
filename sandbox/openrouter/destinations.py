"""Observability destinations: where a workspace's requests are broadcast to."""

from dataclasses import dataclass
from typing import Any

from sandbox.openrouter.bodies import DestinationChange
from sandbox.openrouter.periods import iso
from sandbox.openrouter.refusals import invalid

MOST_OF_A_TYPE = 5
TYPES = frozenset((
    "arize", "braintrust", "clickhouse", "datadog", "grafana", "langfuse", "langsmith", "newrelic", "opik",
    "otel-collector", "posthog", "ramp", "s3", "sentry", "snowflake", "weave", "webhook",
))  # fmt: skip
DELIVERED = {"webhook": "url", "otel-collector": "endpoint"}
"""The types this simulator delivers to, and the config field that holds the address."""

DEFAULTS: dict[str, Any] = DestinationChange().model_dump()


@dataclass(slots=True)
class Destination:
    """`settings` are the writable fields."""

    id: str
    type: str
    workspace_id: str
    created_at: float
    updated_at: float
    settings: dict[str, Any]

    def view(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": self.type,
            **self.settings,
            "workspace_id": self.workspace_id,
            "created_at": iso(self.created_at),
            "updated_at": iso(self.updated_at),
        }

    @property
    def address(self) -> str | None:
        field = DELIVERED.get(self.type)
        return None if field is None else str(self.settings["config"][field])

    def takes(self, key_hash: str) -> bool:
        hashes = self.settings["api_key_hashes"]
        return bool(self.settings["enabled"]) and (hashes is None or key_hash in hashes)


def check_type(type_: str, config: dict[str, Any]) -> None:
    if type_ not in TYPES:
        raise invalid(f"Unknown destination type: {type_}")
    field = DELIVERED.get(type_)
    if field and not str(config.get(field, "")).startswith(("http://", "https://")):
        raise invalid(f"config.{field} must be a URL")
