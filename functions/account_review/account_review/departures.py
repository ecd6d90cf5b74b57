"""Who left the organization: lists of members, one after the other. Pure.

A list, the first rule that applies:
 1. `repeated`    it is of a run that was counted already
 2. `empty`       it names nobody: an organization has its administrator
 3. `shorter`     it has fewer than half of the members that were seen: a list that was cut off
 4. `counted`     who was seen and is missing now is missing since this list; who is there again is not

Of the first three nothing follows: they neither count nor break a count (promise 3). A member who is missing from two
counted lists in a row has left. Who was never in a list is not a member who left.

Members are remembered by the first digits of their id's SHA-256: all of them stand in one row.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Self

from governor.clock import format_instant, parse_instant

DIGITS = 12
"""Of each mark: a row of 400 KB holds some 25,000 members, among whom two alike are one chance in a million."""
Rule = Literal["repeated", "empty", "shorter", "counted"]


def mark(member: str) -> str:
    """What a member is remembered by."""
    return hashlib.sha256(member.encode()).hexdigest()[:DIGITS]


@dataclass(frozen=True)
class Roll:
    """The members as the last counted list, of `at`, had them. `missing`: since when, by mark; not told of yet."""

    at: datetime
    seen: frozenset[str] = frozenset()
    missing: Mapping[str, datetime] = field(default_factory=dict, hash=False)

    @property
    def left(self) -> Mapping[str, datetime]:
        """Those who are missing from two lists in a row, and since when."""
        return {one: since for one, since in self.missing.items() if since < self.at}

    def settled(self, marks: Iterable[str]) -> Self:
        """The roll once these were told, or have no key to tell of: they are strangers until they are members again."""
        done = frozenset(marks)
        return replace(self, missing={one: since for one, since in self.missing.items() if one not in done})

    def data(self) -> dict[str, Any]:
        return {
            "at": format_instant(self.at),
            "seen": sorted(self.seen),
            "missing": {one: format_instant(since) for one, since in sorted(self.missing.items())},
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        missing = {one: parse_instant(since) for one, since in data["missing"].items()}
        return cls(parse_instant(data["at"]), frozenset(data["seen"]), missing)


@dataclass(frozen=True)
class Counted:
    """`roll`: as it stands then; None where there is none yet."""

    rule: Rule
    roll: Roll | None


def count(roll: Roll | None, members: Collection[str], at: datetime) -> Counted:
    """What a list that was read to its end says, by the rules above. `at`: the run's own time."""
    present = frozenset(map(mark, members))
    if roll and at <= roll.at:
        return Counted("repeated", roll)
    if not present:
        return Counted("empty", roll)
    if roll is None:
        return Counted("counted", Roll(at, present))
    if 2 * len(present) < len(roll.seen):
        return Counted("shorter", roll)
    gone = (roll.seen | roll.missing.keys()) - present
    return Counted("counted", Roll(at, present, {one: roll.missing.get(one, at) for one in gone}))
