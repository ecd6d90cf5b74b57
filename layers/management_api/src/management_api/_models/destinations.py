"""Observability destinations: where OpenRouter pushes each request's cost."""

from typing import Any

from pydantic import Field

from management_api._models._base import Answer, Instant, Name, Request


class Destination(Answer):
    """One destination. `type`: `webhook`, `otel-collector`, `datadog`, ...; `config` is the type's own.

    Without `privacy_mode` it carries whole prompts. `config` may hold credentials, so it is left out of the repr.
    """

    id: str
    type: str
    name: Name | None = None
    workspace_id: str
    enabled: bool
    config: dict[str, Any] = Field(default_factory=dict, repr=False)
    privacy_mode: bool
    sampling_rate: float = 1.0
    api_key_hashes: list[str] | None = None
    filter_rules: dict[str, Any] | None = None
    regions: list[str] | None = None
    broadcast_generation_cost: bool = False
    broadcast_generation_identity: bool = False
    broadcast_generation_request_context: bool = False
    created_at: Instant
    updated_at: Instant | None = None


class DestinationPatch(Request):
    """Changes to a destination. `config` may hold `SecretStr` values, such as a webhook's header."""

    name: str | None = None
    enabled: bool | None = None
    config: dict[str, Any] | None = Field(default=None, repr=False)
    privacy_mode: bool | None = None
    sampling_rate: float | None = None
    api_key_hashes: list[str] | None = None
    filter_rules: dict[str, Any] | None = None
    regions: list[str] | None = None
    broadcast_generation_cost: bool | None = None
    broadcast_generation_identity: bool | None = None
    broadcast_generation_request_context: bool | None = None


class NewDestination(DestinationPatch):
    """A destination to be made; at most five of a type."""

    type: str
    name: str
    config: dict[str, Any] = Field(repr=False)
    workspace_id: str | None = None
