"""Whether a cause is lifted at a person's request, and why, by the second list of `decide`. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from governor.events import Event
from governor.events.evidence import Cause
from governor.keys.causes import CauseRow, Causes
from kill_switch.decide import UNLIFTABLE, RestoreAction


@dataclass(frozen=True)
class RestoreFacts:
    """All that bears on a restore. `believed`: it is known, and not only said, who asks for it."""

    event: Event
    cause: Cause
    requested_by: str
    approvers: Sequence[str]
    causes: Causes = field(default_factory=Causes)
    believed: bool = True


@dataclass(frozen=True)
class RestoreDecision:
    """`row`: the cause to lift. `others`: the causes that still hold the keys."""

    action: RestoreAction
    rule: str
    reason: str
    row: CauseRow | None = None
    others: tuple[CauseRow, ...] = ()


def decide_restore(facts: RestoreFacts) -> RestoreDecision:
    """Whether to restore, by the rules above."""
    row = facts.causes.get(facts.cause)
    if row and row.lift == facts.event.id:
        if row.status == "lifted":
            return RestoreDecision("repeat", "in_hand", "this request has been acted on", row)
        if row.status == "lifting":
            return _lift(facts, row)
    if not facts.believed:
        return _refuse("by_event", "The policy believes no event that names who asks (approvals.by_event): use Slack.")
    if facts.requested_by not in facts.approvers:
        return _refuse("not_an_approver", f"{facts.requested_by} is not among the policy's approvers.")
    if facts.cause in UNLIFTABLE:
        return _refuse("not_ours", f"A {facts.cause} cause is not the kill switch's to lift.")
    if row is None or row.status == "lifted":
        since = f": {row.lifted_by} lifted it already" if row and row.lifted_by else ""
        return _refuse("not_standing", f"No {facts.cause} cause holds {facts.event.subject}{since}.")
    if row.is_active and facts.event.occurred_at < row.at:
        return _refuse(
            "newer_cause", f"{facts.event.subject} was disabled again after this was asked: look, and ask anew."
        )
    return _lift(facts, row)


def _lift(facts: RestoreFacts, row: CauseRow) -> RestoreDecision:
    others = tuple(other for other in facts.causes.standing() if other.cause != facts.cause)
    if others:
        names = ", ".join(sorted(other.cause for other in others))
        return RestoreDecision(
            "lift",
            "other_cause_stands",
            f"The {facts.cause} cause of {facts.event.subject} is lifted; its keys stay disabled until {names} is too.",
            row,
            others,
        )
    return RestoreDecision(
        "restore", "restore", f"{facts.requested_by} lifted the {facts.cause} cause of {facts.event.subject}.", row
    )


def _refuse(rule: str, reason: str) -> RestoreDecision:
    return RestoreDecision("refuse", rule, reason)
