"""An incident: the events that belong together, and what they amount to, whatever the order in which they came.

One thread in Slack is one incident. Its state is computed from all its events in the order in which they *happened*,
so a late one never turns it back.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from pydantic import ValidationError

from governor.clock import format_instant, parse_instant
from governor.events import BadEvent, DetailType, Event
from governor.evidence import (
    Blind,
    BudgetReached,
    CredentialRotated,
    Disable,
    Drain,
    Drift,
    Evidence,
    Expiring,
    Exposed,
    Restore,
    Retired,
    Rotated,
    Runaway,
)
from governor.evidence_byok import OfDecision
from notifier import byok
from notifier.phrases import redacted

MAX_STEPS = 30
MAX_KEYS = 10
STALE = timedelta(hours=24)
"""After so long in silence a new alarm opens a new thread: nobody would notice an old one move."""

MODELS: Mapping[DetailType, type[Evidence]] = {
    DetailType.BUDGET_THRESHOLD_REACHED: BudgetReached,
    DetailType.RUNAWAY_SUSPECTED: Runaway,
    DetailType.RUNAWAY_CONFIRMED: Runaway,
    DetailType.RUNAWAY_ENDED: Runaway,
    DetailType.KEY_DISABLED: Disable,
    DetailType.DISABLE_WITHHELD: Disable,
    DetailType.KEY_RESTORED: Restore,
    DetailType.RESTORE_REFUSED: Restore,
    DetailType.MONITOR_BLIND: Blind,
    DetailType.MONITOR_RECOVERED: Blind,
    DetailType.KEY_EXPOSED: Exposed,
    DetailType.ROTATION_STARTED: Rotated,
    DetailType.KEY_ROTATED: Rotated,
    DetailType.ROTATION_FAILED: Rotated,
    DetailType.ROTATION_ROLLED_BACK: Rotated,
    DetailType.ROLLBACK_REFUSED: Rotated,
    DetailType.DRAIN_BLOCKED: Drain,
    DetailType.KEY_RETIRED: Retired,
    DetailType.ORPHAN_REMOVED: Retired,
    DetailType.KEY_DRIFTED: Drift,
    DetailType.KEY_EXPIRING: Expiring,
    DetailType.CREDENTIAL_ROTATED: CredentialRotated,
    DetailType.CREDENTIAL_ROTATION_FAILED: CredentialRotated,
    **byok.MODELS,
}
_PREFIXES = {Exposed: "exposed", CredentialRotated: "credential", Expiring: "expiring"}
CLOSING = frozenset({DetailType.RUNAWAY_ENDED, DetailType.KEY_RESTORED, DetailType.MONITOR_RECOVERED})
_ALARMS = {
    DetailType.RUNAWAY_SUSPECTED: 1,
    DetailType.MONITOR_BLIND: 1,
    DetailType.BUDGET_THRESHOLD_REACHED: 1,
    DetailType.RUNAWAY_CONFIRMED: 2,
    DetailType.KEY_EXPOSED: 2,
    DetailType.DISABLE_WITHHELD: 3,
}
_ROTATION = {
    DetailType.ROTATION_STARTED: 1,
    DetailType.ROTATION_FAILED: 2,
    DetailType.KEY_ROTATED: 3,
    DetailType.DRAIN_BLOCKED: 4,
    DetailType.ROTATION_ROLLED_BACK: 5,
    DetailType.ROLLBACK_REFUSED: 6,
    DetailType.KEY_RETIRED: 7,
    DetailType.ORPHAN_REMOVED: 8,
    DetailType.KEY_DRIFTED: 8,
    DetailType.KEY_EXPIRING: 8,
    DetailType.CREDENTIAL_ROTATION_FAILED: 8,
    DetailType.CREDENTIAL_ROTATED: 9,
    **byok.RANKS,
}
"""Of these the newest always says where things stand."""
_RANK = {
    **_ALARMS,
    **_ROTATION,
    DetailType.KEY_DISABLED: 4,
    DetailType.RESTORE_REFUSED: 5,
    DetailType.RUNAWAY_ENDED: 6,
    DetailType.KEY_RESTORED: 7,
    DetailType.MONITOR_RECOVERED: 7,
}
"""Which of two events of the same second comes after the other."""
_CALM_RULES = frozenset({"stale", "superseded", "not_borne_out", "mode_off", "already_disabled", "foreign"})
"""The kill switch's rules by which a disable was not needed; whatever else withheld one, a human must decide."""


