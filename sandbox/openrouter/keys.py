"""API keys: what one is, and the ring that holds them newest first, by workspace."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sandbox.openrouter.metering import Meter
from sandbox.openrouter.periods import Interval, iso, iso_or_none

PAGE = 100
"""Keys a page of `GET /keys` holds; there is no `limit` and no total."""


@dataclass(slots=True)
class Key:
    """Times in epoch seconds, money in USD. The plaintext is not here: it exists in the answer that created the key."""

    hash: str
    name: str
    label: str
    workspace_id: str
    created_at: float
    limit: float | None = None
    limit_reset: Interval | None = None
    include_byok_in_limit: bool = False
    expires_at: float | None = None
    creator_user_id: str | None = None
    external_user: str | None = None
    disabled: bool = False
    updated_at: float | None = None
    last_used_at: float | None = None
    meter: Meter = field(default_factory=Meter)

    def is_expired(self, now: float) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def limit_spend(self, now: float) -> float:
        """What counts against the key's own limit in the current window."""
        return self.meter.spent(self.limit_reset, now, include_byok=self.include_byok_in_limit)

    def limit_remaining(self, now: float) -> float | None:
        return None if self.limit is None else round(max(self.limit - self.limit_spend(now), 0.0), 10)

    def view(self, now: float) -> dict[str, Any]:
        """The key as every answer of `/keys` shows it."""
        return {
            "hash": self.hash,
            "name": self.name,
            "label": self.label,
            "disabled": self.disabled,
            "limit": self.limit,
            "limit_remaining": self.limit_remaining(now),
            "limit_reset": self.limit_reset,
            "include_byok_in_limit": self.include_byok_in_limit,
            **self.meter.view(now),
            "created_at": iso(self.created_at),
            "updated_at": iso_or_none(self.updated_at),
            "last_used_at": iso_or_none(self.last_used_at),
            "expires_at": iso_or_none(self.expires_at),
            "creator_user_id": self.creator_user_id,
            "external_user": self.external_user,
            "workspace_id": self.workspace_id,
        }


class KeyRing:
    def __init__(self) -> None:
        self._by_hash: dict[str, Key] = {}
        # Insertion order is order of creation; a dict also deletes in constant time.
        self._by_workspace: dict[str, dict[str, Key]] = {}

    def __iter__(self) -> Iterator[Key]:
        return iter(self._by_hash.values())

    def __len__(self) -> int:
        return len(self._by_hash)

    def add(self, key: Key) -> None:
        self._by_hash[key.hash] = key
        self._by_workspace.setdefault(key.workspace_id, {})[key.hash] = key

    def get(self, key_hash: str) -> Key | None:
        return self._by_hash.get(key_hash)

    def remove(self, key_hash: str) -> None:
        key = self._by_hash.pop(key_hash)
        del self._by_workspace[key.workspace_id][key_hash]

    def move(self, key: Key, workspace_id: str) -> None:
        """File the key under another workspace; its age, and so its place in the listing, stays."""
        del self._by_workspace[key.workspace_id][key.hash]
        key.workspace_id = workspace_id
        self._by_workspace[workspace_id] = {
            each.hash: each for each in self._by_hash.values() if each.workspace_id == workspace_id
        }

    def of_workspace(self, workspace_id: str) -> list[Key]:
        return list(self._by_workspace.get(workspace_id, {}).values())

    def page(self, workspace_id: str, offset: int, now: float, *, disabled: bool, expired: bool) -> list[Key]:
        """Up to 100 keys, newest first; disabled and expired ones only when asked for."""
        newest_first = reversed(self._by_workspace.get(workspace_id, {}).values())
        shown = (
            key
            for key in newest_first
            if (disabled or not key.disabled) and (expired or key.expires_at is None or not key.is_expired(now))
        )
        return list(islice(shown, offset, offset + PAGE))
