"""Observability destinations: where a workspace's requests are broadcast to."""

from dataclasses import dataclass
from typing import Any

from sandbox.openrouter.bodies import DestinationChange
from sandbox.openrouter.periods import iso
from sandbox.openrouter.refusals import invalid

MOST_OF_A_TYPE = 5
MASK = "..."
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
            "config": masked(self.settings["config"]),
            "workspace_id": self.workspace_id,
            "created_at": iso(self.created_at),
            "updated_at": iso(self.updated_at),
        }

    def change(self, changes: dict[str, Any], now: float) -> None:
        """The vendor's document of a change's `config`: masked values are ignored, unset fields keep their value."""
        config = merged(self.settings["config"], changes.get("config", {}))
        check_type(self.type, config)
        self.settings |= changes | {"config": config}
        self.updated_at = now

    @property
    def address(self) -> str | None:
        field = DELIVERED.get(self.type)
        return None if field is None else str(self.settings["config"][field])

    def takes(self, key_hash: str) -> bool:
        hashes = self.settings["api_key_hashes"]
        return bool(self.settings["enabled"]) and (hashes is None or key_hash in hashes)


def masked(config: dict[str, Any]) -> dict[str, Any]:
    """The config as it is answered. That a webhook's header values are masked is our reading: the vendor's document
    masks the secrets of another type in its example, and says of no other which."""
    headers = config.get("headers")
    if not isinstance(headers, dict):
        return config
    hidden = {name: f"{str(value)[:4]}{MASK}{str(value)[-4:]}" for name, value in headers.items()}
    return {**config, "headers": hidden}


def merged(config: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`config` with these changes, whose masked values are left out."""
    kept = {name: value for name, value in changes.items() if not (isinstance(value, str) and MASK in value)}
    if isinstance(kept.get("headers"), dict):
        before = config.get("headers") or {}
        headers = {name: before.get(name) if MASK in str(value) else value for name, value in kept["headers"].items()}
        kept["headers"] = {name: value for name, value in headers.items() if value is not None}
    return {**config, **kept}


def check_type(type_: str, config: dict[str, Any]) -> None:
    if type_ not in TYPES:
        raise invalid(f"Unknown destination type: {type_}")
    field = DELIVERED.get(type_)
    if field and not str(config.get(field, "")).startswith(("http://", "https://")):
        raise invalid(f"config.{field} must be a URL")