def is_calm(event: Event) -> bool:
    """A disable was withheld, and nobody need act."""
    return event.detail_type is DetailType.DISABLE_WITHHELD and event.evidence.get("rule") in _CALM_RULES


def cleaned(event: Event) -> Event:
    """The event without anything that looks like a key: Key Exposed comes from outside, and may quote one."""
    return replace(
        event,
        subject=redacted(event.subject),
        reason=redacted(event.reason),
        evidence=json.loads(redacted(json.dumps(event.evidence))),
    )


def evidence_of(event: Event) -> Evidence:
    """The event's evidence, typed. Raises `BadEvent`, naming the field."""
    model = MODELS.get(event.detail_type)
    if model is None:
        raise BadEvent(f"{event.detail_type} is no news for people; the notifier's rule should not send it")
    try:
        return model.model_validate(event.evidence)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadEvent(f"{event.detail_type} {event.id}: evidence: {faults}") from error


def incident_key(event: Event) -> str:
    """What the event is about; events with the same key share a thread."""
    evidence = evidence_of(event)
    match evidence:
        case BudgetReached():
            period_end = format_instant(evidence.resets_at) if evidence.resets_at else "open"
            return f"budget#{evidence.scope}#{evidence.scope_id}#{evidence.period}#{period_end}"
        case Disable() | Restore():
            return f"{evidence.cause}#{event.subject}"
        case Blind():
            return f"blind#{evidence.scope}"
        case Rotated() | Drain():
            return f"rotation#{event.subject}"
        case Retired():
            orphan = event.detail_type is DetailType.ORPHAN_REMOVED
            return f"orphan#{evidence.key.hash}" if orphan else f"rotation#{event.subject}"
        case Drift():
            return f"drift#{event.subject}#{evidence.field}"
        case OfDecision():
            return byok.incident_key(event, evidence)
    return f"{_PREFIXES.get(type(evidence), 'runaway')}#{event.subject}"


@dataclass(frozen=True)
class Incident:
    """`generation` counts the threads of one key; `after`: events up to here belong to an earlier one.

    `ts`: the thread's parent in Slack, if it is there. `opened_by`: the id of the event that the parent was posted for.
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
        if self.is_late(event) or any(step.id == event.id for step in self.steps):
            return self
        if self.steps and self._opens_the_next(event):
            return Incident(self.key, self.generation + 1, self.steps[-1].occurred_at, (_trimmed(event),))
        steps = sorted((*self.steps, _trimmed(event)), key=_order)
        if len(steps) > MAX_STEPS:
            steps = [steps[0], *steps[1 - MAX_STEPS :]]
        return replace(self, steps=tuple(steps))

    def _opens_the_next(self, event: Event) -> bool:
        last = self.steps[-1]
        if event.detail_type is DetailType.ROTATION_STARTED:
            return self.lead.detail_type is not DetailType.ROTATION_STARTED and event.occurred_at > last.occurred_at
        if event.detail_type is byok.OPENS:
            return self.lead.detail_type in byok.CLOSES and event.occurred_at > last.occurred_at
        opening = event.detail_type in _ALARMS or event.detail_type is DetailType.KEY_DISABLED
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


def _moves(step: Event, lead: Event, held: bool) -> bool:
    """Whether the step takes the lead. `held`: Governor holds the keys disabled, and only a restore ends that."""
    if step.detail_type in _ROTATION:
        return True
    if step.detail_type is DetailType.RESTORE_REFUSED:
        return held
    if held or is_calm(step):
        return False
    if step.detail_type is DetailType.RUNAWAY_ENDED:
        return lead.detail_type not in CLOSING
    return _ALARMS[step.detail_type] >= (0 if is_calm(lead) else _ALARMS.get(lead.detail_type, 0))


def _keys_live(event: Event) -> bool:
    return any(key.get("state") == "enabled" for key in event.evidence.get("keys", []))


def _envelope(event: Event) -> dict[str, Any]:
    moment = format_instant(event.occurred_at)
    return {"detail-type": event.detail_type.value, "id": event.id, "time": moment, "detail": event.detail()}


def _order(event: Event) -> tuple[datetime, int, float, str]:
    return event.occurred_at, _RANK[event.detail_type], _threshold(event), event.id


def _threshold(event: Event) -> float:
    return float(event.evidence.get("threshold", 0))


def _trimmed(event: Event) -> Event:
    """The event with its first few keys only: an account's incident may name thousands, a ledger row holds 400 KB."""
    keys = event.evidence.get("keys", [])
    return replace(event, evidence={**event.evidence, "keys": keys[:MAX_KEYS]}) if len(keys) > MAX_KEYS else event
