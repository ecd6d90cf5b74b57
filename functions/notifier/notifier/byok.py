"""What events about our own provider keys belong to which thread, and which of them opens or closes one."""

import hashlib
from collections.abc import Mapping

from governor.clock import format_instant
from governor.events import DetailType, Event
from governor.events.byok_evidence import (
    Bench,
    CredentialHealth,
    CreditsLeak,
    DrillResult,
    FailoverGap,
    OfDecision,
    ReviewDue,
)
from governor.events.evidence import Evidence

MODELS: Mapping[DetailType, type[Evidence]] = {
    DetailType.CREDENTIAL_UNHEALTHY: CredentialHealth,
    DetailType.CREDENTIAL_RECOVERED: CredentialHealth,
    DetailType.CREDENTIAL_BENCHED: Bench,
    DetailType.CREDENTIAL_UNBENCHED: Bench,
    DetailType.FAILOVER_GAP_FOUND: FailoverGap,
    DetailType.FAILOVER_GAP_CLOSED: FailoverGap,
    DetailType.CREDITS_LEAK_SUSPECTED: CreditsLeak,
    DetailType.CREDITS_LEAK_ENDED: CreditsLeak,
    DetailType.DRILL_PASSED: DrillResult,
    DetailType.DRILL_FAILED: DrillResult,
    DetailType.BYOK_REVIEW_DUE: ReviewDue,
}
RANKS = {kind: rank for rank, kind in enumerate(MODELS, 1)}
"""Of these, too, the newest says where things stand; of the same second, the later in this order."""
OPENS = DetailType.CREDENTIAL_UNHEALTHY
CLOSES = frozenset({DetailType.CREDENTIAL_RECOVERED, DetailType.CREDENTIAL_UNBENCHED})
"""After one of these another illness of the same credential is another incident. All else has a key of its own."""


def incident_key(event: Event, evidence: OfDecision) -> str:
    """What the event is about."""
    match evidence:
        case CredentialHealth():
            return f"health#{_short(*sorted(one.id for one in evidence.among))}"
        case Bench():
            return f"health#{_short(evidence.credential.id)}"
        case FailoverGap():
            since = format_instant(evidence.since) if evidence.since else ""
            return f"gap#{event.subject}#{evidence.rule}#{since}#{_short(evidence.detail)}"
        case CreditsLeak():
            return f"leak#{event.subject}#{format_instant(evidence.started_at)}"
        case DrillResult():
            return f"drill#{event.subject}#{evidence.order}"
        case ReviewDue():
            return f"review#{event.subject}#{evidence.due}"
    return f"byok#{event.subject}"


def _short(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
