"""What each event is to people: the model of its evidence, the incident it belongs to, and its weight in that."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from governor.approvals.evidence import ApprovalEvidence, Forgery, RunawayExpected
from governor.clock import format_instant
from governor.events import BadEvent, DetailType, Event
from governor.events.bulk_evidence import BulkRotation
from governor.events.evidence import (
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
    RunawayRule,
)
from governor.events.member_evidence import MemberDeparted
from governor.events.preset_evidence import PresetDrift, Promotion
from notifier import byok

MODELS: Mapping[DetailType, type[Evidence]] = {
    DetailType.BUDGET_THRESHOLD_REACHED: BudgetReached,
    DetailType.RUNAWAY_SUSPECTED: Runaway,
    DetailType.RUNAWAY_CONFIRMED: Runaway,
    DetailType.RUNAWAY_ENDED: Runaway,
    DetailType.RUNAWAY_EXPECTED: RunawayExpected,
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
    DetailType.BULK_ROTATION_PROGRESSED: BulkRotation,
    DetailType.BULK_ROTATION_ENDED: BulkRotation,
    DetailType.CREDENTIAL_ROTATED: CredentialRotated,
    DetailType.CREDENTIAL_ROTATION_FAILED: CredentialRotated,
    **byok.MODELS,
    DetailType.APPROVAL_REQUESTED: ApprovalEvidence,
    DetailType.APPROVAL_GRANTED: ApprovalEvidence,
    DetailType.APPROVAL_REJECTED: ApprovalEvidence,
    DetailType.APPROVAL_EXPIRED: ApprovalEvidence,
    DetailType.APPROVAL_VOIDED: ApprovalEvidence,
    DetailType.APPROVAL_COUNTED: ApprovalEvidence,
    DetailType.FORGERY_SUSPECTED: Forgery,
    DetailType.PRESET_PROMOTED: Promotion,
    DetailType.PRESET_PROMOTION_FAILED: Promotion,
    DetailType.PRESET_ROLLED_BACK: Promotion,
    DetailType.PRESET_DRIFTED: PresetDrift,
    DetailType.MEMBER_DEPARTED: MemberDeparted,
}
CLOSING = frozenset({DetailType.RUNAWAY_ENDED, DetailType.KEY_RESTORED, DetailType.MONITOR_RECOVERED})
ALARMS = {
    DetailType.RUNAWAY_SUSPECTED: 1,
    DetailType.MONITOR_BLIND: 1,
    DetailType.BUDGET_THRESHOLD_REACHED: 1,
    DetailType.RUNAWAY_CONFIRMED: 2,
    DetailType.KEY_EXPOSED: 2,
    DetailType.DISABLE_WITHHELD: 3,
}
ALWAYS_LEADS = {
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
    DetailType.BULK_ROTATION_PROGRESSED: 7,
    DetailType.BULK_ROTATION_ENDED: 8,
    DetailType.MEMBER_DEPARTED: 8,
    DetailType.APPROVAL_REQUESTED: 5,
    DetailType.APPROVAL_COUNTED: 5.5,
    DetailType.APPROVAL_GRANTED: 6,
    DetailType.APPROVAL_REJECTED: 6,
    DetailType.APPROVAL_EXPIRED: 6,
    DetailType.APPROVAL_VOIDED: 6,
    DetailType.FORGERY_SUSPECTED: 8,
    DetailType.PRESET_DRIFTED: 4,
    DetailType.PRESET_PROMOTION_FAILED: 7,
    DetailType.PRESET_PROMOTED: 8,
    DetailType.PRESET_ROLLED_BACK: 8,
}
"""Of these the newest always says where things stand."""
RANK = {
    **ALARMS,
    **ALWAYS_LEADS,
    DetailType.KEY_DISABLED: 4,
    DetailType.RESTORE_REFUSED: 5,
    DetailType.RUNAWAY_EXPECTED: 4,
    DetailType.RUNAWAY_ENDED: 6,
    DetailType.KEY_RESTORED: 7,
    DetailType.MONITOR_RECOVERED: 7,
}
"""Which of two events of the same second comes after the other."""
_CALM_RULES = frozenset(
    {"stale", "superseded", "not_borne_out", "mode_off", "already_disabled", "foreign", "not_entitled"}
)
"""The kill switch's rules by which a disable was not needed, or not that person's to order; whatever else withheld
one, a human must decide."""


_COUNTED = (DetailType.ROTATION_STARTED, DetailType.KEY_ROTATED, DetailType.KEY_RETIRED)


def is_calm(event: Event) -> bool:
    """A disable was withheld, and nobody need act."""
    return event.detail_type is DetailType.DISABLE_WITHHELD and event.evidence.get("rule") in _CALM_RULES


def is_halted(event: Event) -> bool:
    """Governor itself held a bulk order up, and an approver must look."""
    return event.detail_type is DetailType.BULK_ROTATION_PROGRESSED and event.evidence.get("state") == "halted"


def is_told_by_its_order(event: Event) -> bool:
    """A rotation that went well as part of a bulk order, to its old key's end: the order's own message counts it."""
    return event.detail_type in _COUNTED and bool(event.evidence.get("order"))


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
    """What the event is about; events with the same key share a thread. Raises `BadEvent`."""
    evidence = evidence_of(event)
    return _ABOUT[type(evidence)](event, evidence)


_ELSEWHERE = ("forgery#", "preset#", "credential#", "health#", "gap#", "leak#", "drill#", "review#")


def concerns_keys(incident: str) -> bool:
    """Whether whoever reads of the incident may want to look at OpenRouter's keys."""
    return not incident.startswith(_ELSEWHERE)


