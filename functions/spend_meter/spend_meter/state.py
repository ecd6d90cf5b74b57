"""What one run leaves for the next. Minutes are whole ones since 1970-01-01T00:00Z; money is in USD."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from governor.events import Event
from spend_meter.budgets import Alerted
from spend_meter.counters import Known
from spend_meter.credits import Purse
from spend_meter.doubts import Doubt
from spend_meter.leaks import Leak
from spend_meter.learning import Attempt
from spend_meter.runaway import State as Suspicion
from spend_meter.small_spend import Waiting

NEVER = 0
"""A minute that has not come."""


@dataclass(frozen=True)
class Guard:
    """A guardrail's budget. It counts for each key that it governs apart."""

    name: str
    limit_usd: float
    reset_interval: str | None
    byok: bool


@dataclass(frozen=True)
class Caps:
    """A workspace's budgets: USD by reset interval (empty: its whole life)."""

    limits: Mapping[str, float]
    byok: bool


@dataclass(frozen=True)
class Layers:
    """What changes seldom and is read every few runs. A part that could not be read stays as it was last read.

    `workspaces`: id to (name, slug). `defaults`: workspace id to the guardrail that governs each of its keys.
    `assignments`: key hash to guardrail id; `members`: user id to the guardrail that governs all the keys that they
    created. `read_at`: part to the minute of its last good reading. `missing`: entry (`held.entry`) that its list
    leaves out to the minute since which it is held. `odd`: list to (minute since, what is odd about it), as told.
    """

    workspaces: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    guards: Mapping[str, Guard] = field(default_factory=dict)
    assignments: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, str] = field(default_factory=dict)
    caps: Mapping[str, Caps] = field(default_factory=dict)
    read_at: Mapping[str, int] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    odd: Mapping[str, tuple[int, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """A workspace. `read_at`: its last complete reading. `known_from`: keys made there since then count from zero.

    `departed`: lifetime (usage, BYOK usage) of keys that are gone and forgotten. `spent`: the last hour as
    (minute, USD, span in minutes).
    """

    read_at: int = NEVER
    known_from: int = NEVER
    departed: tuple[float, float] = (0.0, 0.0)
    spent: tuple[tuple[int, float, int], ...] = ()


@dataclass(frozen=True)
class State:
    """One reading of the account with all that is remembered beside it.

    `habits`: subject to its encoded `History`; `waiting`: to the spend not entered into it yet. `blind`: scope to the
    minute since which it is reported blind.
    `suspicions`: what the detector remembers of subjects that are not quiet. `spenders`: the last hour's greatest.
    `doubts`: key hash to what was read of its counters and is not believed yet.
    `credits`: what is remembered of the account's credits; None before their first reading.
    `asked_again`: the ids of events whose withheld disable was asked again.
    `leaks`: subjects that are over their habit for days, or may be.
    `woken`: the number of the last reading between two minutes that a run took over (`woken.py`).
    `rebaselined`: subject to the instant of the last re-baseline applied. `outbox`: events not known to be published.
    """

    tick: int = NEVER
    layers: Layers = field(default_factory=Layers)
    places: Mapping[str, Place] = field(default_factory=dict)
    keys: Known = field(default_factory=dict)
    doubts: Mapping[str, Doubt] = field(default_factory=dict)
    habits: Mapping[str, bytes] = field(default_factory=dict)
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    budgets: Mapping[str, Alerted] = field(default_factory=dict)
    suspicions: Mapping[str, Suspicion] = field(default_factory=dict)
    blind: Mapping[str, int] = field(default_factory=dict)
    learning: Mapping[str, Attempt] = field(default_factory=dict)
    leaks: Mapping[str, Leak] = field(default_factory=dict)
    rebaselined: Mapping[str, str] = field(default_factory=dict)
    credits: Purse | None = None
    asked_again: tuple[str, ...] = ()
    spenders: tuple[str, ...] = ()
    woken: int = 0
    outbox: tuple[Event, ...] = ()
