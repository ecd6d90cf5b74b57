"""What others tell the detector, as the ledger's partition `detector` holds it.

`<subject>`: from when on to learn afresh (`{"kind": "rebaseline", "at": ...}`). `<subject>#expected`: until when its
spend is meant (`{"kind": "expected", "until": ...}`). `<subject>#due#<cause>`: which disable was withheld and when it
is asked again (`kind` `due`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from governor.clock import parse_instant
from governor.ledger import Row
from spend_meter.facts import Due
from spend_meter.periods import minute_of

DETECTOR = "detector"


@dataclass(frozen=True)
class DetectorRows:
    """`rebaselines`: subject to an instant. `expected`: subject to a minute. `due`: by subject. See `facts.Facts`."""

    rebaselines: Mapping[str, str]
    expected: Mapping[str, int]
    due: Mapping[str, Sequence[Due]]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Self:
        """The rows of the partition `DETECTOR`. A row of a kind unknown to this version is left out."""
        due: dict[str, list[Due]] = {}
        for row in rows:
            if row.data.get("kind") == "due":
                one = Due(row.data["cause"], row.data["trigger"], minute_of(parse_instant(row.data["again_at"])))
                due.setdefault(row.data["subject"], []).append(one)
        return cls(
            rebaselines={row.sk: str(row.data["at"]) for row in rows if row.data.get("kind") == "rebaseline"},
            expected={
                row.sk.removesuffix("#expected"): minute_of(parse_instant(row.data["until"]))
                for row in rows
                if row.data.get("kind") == "expected"
            },
            due=due,
        )
