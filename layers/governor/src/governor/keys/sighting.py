"""What was seen of a key when it was last looked at, as the lineage's row keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governor.clock import format_instant, parse_instant


@dataclass(frozen=True)
class Sighting:
    """`counted_usd`: over the key's life, BYOK where the limit counts it.

    `quiet_since`: since when nothing of it has changed; None while it has just been used. `first_usd`: what had been
    counted when it was first looked at in its present state; None where that was not noted.
    """

    at: datetime
    counted_usd: float
    last_used_at: datetime | None
    quiet_since: datetime | None = None
    first_usd: float | None = None

    def data(self) -> dict[str, Any]:
        return {
            "at": format_instant(self.at),
            "counted_usd": self.counted_usd,
            "last_used_at": format_instant(self.last_used_at) if self.last_used_at else None,
            "quiet_since": format_instant(self.quiet_since) if self.quiet_since else None,
            "first_usd": self.first_usd,
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Sighting":
        first = data.get("first_usd")
        return cls(
            at=parse_instant(data["at"]),
            counted_usd=float(data["counted_usd"]),
            last_used_at=parse_instant(data["last_used_at"]) if data["last_used_at"] else None,
            quiet_since=parse_instant(data["quiet_since"]) if data["quiet_since"] else None,
            first_usd=None if first is None else float(first),
        )
