"""What a run's decisions are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from governor.keys.owners import Owned
from governor.policy import Policy
from spend_meter.learning import Hourly
from spend_meter.state import State
from spend_meter.subjects import LineageOf, Subjects
from spend_meter.sweep_reading import Reading


@dataclass(frozen=True)
class Due:
    """A disable that the kill switch withheld for now.

    `trigger`: the event that asked. `minute`: from when it is to be asked again.
    """

    cause: str
    trigger: str
    minute: int


@dataclass(frozen=True)
class Facts:
    """All that a run knows. `rebaselines`: subject to the instant a human last restored it.

    `learned`: what analytics said of the subjects it was asked about. `expected`: subject to the minute until which a
    human says that its spend is meant. `owners`: the keys of lineages, by hash. `due`: subject to the disables
    that were withheld and are to be asked again. `woken`: subject to the counters (USD by key) that a reading since the
    last run has judged: what has not grown since is no news. `watched`: lines are wanted (`watching.py`).
    `seen_as`: policy and reading as subjects, where whoever decides often has made them already.
    """

    state: State
    reading: Reading
    minute: int
    policy: Policy
    rebaselines: Mapping[str, str]
    learned: Mapping[str, Hourly | None]
    expected: Mapping[str, int]
    owners: Mapping[str, Owned] = MappingProxyType({})
    due: Mapping[str, Sequence[Due]] = field(default_factory=dict)
    woken: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    watched: bool = False
    seen_as: tuple[Subjects, LineageOf] | None = None

    def owed(self, subject: str, cause: str) -> Due | None:
        """The disable that is to be asked again now, unless that was done or a human says that the spend is meant."""
        if self.minute < self.expected.get(subject, 0):
            return None
        for due in self.due.get(subject, ()):
            if due.cause == cause and due.minute <= self.minute and due.trigger not in self.state.asked_again:
                return due
        return None
