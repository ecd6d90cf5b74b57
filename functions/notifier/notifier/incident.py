"""An incident: the events that belong together, and what they amount to, whatever the order in which they came.

One thread in Slack is one incident. Its state is computed from all its events in the order in which they *happened*,
so a late one never turns it back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from governor.clock import format_instant, parse_instant
from governor.events import DetailType, Event
from notifier import byok
from notifier.kinds import ALARMS, ALWAYS_LEADS, CLOSING, RANK, is_calm
from notifier.truth import content

MAX_STEPS = 30
MAX_KEYS = 10
STALE = timedelta(hours=24)
"""After so long in silence a new alarm opens a new thread: nobody would notice an old one move."""
_ASKING = frozenset({DetailType.APPROVAL_REQUESTED, DetailType.APPROVAL_GRANTED})


@dataclass(frozen=True)
class Incident:
    """`generation` counts the threads of one key; `after`: events up to here belong to an earlier one.

    `ts`: the thread's parent in Slack, if it is there.
    `opened_by`: the content (`notifier.truth`) of the event for which the parent was posted; of old, its id.
    """

    key: str
    generation: int = 1
    after: datetime | None = None
    steps: tuple[Event, ...] = ()
    ts: str | None = None
    opened_by: str | None = None

    @property
    def reference(self) -> str:
        """This thread's name, unique for ever."""
        return f"{self.key}#{self.generation}"

    @property
    def lead(self) -> Event:
        """The event that says where the incident stands."""
        lead, held = self.steps[0], False
        for step in self.steps:
            kind = step.detail_type
            if kind is DetailType.DISABLE_WITHHELD and _keys_live(step):
                held = False
            if kind in {DetailType.KEY_DISABLED, DetailType.KEY_RESTORED, DetailType.MONITOR_RECOVERED}:
                lead, held = step, kind is DetailType.KEY_DISABLED
            elif _moves(step, lead, held):
                lead = step
        return lead

    def is_late(self, event: Event) -> bool:
        """The event belongs to an earlier thread of this key."""
        return self.after is not None and event.occurred_at <= self.after

    def joined(self, event: Event) -> "Incident":
        """The incident with this event in its place; a new alarm after the end of an incident opens the next one."""
        if self.is_late(event) or any(
            step.id == event.id and content(step) == content(_trimmed(event)) for step in self.steps
        ):
            return self
        if self.steps and self._opens_the_next(event):
            return Incident(self.key, self.generation + 1, self.steps[-1].occurred_at, (_trimmed(event),))
        steps = _newest_progress(sorted((*self.steps, _trimmed(event)), key=_order))
        if len(steps) > MAX_STEPS:
            steps = [steps[0], *steps[1 - MAX_STEPS :]]
        return replace(self, steps=tuple(steps))

    def _opens_the_next(self, event: Event) -> bool:
        last = self.steps[-1]
        if event.detail_type is DetailType.ROTATION_STARTED:
            return self.lead.detail_type is not DetailType.ROTATION_STARTED and event.occurred_at > last.occurred_at
        if event.detail_type is byok.OPENS:
            return self.lead.detail_type in byok.CLOSES and event.occurred_at > last.occurred_at
        if event.detail_type in _ASKING:
            return self.lead.detail_type in CLOSING and event.occurred_at > last.occurred_at
        opening = event.detail_type in ALARMS or event.detail_type is DetailType.KEY_DISABLED
        if not opening or is_calm(event) or event.occurred_at <= last.occurred_at:
            return False
        if event.detail_type is DetailType.BUDGET_THRESHOLD_REACHED:
            # A lower threshold than before: the limit was raised or topped up, and the alerts were armed anew.
            return _threshold(event) <= _threshold(last)
        return self.lead.detail_type in CLOSING or event.occurred_at - last.occurred_at > STALE

    def data(self) -> dict[str, Any]:
        """As the ledger keeps it."""
        return {
            "key": self.key,
            "generation": self.generation,
            "after": format_instant(self.after) if self.after else None,
            "steps": [_envelope(step) for step in self.steps],
            "ts": self.ts,
            "opened_by": self.opened_by,
        }

    @classmethod
    def remembered(cls, data: Mapping[str, Any]) -> Self:
        """The incident that `data()` described."""
        after = parse_instant(data["after"]) if data["after"] else None
        steps = tuple(Event.received(step) for step in data["steps"])
        return cls(data["key"], data["generation"], after, steps, data["ts"], data["opened_by"])


def _newest_progress(steps: list[Event]) -> list[Event]:
    """How far a bulk order was an hour ago is no history: of its counts the newest are kept."""
    counts = [step for step in steps if step.detail_type is DetailType.BULK_ROTATION_PROGRESSED]
    return [step for step in steps if step not in counts[:-1]]


def _moves(step: Event, lead: Event, held: bool) -> bool:
    """Whether the step takes the lead. `held`: Governor holds the keys disabled, and only a restore ends that."""
    if step.detail_type is DetailType.ROLLBACK_REFUSED and step.evidence.get("rule") == "by_event":
        return False  # anybody may send what it answers, and would take the button for the real rollback away
    if step.detail_type in ALWAYS_LEADS:
        return True
    if step.detail_type is DetailType.RESTORE_REFUSED:
        return held
    if held or is_calm(step):
        return False
    if step.detail_type is DetailType.RUNAWAY_EXPECTED:
        return True
    if step.detail_type is DetailType.RUNAWAY_ENDED:
        return lead.detail_type not in CLOSING
    return ALARMS[step.detail_type] >= (0 if is_calm(lead) else ALARMS.get(lead.detail_type, 0))


def _keys_live(event: Event) -> bool:
    return any(key.get("state") == "enabled" for key in event.evidence.get("keys", []))


def _envelope(event: Event) -> dict[str, Any]:
    moment = format_instant(event.occurred_at)
    return {"detail-type": event.detail_type.value, "id": event.id, "time": moment, "detail": event.detail()}


def _order(event: Event) -> tuple[datetime, float, float, str]:
    return event.occurred_at, RANK[event.detail_type], _threshold(event), event.id


def _threshold(event: Event) -> float:
    return float(event.evidence.get("threshold", 0))


def _trimmed(event: Event) -> Event:
    """The event with its first few keys only: an account's incident may name thousands, a ledger row holds 400 KB."""
    keys = event.evidence.get("keys", [])
    return replace(event, evidence={**event.evidence, "keys": keys[:MAX_KEYS]}) if len(keys) > MAX_KEYS else event
