"""One process at a time sets the limits of a lineage's keys.

OpenRouter takes a limit as an absolute figure and knows no condition: a PATCH that was decided before somebody else
made a key may arrive after it, and both keys together may then spend more than the cap (promise 6). So whoever is about
to set limits, or to make a key that takes a share, writes a claim into the lineage's row first, by the row's
conditional write, and everybody else leaves the limits alone until it is given back or ends. What is then set must rest
on limits that were read after the row: nobody changes them without changing the row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from governor.clock import format_instant, parse_instant

HELD_FOR = timedelta(minutes=3)
"""Longer than any function that claims may run, and a request of it may be under way: a contract test compares it with
the template's timeouts."""


class LimitsClaimed(Exception):
    """Another process sets the limits of this workload's keys. Try again after the instant in the message."""


@dataclass(frozen=True)
class LimitClaim:
    """`by`: a rotation's token, or what else tells one process from another. `until`: it ends by itself."""

    by: str
    until: datetime

    def data(self) -> dict[str, Any]:
        return {"by": self.by, "until": format_instant(self.until)}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "LimitClaim":
        return cls(data["by"], parse_instant(data["until"]))


def claimed(claim: LimitClaim | None, workload: str, by: str, now: datetime) -> LimitClaim:
    """The claim to write: a new one, or `by`'s own again. Raises `LimitsClaimed` while somebody else's stands."""
    if claim and claim.by != by and now < claim.until:
        raise LimitsClaimed(
            f"another process sets the limits of {workload}'s keys, until {claim.until:%H:%M:%S} UTC at the latest; "
            f"nothing was changed, and it is tried again"
        )
    return LimitClaim(by, now + HELD_FOR)
