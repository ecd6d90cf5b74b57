"""Bring-your-own-key credentials."""

from pydantic import SecretStr

from management_api._models._base import Answer, Instant, Name, Request


class ByokKey(Answer):
    """One provider credential. `workspace_id`: None means every workspace. `allowed_*`: None allows all.

    Tried in ascending `sort_order`; `is_fallback` only after OpenRouter's shared endpoints. `is_required`: no shared
    capacity for its models; `is_byok_only`: none for the provider.
    """

    id: str
    provider: str
    name: Name | None = None
    label: str = ""
    disabled: bool
    is_fallback: bool
    is_required: bool = False
    is_byok_only: bool = False
    sort_order: int
    allowed_models: list[str] | None
    allowed_api_key_hashes: list[str] | None
    allowed_user_ids: list[str] | None
    declared_zdr: bool | None = None
    declared_region: str | None = None
    workspace_id: str | None
    created_at: Instant


class ByokPatch(Request):
    """Changes to a credential. `key` rotates it in place.

    A list replaces the whole list, with no way to compare first: read, modify, write, read back.
    `allowed_api_key_hashes`: at most 100, each of a live key; an empty list is refused, None lifts the restriction.
    """

    key: SecretStr | None = None
    name: str | None = None
    disabled: bool | None = None
    is_fallback: bool | None = None
    is_required: bool | None = None
    is_byok_only: bool | None = None
    allowed_models: list[str] | None = None
    allowed_api_key_hashes: list[str] | None = None
    allowed_user_ids: list[str] | None = None
    declared_zdr: bool | None = None
    declared_region: str | None = None


class NewByok(ByokPatch):
    """A credential to be stored; OpenRouter never shows its key again."""

    provider: str
    key: SecretStr
    workspace_id: str | None = None
