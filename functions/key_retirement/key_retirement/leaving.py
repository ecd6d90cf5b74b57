"""Takes the keys that a run retired out of every list, together: one change a list, however many keys leave it.

They are disabled by then, so nothing depends on how soon it happens. A death before it leaves a quarantined key that
something points at, which the next runs see and take out one by one (`service`).
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from governor.keys.attachments import Attachments, detach

if TYPE_CHECKING:
    from management_api import OpenRouter


@dataclass
class Leaving:
    """Which keys leave, and what pointed at each when the run read it."""

    _keys: dict[str, Attachments] = field(default_factory=dict)

    def add(self, hash: str, attachments: Attachments) -> None:
        self._keys[hash] = attachments

    def leave(self, account: "OpenRouter") -> list[Exception]:
        """Idempotent. What kept a list from being changed."""
        keys, self._keys = self._keys, {}
        return detach(account, keys)
