"""Which function may publish which events. The one list: each role's `events:detail-type` in the template is this one.

A function that publishes a type it does not have here fails `tests/contract/template/test_publishers.py`; on AWS its
role would be refused. Whoever takes a role over can publish these types and no others (docs/security.md).
"""

from collections.abc import Mapping

from governor.events import REQUESTS
from governor.events import DetailType as Type

PUBLISHES: Mapping[str, frozenset[Type]] = {
    "spend_meter": frozenset(
        {
            Type.BUDGET_THRESHOLD_REACHED,
            Type.RUNAWAY_SUSPECTED,
            Type.RUNAWAY_CONFIRMED,
            Type.RUNAWAY_ENDED,
            Type.MONITOR_BLIND,
            Type.MONITOR_RECOVERED,
        }
    ),
    "kill_switch": frozenset(
        {Type.KEY_DISABLED, Type.DISABLE_WITHHELD, Type.KEY_RESTORED, Type.RESTORE_REFUSED},
    ),
    "key_planning": frozenset({Type.ROTATION_FAILED, Type.BULK_ROTATION_PROGRESSED, Type.BULK_ROTATION_ENDED}),
    "key_rotation": frozenset({Type.ROTATION_STARTED, Type.KEY_ROTATED, Type.ROTATION_FAILED}),
    "key_retirement": frozenset(
        {
            Type.KEY_ROTATED,  # of a rotation whose last words were lost
            Type.ROTATION_ROLLED_BACK,
            Type.ROLLBACK_REFUSED,
            Type.DRAIN_BLOCKED,
            Type.KEY_RETIRED,
            Type.ORPHAN_REMOVED,
            Type.KEY_DRIFTED,
            Type.KEY_EXPIRING,
        }
    ),
    "credential_rotation": frozenset({Type.CREDENTIAL_ROTATED, Type.CREDENTIAL_ROTATION_FAILED}),
    "byok_failover": frozenset(
        {
            Type.CREDENTIAL_UNHEALTHY,
            Type.CREDENTIAL_RECOVERED,
            Type.CREDENTIAL_BENCHED,
            Type.CREDENTIAL_UNBENCHED,
            Type.FAILOVER_GAP_FOUND,
            Type.FAILOVER_GAP_CLOSED,
            Type.CREDITS_LEAK_SUSPECTED,
            Type.CREDITS_LEAK_ENDED,
            Type.DRILL_PASSED,
            Type.DRILL_FAILED,
            Type.BYOK_REVIEW_DUE,
        }
    ),
    "slack_gateway": frozenset(),
    "approval_desk": frozenset(
        {
            Type.APPROVAL_REQUESTED,
            Type.APPROVAL_COUNTED,
            Type.APPROVAL_GRANTED,
            Type.APPROVAL_REJECTED,
            Type.APPROVAL_EXPIRED,
            Type.RUNAWAY_EXPECTED,
            Type.ROTATION_REQUESTED,
            Type.PRESET_PROMOTION_REQUESTED,
            Type.REVIEW_REQUESTED,
        }
    ),
    "preset_promotion": frozenset(
        {
            Type.APPROVAL_REQUESTED,
            Type.APPROVAL_VOIDED,
            Type.PRESET_PROMOTED,
            Type.PRESET_PROMOTION_FAILED,
            Type.PRESET_ROLLED_BACK,
            Type.PRESET_DRIFTED,
        }
    ),
    "notifier": frozenset({Type.FORGERY_SUSPECTED}),
    "account_review": frozenset({Type.ACCOUNT_REVIEWED, Type.MEMBER_DEPARTED}),
    "broadcast_gateway": frozenset(),
    "broadcast_tally": frozenset(),
    "incident_picture": frozenset(),
    "slack_home": frozenset(),
    "webhook_sender": frozenset(),
}

REDELIVERS: Mapping[str, frozenset[Type]] = {
    "kill_switch": frozenset({Type.KEY_EXPOSED, Type.RESTORE_REQUESTED}),
    "key_planning": frozenset({Type.ROTATION_REQUESTED}),
    "key_retirement": frozenset({Type.ROLLBACK_REQUESTED}),
    "byok_failover": frozenset({Type.DRILL_REQUESTED}),
    "approval_desk": frozenset({Type.APPROVAL_DECIDED, Type.COMMAND_REQUESTED}),
    "account_review": frozenset({Type.REVIEW_REQUESTED}),
    "preset_promotion": frozenset({Type.PRESET_PROMOTION_REQUESTED}),
}
"""Which requests a function may put on the bus again, without the credential in them (`governor.events.redelivery`)."""

OF_DECISIONS = frozenset(
    {
        Type.APPROVAL_REQUESTED,
        Type.APPROVAL_COUNTED,
        Type.APPROVAL_GRANTED,
        Type.APPROVAL_REJECTED,
        Type.APPROVAL_EXPIRED,
        Type.APPROVAL_VOIDED,
        Type.RUNAWAY_EXPECTED,
    }
)
"""They tell of rows that have to be there anyway: the request, the decision, and what somebody expects."""
RECORDED = frozenset(Type) - REQUESTS - OF_DECISIONS
"""Types whose events are stored before they are published (`governor.events.published`)."""
