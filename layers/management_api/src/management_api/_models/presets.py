"""Presets and their versions."""

from typing import Any

from management_api._models._base import Answer, Instant, Name, Slug


class PresetVersion(Answer):
    """One version. `config` is free-form: what of a chat body a preset keeps."""

    id: str
    preset_id: str
    version: int
    system_prompt: str | None = None
    config: dict[str, Any]
    creator_id: str | None = None
    created_at: Instant
    updated_at: Instant | None = None


class Preset(Answer):
    """One preset. `status`: `active`, `disabled` or `archived`.

    `designated_version` is what requests get; listings leave it out and send `designated_version_id` alone.
    """

    id: str
    slug: Slug
    name: Name
    description: str | None = None
    status: str
    designated_version_id: str | None = None
    designated_version: PresetVersion | None = None
    workspace_id: str | None = None
    creator_user_id: str | None = None
    status_updated_at: Instant | None = None
    created_at: Instant
    updated_at: Instant | None = None
