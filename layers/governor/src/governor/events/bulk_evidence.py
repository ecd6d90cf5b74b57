"""What the events of a bulk order hold (decision 54)."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from governor.events.evidence import Evidence

State = Literal["running", "paused", "halted", "stopped", "draining", "ended", "void"]


class Laggard(Evidence):
    """A workload that still uses the key that was replaced. `last_used_at`: as it was seen last."""

    name: str
    last_used_at: datetime | None = None


class BulkRotation(Evidence):
    """Bulk Rotation Progressed and Ended. Counts are of lineages; together they are `total`, and `behind_count` is of
    `rotated`: their replaced keys still work.

    `order`: the id of the request. `name`: its scope, for people. `state`: `halted` by Governor after failures;
    `draining` when nothing more is to begin and replaced keys are still in their overlaps; `void`: the yes does not
    fit, and nothing (more) is begun.
    `said_by`: who paused or stopped it, empty for nobody. `failing`, `passed_over` and `behind`
    name the first twenty of each.
    """

    order: str
    name: str
    because: str
    state: State
    total: int
    rotated: int = 0
    running: int = 0
    waiting: int = 0
    failed: int = 0
    left: int = 0
    behind_count: int = 0
    failing: list[str] = Field(default_factory=list)
    passed_over: list[str] = Field(default_factory=list)
    behind: list[Laggard] = Field(default_factory=list)
    requested_by: str
    approved_by: list[str] = Field(default_factory=list)
    said_by: str = ""
