"""What one sweep of the account saw, and what it did not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spend_meter.state import Layers

if TYPE_CHECKING:
    from management_api import ApiKey, Credits


@dataclass(frozen=True)
class Reading:
    """What OpenRouter said. `listed`: workspace id to its keys, None where they are unknown.

    `errors`: workspace id (or `account`) to why it is unknown. `timed_out`: the time was up before all was read.
    `unreadable`: workspace id to the hashes (or digests) of keys that its list holds and that cannot be read.
    `failed_calls`: calls that gave no answer, retries not counted.
    """

    listed: Mapping[str, "Sequence[ApiKey] | None"] = field(default_factory=dict)
    layers: Layers = field(default_factory=Layers)
    credits: "Credits | None" = None
    errors: Mapping[str, str] = field(default_factory=dict)
    timed_out: bool = False
    failed_calls: int = 0
    unreadable: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def keys_read(self) -> int:
        return sum(len(keys) for keys in self.listed.values() if keys is not None)
