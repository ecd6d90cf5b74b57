"""Writes the JSON Schema of every event's detail to `docs/events/`, from the models that readers use.

python -m tools.event_schemas [FOLDER]
"""

import json
import sys
from pathlib import Path
from typing import Any

from governor.approvals.evidence import ApprovalDecided, ApprovalEvidence, CommandRequested, Forgery, RunawayExpected
from governor.events import (
    REQUESTS,
    SOURCE,
    VERSION,
    DetailType,
    bulk_evidence,
    byok_evidence,
    evidence,
    member_evidence,
    preset_evidence,
    review_evidence,
)

EVIDENCE: dict[DetailType, type[evidence.Evidence]] = {
    DetailType.BUDGET_THRESHOLD_REACHED: evidence.BudgetReached,
    DetailType.RUNAWAY_SUSPECTED: evidence.Runaway,
    DetailType.RUNAWAY_CONFIRMED: evidence.Runaway,
    DetailType.RUNAWAY_ENDED: evidence.Runaway,
    DetailType.RUNAWAY_EXPECTED: RunawayExpected,
    DetailType.KEY_DISABLED: evidence.Disable,
    DetailType.DISABLE_WITHHELD: evidence.Disable,
    DetailType.KEY_RESTORED: evidence.Restore,
    DetailType.RESTORE_REFUSED: evidence.Restore,
    DetailType.MONITOR_BLIND: evidence.Blind,
    DetailType.MONITOR_RECOVERED: evidence.Blind,
    DetailType.KEY_EXPOSED: evidence.Exposed,
    DetailType.RESTORE_REQUESTED: evidence.RestoreRequested,
    DetailType.ROTATION_STARTED: evidence.Rotated,
    DetailType.KEY_ROTATED: evidence.Rotated,
    DetailType.ROTATION_FAILED: evidence.Rotated,
    DetailType.ROTATION_ROLLED_BACK: evidence.Rotated,
    DetailType.ROLLBACK_REFUSED: evidence.Rotated,
    DetailType.DRAIN_BLOCKED: evidence.Drain,
    DetailType.BULK_ROTATION_PROGRESSED: bulk_evidence.BulkRotation,
    DetailType.BULK_ROTATION_ENDED: bulk_evidence.BulkRotation,
    DetailType.KEY_RETIRED: evidence.Retired,
    DetailType.ORPHAN_REMOVED: evidence.Retired,
    DetailType.KEY_DRIFTED: evidence.Drift,
    DetailType.KEY_EXPIRING: evidence.Expiring,
    DetailType.CREDENTIAL_ROTATED: evidence.CredentialRotated,
    DetailType.CREDENTIAL_ROTATION_FAILED: evidence.CredentialRotated,
    DetailType.APPROVAL_REQUESTED: ApprovalEvidence,
    DetailType.APPROVAL_GRANTED: ApprovalEvidence,
    DetailType.APPROVAL_REJECTED: ApprovalEvidence,
    DetailType.APPROVAL_EXPIRED: ApprovalEvidence,
    DetailType.APPROVAL_VOIDED: ApprovalEvidence,
    DetailType.APPROVAL_COUNTED: ApprovalEvidence,
    DetailType.FORGERY_SUSPECTED: Forgery,
    DetailType.APPROVAL_DECIDED: ApprovalDecided,
    DetailType.PRESET_PROMOTED: preset_evidence.Promotion,
    DetailType.PRESET_PROMOTION_FAILED: preset_evidence.Promotion,
    DetailType.PRESET_ROLLED_BACK: preset_evidence.Promotion,
    DetailType.PRESET_DRIFTED: preset_evidence.PresetDrift,
    DetailType.ACCOUNT_REVIEWED: review_evidence.Reviewed,
    DetailType.REVIEW_REQUESTED: review_evidence.ReviewRequested,
    DetailType.MEMBER_DEPARTED: member_evidence.MemberDeparted,
    DetailType.PRESET_PROMOTION_REQUESTED: evidence.PresetPromotionRequested,
    DetailType.CREDENTIAL_UNHEALTHY: byok_evidence.CredentialHealth,
    DetailType.CREDENTIAL_RECOVERED: byok_evidence.CredentialHealth,
    DetailType.CREDENTIAL_BENCHED: byok_evidence.Bench,
    DetailType.CREDENTIAL_UNBENCHED: byok_evidence.Bench,
    DetailType.FAILOVER_GAP_FOUND: byok_evidence.FailoverGap,
    DetailType.FAILOVER_GAP_CLOSED: byok_evidence.FailoverGap,
    DetailType.CREDITS_LEAK_SUSPECTED: byok_evidence.CreditsLeak,
    DetailType.CREDITS_LEAK_ENDED: byok_evidence.CreditsLeak,
    DetailType.DRILL_PASSED: byok_evidence.DrillResult,
    DetailType.DRILL_FAILED: byok_evidence.DrillResult,
    DetailType.BYOK_REVIEW_DUE: byok_evidence.ReviewDue,
    DetailType.DRILL_REQUESTED: byok_evidence.DrillRequested,
    DetailType.ROTATION_REQUESTED: evidence.RotationRequested,
    DetailType.ROLLBACK_REQUESTED: evidence.RollbackRequested,
    DetailType.COMMAND_REQUESTED: CommandRequested,
}


def schema(detail_type: DetailType) -> dict[str, Any]:
    """The JSON Schema of one detail type's `detail`."""
    held = EVIDENCE[detail_type].model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": detail_type.value,
        "description": f"source {'any' if detail_type in REQUESTS else SOURCE}; the detail of an EventBridge event",
        "type": "object",
        "required": ["subject"]
        if detail_type in REQUESTS
        else ["version", "id", "subject", "occurred_at", "reason", "evidence"],
        "properties": {
            "version": {"const": VERSION},
            "id": {"type": "string", "description": "the same fact published twice has the same id: drop repeats"},
            "subject": {"type": "string", "minLength": 1, "description": "a workload's name, or a key's 64-hex hash"},
            "occurred_at": {"type": "string", "format": "date-time"},
            "reason": {"type": "string", "description": "one sentence for a person"},
            "evidence": {key: value for key, value in held.items() if key != "$defs"},
        },
        "$defs": held.get("$defs", {}),
    }


def write(folder: Path) -> None:
    """Writes one file for each detail type into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for detail_type in DetailType:
        path = folder / f"{detail_type.value.lower().replace(' ', '-')}.json"
        path.write_text(json.dumps(schema(detail_type), indent=2) + "\n")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/events"))