def _budget(_event: Event, evidence: BudgetReached) -> str:
    if evidence.credits:
        # A conversation for each balance: an old one's thread would be read by nobody.
        return f"budget#credits#account#{evidence.credits.top_ups}"
    period_end = format_instant(evidence.resets_at) if evidence.resets_at else "open"
    return f"budget#{evidence.scope}#{evidence.scope_id}#{evidence.period}#{period_end}"


def _runaway(event: Event, evidence: Runaway) -> str:
    """A leak goes on for days beside what else a subject does: it is a conversation of its own."""
    return f"{'slow' if evidence.rule is RunawayRule.LEAK else 'runaway'}#{event.subject}"


def _blind(event: Event, evidence: Blind) -> str:
    """What nothing follows upon is a conversation of its own: it must not be closed by another's recovery."""
    alone = evidence.kind in ("stored_reading", "clock")
    return f"blind#{evidence.kind}#{event.id}" if alone else f"blind#{evidence.scope}"


def _retired(event: Event, evidence: Retired) -> str:
    orphan = event.detail_type is DetailType.ORPHAN_REMOVED
    return f"orphan#{evidence.key.hash}" if orphan else f"rotation#{event.subject}"


def _decided(event: Event, evidence: ApprovalEvidence) -> str:
    """A decision is talked about with what it is about."""
    match evidence.kind:
        case "restore":
            return f"{evidence.change.get('cause')}#{event.subject}"
        case "disable":
            return f"operator#{event.subject}"
        case "key_rollback":
            return f"rotation#{event.subject}"
        case "bulk_rotation":
            return f"bulk#{evidence.approval}"
        case "drill":
            return f"drill#{event.subject}#{evidence.approval}"
        case "adopt" | "revert":
            return f"preset#{event.subject}#drift-{evidence.change.get('version')}"
        case _:
            return f"preset#{event.subject}#{evidence.change.get('promotion') or evidence.approval}"


_ABOUT: Mapping[type[Evidence], Callable[[Event, Any], str]] = {
    Runaway: _runaway,
    RunawayExpected: lambda event, _: f"runaway#{event.subject}",
    BudgetReached: _budget,
    Disable: lambda event, evidence: f"{evidence.cause}#{event.subject}",
    Restore: lambda event, evidence: f"{evidence.cause}#{event.subject}",
    Blind: _blind,
    Exposed: lambda event, _: f"exposed#{event.subject}",
    Rotated: lambda event, _: f"rotation#{event.subject}",
    Drain: lambda event, _: f"rotation#{event.subject}",
    BulkRotation: lambda _, evidence: f"bulk#{evidence.order}",
    Retired: _retired,
    MemberDeparted: lambda event, evidence: f"departed#{evidence.member}#{format_instant(evidence.since)}",
    Drift: lambda event, evidence: f"drift#{event.subject}#{evidence.field}",
    CredentialRotated: lambda event, _: f"credential#{event.subject}",
    Expiring: lambda event, _: f"expiring#{event.subject}",
    ApprovalEvidence: _decided,
    Forgery: lambda event, _: f"forgery#{event.id}",
    Promotion: lambda event, evidence: f"preset#{event.subject}#{evidence.promotion}",
    PresetDrift: lambda event, evidence: f"preset#{event.subject}#drift-{evidence.live.version}",
    **dict.fromkeys(byok.MODELS.values(), byok.incident_key),
}
