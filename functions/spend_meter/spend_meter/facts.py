"""What a beat's decisions are made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from governor.policy import Policy
from spend_meter.learning import Hourly
from spend_meter.reading import Reading
from spend_meter.state import State


@dataclass(frozen=True)
class Facts:
    """All that a beat knows. `rebaselines`: subject to the instant a human last restored it.

    `learned`: what analytics said of the subjects it was asked about. `expected`: subject to the minute until which a
    human says that its spend is meant. `owners`: which workload a key is of, by hash.
    """

    state: State
    reading: Reading
    minute: int
    policy: Policy
    rebaselines: Mapping[str, str]
    learned: Mapping[str, Hourly | None]
    expected: Mapping[str, int]
    owners: Mapping[str, str] = MappingProxyType({})
