"""What a reading between two minutes finds, and how the next minute's run takes it over. Pure.

A run's minutes stay what they are: a woken reading changes nothing of the stored reading. It meters its keys from the
counters of the last run, enters the growth into a copy of the history under the minute of the run to come, and has
the detector judge that copy. Kept are, in an object of its own, what the detector remembers from then on, the counters
seen, and the event that followed. So no spend is counted twice, and no sweep is overtaken by readings that take a
second each. The next run takes over what the detector remembers, and publishes what a reading died before it told.

A reading counts as one of the detector's two runs only where a counter has grown since the last that counted, woken or
not: a dear request that two readings see is one run. Two that count are `GAP` seconds apart.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from governor.events import Event
from spend_meter.codec import event_of
from spend_meter.doubts import ROUNDING
from spend_meter.runaway import QUIET
from spend_meter.runaway import State as Suspicion
from spend_meter.state import State

EPISODE = 3600
"""Seconds without a delivery that holds content after which the next one is told again."""
A_MINUTE = 60
"""Woken readings in a minute, whoever asks for them. The tally asks for half as many."""
GAP = 2.0
"""Seconds. A tip that Lambda delivers twice makes two readings at once, which are one run."""
LATE = 3
"""Minutes by which the machine's clock may be behind the last run's; further, the runs put the clock right first."""


@dataclass(frozen=True)
class Found:
    """What the last woken reading of a subject found.

    `number`: readings are numbered, and a run takes over those after the last that it took. `at`: epoch seconds.
    `counted`: lifetime USD by key. `outbox`: events that followed, and are not known to be published.
    """

    number: int
    at: float
    suspicion: Suspicion = QUIET
    counted: Mapping[str, float] = field(default_factory=dict)
    outbox: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Content:
    """Deliveries that held content, epoch seconds: since when, last at, and whether people were told."""

    since: int
    last: int
    told: bool = False


@dataclass(frozen=True)
class Memory:
    """The object's content. `readings`: epoch seconds of the last minute's."""

    found: Mapping[str, Found] = field(default_factory=dict)
    readings: tuple[int, ...] = ()
    content: Content | None = None

    def encode(self) -> bytes:
        found = {
            subject: {
                "number": one.number,
                "at": one.at,
                "suspicion": one.suspicion.to_bytes().hex(),
                "counted": dict(one.counted),
                "outbox": [{"detail_type": event.detail_type, **event.detail()} for event in one.outbox],
            }
            for subject, one in self.found.items()
        }
        content = [self.content.since, self.content.last, self.content.told] if self.content else None
        return json.dumps({"version": 1, "found": found, "readings": self.readings, "content": content}).encode()

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """What cannot be read (another version's) is forgotten: the next runs judge without it."""
        try:
            data = json.loads(content)
            found = {str(subject): _found(one) for subject, one in data["found"].items()}
            held = Content(*data["content"]) if data["content"] else None
            return cls(found, tuple(int(at) for at in data["readings"]), held)
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()


def news(state: State, memory: Memory) -> dict[str, Found]:
    """What was found since a run last took something over."""
    return {subject: one for subject, one in memory.found.items() if one.number > state.woken}


def counters_seen(state: State, memory: Memory) -> dict[str, Mapping[str, float]]:
    """Subject to the counters that a woken reading has judged since then."""
    return {subject: one.counted for subject, one in news(state, memory).items()}


def taken_over(state: State, memory: Memory) -> State:
    """The state with what woken readings found since: whatever they suspect, and what they could not publish."""
    fresh = news(state, memory)
    if not fresh:
        return state
    suspicions = dict(state.suspicions)
    for subject, one in fresh.items():
        graver = _graver(one.suspicion, suspicions.get(subject, QUIET))
        if graver != QUIET:
            suspicions[subject] = graver
    unpublished = tuple(event for one in fresh.values() for event in one.outbox)
    last = max(one.number for one in fresh.values())
    return replace(state, suspicions=suspicions, outbox=(*state.outbox, *unpublished), woken=last)


def before(state: State, memory: Memory, subject: str) -> tuple[Suspicion, Mapping[str, float]]:
    """What the detector remembers of a subject when a woken reading judges it, and the counters last seen by one."""
    known = state.suspicions.get(subject, QUIET)
    one = news(state, memory).get(subject)
    return (known, {}) if one is None else (_graver(one.suspicion, known), one.counted)


def grew(counted: Mapping[str, float], last: Mapping[str, float]) -> bool:
    """Whether a counter is higher than a woken reading saw it last; one that it did not see is."""
    return any(usd > last.get(hash, float("-inf")) + ROUNDING for hash, usd in counted.items())


def _graver(one: Suspicion, other: Suspicion) -> Suspicion:
    """Of what two readings remember, the one that is closer to a confirmed runaway; of equals the second."""
    return max(other, one, key=lambda it: (it.level, it.confirm_ticks, it.suspect_ticks))


def _found(data: Mapping[str, Any]) -> Found:
    return Found(
        int(data["number"]),
        float(data["at"]),
        Suspicion.from_bytes(bytes.fromhex(data["suspicion"])),
        {str(hash): float(usd) for hash, usd in data["counted"].items()},
        tuple(event_of(event) for event in data["outbox"]),
    )
