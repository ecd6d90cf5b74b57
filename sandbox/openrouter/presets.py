"""Presets: a slug with versions, of which the latest posted is the designated one.

An archived preset keeps its versions and its slug, is hidden from reads and does not resolve, until it is restored
(https://openrouter.ai/docs/api/api-reference/presets/delete-a-preset). Unverified: that a POST to an archived slug is
answered 409.
"""

from dataclasses import dataclass, field
from typing import Any

from sandbox.openrouter.periods import iso
from sandbox.openrouter.refusals import Refusal

# The fields of an inference request that a preset keeps. Everything else in the body is dropped without a word.
KEPT = frozenset((
    "model", "models", "provider", "temperature", "top_p", "top_k", "min_p", "top_a", "frequency_penalty",
    "presence_penalty", "repetition_penalty", "max_tokens", "max_completion_tokens", "seed", "stop", "tools",
    "tool_choice", "parallel_tool_calls", "response_format", "reasoning", "plugins", "verbosity", "route",
    "cache_enabled", "cache_ttl_seconds",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Version:
    id: str
    preset_id: str
    version: int
    system_prompt: str | None
    config: dict[str, Any]
    creator_id: str
    created_at: float

    def view(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "preset_id": self.preset_id,
            "version": self.version,
            "system_prompt": self.system_prompt,
            "config": self.config,
            "creator_id": self.creator_id,
            "created_at": iso(self.created_at),
            "updated_at": iso(self.created_at),
        }


@dataclass(slots=True)
class Preset:
    id: str
    slug: str
    workspace_id: str
    created_at: float
    updated_at: float
    creator_user_id: str | None = None
    status: str = "active"
    status_updated_at: float | None = None
    versions: list[Version] = field(default_factory=list)

    @property
    def designated(self) -> Version:
        return self.versions[-1]

    def change_status(self, status: str, now: float) -> None:
        """`archived` or `active`; the same again changes nothing. Raises a 409 for a disabled preset."""
        if self.status == "disabled":
            raise Refusal(409, f"Preset {self.slug} is disabled")
        if self.status != status:
            self.status, self.status_updated_at = status, now

    def view(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "slug": self.slug,
            "name": self.slug,
            "description": None,
            "status": self.status,
            "status_updated_at": None if self.status_updated_at is None else iso(self.status_updated_at),
            "designated_version_id": self.designated.id,
            "creator_user_id": self.creator_user_id,
            "workspace_id": self.workspace_id,
            "created_at": iso(self.created_at),
            "updated_at": iso(self.updated_at),
        }

    def view_with_version(self) -> dict[str, Any]:
        return {**self.view(), "designated_version": self.designated.view()}


def split_body(body: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """The system prompt and the config that a chat body leaves in a preset."""
    system = [message.get("content") for message in body.get("messages") or () if message.get("role") == "system"]
    prompt = system[0] if system and isinstance(system[0], str) else None
    return prompt, {name: value for name, value in body.items() if name in KEPT and value is not None}
