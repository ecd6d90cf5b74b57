"""Governor's events: an interface other people's rules subscribe to, so names and fields change only by addition.

Every detail carries `version`, a deterministic `id` (the same fact published twice has the same id: consumers drop
repeats), `subject`, `occurred_at`, `reason` (one sentence for a person) and `evidence` (see
`governor.events.evidence`). No event ever holds a key's plaintext or a prompt.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, Self

from governor.clock import format_instant, parse_instant
from redaction import redact, redact_all

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

SOURCE = "governor"
VERSION = 1
MAX_REASON = 2000
"""Characters of a reason that are taken in. A sender from outside may fill a whole event with one, and an event that
quotes it would be more than the bus takes."""


UNNAMED = "an event"
"""Who asks, where only an event says who, and the policy believes no name in an event: shown instead of the name."""


class DetailType(StrEnum):
    """What happened. Those of `REQUESTS` come from outside; Governor acts on them, and sends one itself only when a
    person has asked for it in Slack."""

    BUDGET_THRESHOLD_REACHED = "Budget Threshold Reached"
    RUNAWAY_SUSPECTED = "Runaway Suspected"
    RUNAWAY_CONFIRMED = "Runaway Confirmed"
    RUNAWAY_ENDED = "Runaway Ended"
    RUNAWAY_EXPECTED = "Runaway Expected"
    KEY_DISABLED = "Key Disabled"
    DISABLE_WITHHELD = "Disable Withheld"
    KEY_RESTORED = "Key Restored"
    RESTORE_REFUSED = "Restore Refused"
    MONITOR_BLIND = "Monitor Blind"
    MONITOR_RECOVERED = "Monitor Recovered"
    ROTATION_STARTED = "Rotation Started"
    KEY_ROTATED = "Key Rotated"
    ROTATION_FAILED = "Rotation Failed"
    ROTATION_ROLLED_BACK = "Rotation Rolled Back"
    ROLLBACK_REFUSED = "Rollback Refused"
    DRAIN_BLOCKED = "Drain Blocked"
    KEY_RETIRED = "Key Retired"
    ORPHAN_REMOVED = "Orphan Removed"
    KEY_DRIFTED = "Key Drifted"
    KEY_EXPIRING = "Key Expiring"
    BULK_ROTATION_PROGRESSED = "Bulk Rotation Progressed"
    BULK_ROTATION_ENDED = "Bulk Rotation Ended"
    CREDENTIAL_ROTATED = "Credential Rotated"
    CREDENTIAL_ROTATION_FAILED = "Credential Rotation Failed"
    CREDENTIAL_UNHEALTHY = "Credential Unhealthy"
    CREDENTIAL_RECOVERED = "Credential Recovered"
    CREDENTIAL_BENCHED = "Credential Benched"
    CREDENTIAL_UNBENCHED = "Credential Unbenched"
    FAILOVER_GAP_FOUND = "Failover Gap Found"
    FAILOVER_GAP_CLOSED = "Failover Gap Closed"
    CREDITS_LEAK_SUSPECTED = "Credits Leak Suspected"
    CREDITS_LEAK_ENDED = "Credits Leak Ended"
    DRILL_PASSED = "Drill Passed"
    DRILL_FAILED = "Drill Failed"
    BYOK_REVIEW_DUE = "Byok Review Due"
    APPROVAL_REQUESTED = "Approval Requested"
    APPROVAL_COUNTED = "Approval Counted"
    APPROVAL_GRANTED = "Approval Granted"
    APPROVAL_REJECTED = "Approval Rejected"
    APPROVAL_EXPIRED = "Approval Expired"
    APPROVAL_VOIDED = "Approval Voided"
    FORGERY_SUSPECTED = "Forgery Suspected"
    PRESET_PROMOTED = "Preset Promoted"
    PRESET_PROMOTION_FAILED = "Preset Promotion Failed"
    PRESET_ROLLED_BACK = "Preset Rolled Back"
    PRESET_DRIFTED = "Preset Drifted"
    ACCOUNT_REVIEWED = "Account Reviewed"
    MEMBER_DEPARTED = "Member Departed"
    KEY_EXPOSED = "Key Exposed"
    APPROVAL_DECIDED = "Approval Decided"
    PRESET_PROMOTION_REQUESTED = "Preset Promotion Requested"
    RESTORE_REQUESTED = "Restore Requested"
    ROTATION_REQUESTED = "Rotation Requested"
    ROLLBACK_REQUESTED = "Rollback Requested"
    DRILL_REQUESTED = "Drill Requested"
    COMMAND_REQUESTED = "Command Requested"
    REVIEW_REQUESTED = "Review Requested"


REQUESTS = frozenset(
    {
        DetailType.KEY_EXPOSED,
        DetailType.APPROVAL_DECIDED,
        DetailType.PRESET_PROMOTION_REQUESTED,
        DetailType.RESTORE_REQUESTED,
        DetailType.ROTATION_REQUESTED,
        DetailType.ROLLBACK_REQUESTED,
        DetailType.DRILL_REQUESTED,
        DetailType.COMMAND_REQUESTED,
        DetailType.REVIEW_REQUESTED,
    }
)


class BadEvent(Exception):
    """An event has the wrong shape; the message names the field and what is wrong with it. Fix the sender."""


@dataclass(frozen=True)
class Event:
    """One fact. `subject`: a workload's name, the 64-hex hash of a key no workload declares, a preset's slug, or
    whatever else it is about."""

    detail_type: DetailType
    id: str
    subject: str
    occurred_at: datetime
    reason: str
    evidence: Mapping[str, Any] = field(hash=False)

    def detail(self) -> dict[str, Any]:
        """The EventBridge `detail`, JSON values only."""
        return {
            "version": VERSION,
            "id": self.id,
            "subject": self.subject,
            "occurred_at": format_instant(self.occurred_at),
            "reason": self.reason,
            "evidence": self.evidence,
        }

    @classmethod
    def received(cls, envelope: Any) -> Self:
        """The event inside an EventBridge envelope, without any credential that a sender put into it.

        A request from outside needs `subject` only: id and time then come from the envelope. Raises `BadEvent`.
        """
        try:
            detail_type = DetailType(envelope["detail-type"])
            detail = redact_all(envelope["detail"])
            subject = detail["subject"]
            occurred_at = parse_instant(detail.get("occurred_at", envelope["time"]))
            identity = detail.get("id", envelope["id"])
            reason, evidence = detail.get("reason", ""), detail.get("evidence", {})
        except KeyError as error:
            raise BadEvent(f"event lacks the field {error}") from None
        except (TypeError, ValueError, AttributeError, RecursionError) as error:
            raise BadEvent(f"not one of Governor's events: {redact(str(error))}") from None
        for name, value, kind in (
            ("subject", subject, str), ("id", identity, str), ("reason", reason, str), ("evidence", evidence, dict),
        ):  # fmt: skip
            if not isinstance(value, kind):
                raise BadEvent(f"detail.{name}: expected {kind.__name__}, got {type(value).__name__}")
        if not subject:
            raise BadEvent("detail.subject is empty; name a workload or give a key's hash")
        if len(reason) > MAX_REASON:
            reason = reason[: MAX_REASON - 1] + "…"
        return cls(detail_type, identity, subject, occurred_at, reason, evidence)


def event_id(detail_type: DetailType, *parts: str | int | float) -> str:
    """The id of the fact that `parts` make unique; the same parts give the same id, for ever."""
    text = json.dumps([detail_type, *parts], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Publisher(Protocol):
    """Where events go out."""

    def publish(self, events: Sequence[Event]) -> None:
        """Hand every event over, at least once; an event that was not taken raises `PublishFailed`."""


class PublishFailed(Exception):
    """The bus did not take every event; publish them all again (their ids do not change)."""


class EventBus:
    """`Publisher` over EventBridge."""

    MAX_ENTRIES = 10
    MAX_BYTES = 250_000
    """What a request may weigh: EventBridge takes 256 KB, and refuses every entry of one that is heavier."""

    def __init__(self, client: "EventBridgeClient", bus: str) -> None:
        self._client = client
        self._bus = bus

    def publish(self, events: Sequence[Event]) -> None:
        entries: list[PutEventsRequestEntryTypeDef] = []
        weight = 0
        for event in events:
            # json's output is ASCII: as many bytes as characters.
            detail = json.dumps(redact_all(event.detail()), separators=(",", ":"))
            if entries and (len(entries) == self.MAX_ENTRIES or weight + len(detail) > self.MAX_BYTES):
                self._put(entries)
                entries, weight = [], 0
            weight += len(detail)
            entries.append(
                {
                    "EventBusName": self._bus,
                    "Source": SOURCE,
                    "DetailType": event.detail_type.value,
                    "Time": event.occurred_at,
                    "Detail": detail,
                }
            )
        if entries:
            self._put(entries)

    def _put(self, entries: "Sequence[PutEventsRequestEntryTypeDef]") -> None:
        answer = self._client.put_events(Entries=entries)
        if answer.get("FailedEntryCount"):
            codes = sorted({str(entry.get("ErrorCode")) for entry in answer["Entries"] if "ErrorCode" in entry})
            raise PublishFailed(f"{answer['FailedEntryCount']} events refused by bus {self._bus}: {codes}")
