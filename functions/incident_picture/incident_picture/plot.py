"""A picture before it is drawn: the figures, what they are called, and the same in words. Money is in USD."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

from governor.slack.text import clip
from governor.slack.text import plain as one_line

MAX_ALT = 1000
"""Characters. Slack takes 2,000 in an image block, and 1,000 with an upload."""


@dataclass(frozen=True)
class Point:
    """What was measured, or is expected, at a moment (of a minute: at its start)."""

    at: datetime
    usd: float


@dataclass(frozen=True)
class Level:
    """A line across the picture."""

    label: str
    usd: float
    kind: Literal["habit", "limit"] = "limit"


@dataclass(frozen=True)
class Mark:
    """A moment at which something was decided. `ends`: and money stopped."""

    label: str
    at: datetime
    ends: bool = False


@dataclass(frozen=True)
class Bar:
    """A named amount."""

    label: str
    usd: float
    kind: Literal["spent", "habit", "limit"] = "spent"


@dataclass(frozen=True)
class Plot:
    """`minutes`: a bar a minute. `curve`: points, joined. `bars`: named amounts.

    `ahead`: what would have come, or will if nothing changes. `unit`: of the vertical axis. `alt`: the picture in
    words, with every figure that somebody would look for in it.
    """

    kind: Literal["minutes", "curve", "bars"]
    title: str
    unit: str
    alt: str
    points: tuple[Point, ...] = ()
    levels: tuple[Level, ...] = ()
    marks: tuple[Mark, ...] = ()
    ahead: tuple[Point, ...] = ()
    ahead_label: str = ""
    bars: tuple[Bar, ...] = ()

    @property
    def digest(self) -> str:
        """Of everything that is drawn: two plots of one digest are one picture."""
        said = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), default=datetime.isoformat)
        return hashlib.sha256(said.encode()).hexdigest()


def dollars(usd: float) -> str:
    """To the cent; below a cent with two digits that matter, for nothing that was spent is shown as $0.00."""
    if 0 < abs(usd) < 0.01:
        return f"${usd:.2g}"
    return f"-${-usd:,.2f}" if usd < 0 else f"${usd:,.2f}"


def clock(at: datetime) -> str:
    """`08:04`, in UTC."""
    return f"{at.astimezone(UTC):%H:%M}"


def moment(at: datetime) -> str:
    """`21 Nov 08:04 UTC`."""
    return f"{at.astimezone(UTC):%-d %b %H:%M} UTC"


def named(name: str, subject: str) -> str:
    """A workload by its name; a key that none declares by its own name and the start of its hash."""
    short = clip(one_line(name or subject), 40)
    return f"{short} (key {subject[:8]})" if len(subject) == 64 else short


def words(*sentences: str) -> str:
    """The sentences that say something, as one text within Slack's limit."""
    return clip(" ".join(one for one in sentences if one), MAX_ALT)
