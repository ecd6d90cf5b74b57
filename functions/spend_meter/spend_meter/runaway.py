"""Whether a subject's spend is a runaway: facts and memory in, a verdict with its reason out. Pure; microseconds.

One beat of one subject: `history.record(...)`, `verdict = judge(history, facts)`, `settle(history, verdict)`; keep
`verdict.next_state` for the next beat. A subject with no new spend and a `QUIET` state needs none of this.
"""

import struct
from dataclasses import dataclass, replace
from enum import IntEnum

from spend_meter.history import WINDOWS, History


class Level(IntEnum):
    """How sure the detector is. A suspicion is told to people; only a confirmed runaway asks for the key's disabling."""

    QUIET = 0
    SUSPECT = 1
    CONFIRM = 2


@dataclass(frozen=True)
class Limits:
    """The rules' constants; tuples are by window (15 min, 1 h, 6 h, 24 h). USD."""

    suspect_floor: tuple[float, ...] = (6.0, 15.0, 50.0, 120.0)
    confirm_floor: tuple[float, ...] = (10.0, 25.0, 80.0, 200.0)
    suspect_multiple: tuple[float, ...] = (3.0, 3.0, 3.0, 3.0)
    confirm_multiple: tuple[float, ...] = (5.0, 5.0, 5.0, 5.0)
    suspect_peak: float = 1.5
    confirm_peak: float = 2.5
    suspect_burn: float = 3.0
    confirm_burn: float = 6.0
    still_burning: float = 0.5
    beats: int = 2
    warm_days: int = 14
    cold_share: float = 0.5
    raise_again: int = 15
    quiet_after: int = 10
    fallen_to: float = 0.25
    told_for: int = 3 * 1440
    told_margin: float = 1.5


LIMITS = Limits()
MONTH = 30 * 1440
"""Minutes in the month by which a budget's pace is reckoned."""

_STATE = struct.Struct("<BBBBIIIfII")


@dataclass(frozen=True)
class State:
    """What one beat hands to the next. `QUIET` encodes to no bytes at all."""

    suspect_beats: int = 0
    confirm_beats: int = 0
    level: Level = Level.QUIET
    window: int = 0
    started_minute: int = 0
    raised_minute: int = 0
    told_minute: int = 0
    told_rate: float = 0.0
    seen_minute: int = 0
    peak_minute: int = 0

    def to_bytes(self) -> bytes:
        """Empty for a subject with nothing to remember."""
        return b"" if self == QUIET else _STATE.pack(
            self.suspect_beats, self.confirm_beats, self.level, WINDOWS.index(self.window) if self.window else 255,
            self.started_minute, self.raised_minute, self.told_minute, self.told_rate, self.seen_minute, self.peak_minute,
        )

    @property
    def needs_beat(self) -> bool:
        """The subject must be judged on the next beat even if it spends nothing."""
        return self.level != Level.QUIET or bool(self.suspect_beats)


QUIET = State()
