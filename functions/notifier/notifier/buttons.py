"""The buttons under a message. What each does, and who may press it, is `approval_desk`'s affair.

Each asks first, and its question names what it is about: the workload or key and its workspace, or the preset and its
version. The question is made from the same stored event as the message above it (`notifier.truth`). Reject asks why
instead, in a modal that names it.
"""

from collections.abc import Sequence

from governor.approvals.evidence import ApprovalEvidence
from governor.events.bulk_evidence import BulkRotation
from governor.events.evidence import KeyOutcome, KeyReading, KeyRef
from governor.events.member_evidence import DepartedKey, MemberDeparted
from governor.events.preset_evidence import PresetDrift, Promotion
from governor.keys.rollback import label
from governor.slack.channel import Button
from notifier.case import Case
from notifier.phrases import names, plain

MAX_NAMED = 3
"""Keys that a question names; of more it says how many there are. Slack takes 300 characters of a question."""


def approve(evidence: ApprovalEvidence, deed: str) -> Button:
    value = {"approval": evidence.approval, "digest": evidence.digest}
    confirm = f"Do you approve this request: {deed}?{_versions(evidence)}"
    return Button("Approve", "approve", value, "primary", confirm)


def reject(evidence: ApprovalEvidence) -> Button:
    return Button("Reject", "reject", {"approval": evidence.approval, "digest": evidence.digest}, "danger")


def restore(case: Case, cause: str) -> Button:
    keys = [key for key in _keys(case) if isinstance(key, KeyOutcome) and key.state == "disabled"]
    them = "its keys" if case.workload else "it"
    confirm = (
        f"Lift the cause {cause} of {case.what} and enable {them} again{_named(keys)}? "
        "What is enabled can spend at once."
    )
    return Button("Restore key", "restore", {"subject": case.event.subject, "cause": cause}, confirm=confirm)


def disable(case: Case) -> Button:
    live = [key for key in _keys(case) if not (isinstance(key, KeyOutcome) and key.state != "enabled")]
    confirm = (
        f"Disable {'every live key of ' if case.workload else ''}{case.what} now{_named(live)}? Requests fail at once. "
        "An approver can restore it."
    )
    return Button("Disable key", "disable", {"subject": case.event.subject}, "danger", confirm)


def expected(case: Case) -> Button:
    confirm = (
        f"Is it meant that {case.what} is burning {case.burning}? It is not judged for 4 hours, and "
        "from now on this much counts as meant near this day of the month. Budgets apply."
    )
    return Button("Expected", "expected", {"subject": case.event.subject}, confirm=confirm)


def override(evidence: Promotion) -> Button:
    failing = names(check.name for check in evidence.checks if not check.passed)
    candidate = evidence.candidate
    confirm = (
        f"Ask the approvers to promote version {candidate.version} of preset {plain(evidence.name)} from "
        f"{plain(candidate.workspace)} to {plain(evidence.former.workspace)}, although these checks fail: {failing}?"
    )
    value = {"preset": evidence.name, "promotion": evidence.promotion}
    return Button("Ask to override", "override", value, "danger", confirm)


def rollback(evidence: Promotion) -> Button:
    former = evidence.former
    confirm = (
        f"Preset {plain(evidence.name)} in {plain(former.workspace)}: serve what version {former.version} holds again, "
        f"as a new version, instead of version {evidence.became}?"
    )
    value = {"preset": evidence.name, "promotion": evidence.promotion}
    return Button("Roll back", "rollback", value, "danger", confirm)


def rollback_key(case: Case, back: KeyRef, goes: KeyRef | None) -> Button:
    """Bound to both keys: where others would come back or go by then, the click is refused."""
    value = {"subject": case.event.subject, "back": back.hash} | ({"goes": goes.hash} if goes else {})
    instead = f" in place of {label(goes.hash, plain(goes.name))}" if goes else ""
    confirm = f"Give {case.what} its former key {label(back.hash, plain(back.name))} back{instead}?"
    return Button("Roll back", "rollback-key", value, "danger", confirm)


def adopt(evidence: PresetDrift) -> Button:
    confirm = (
        f"{_production(evidence)}: keep version {evidence.live.version}, which somebody made by hand, and count it as "
        f"promoted instead of version {evidence.promoted.version}?"
    )
    return Button("Adopt", "adopt", _of_drift(evidence), confirm=confirm)


def revert(evidence: PresetDrift) -> Button:
    confirm = (
        f"{_production(evidence)}: serve what version {evidence.promoted.version} holds again, as a new version, "
        f"instead of version {evidence.live.version}, which somebody made by hand?"
    )
    return Button("Revert", "revert", _of_drift(evidence), "danger", confirm)


def rotate(case: Case) -> Button:
    secret = case.workload.secret if case.workload else None
    where = f" and put it into secret {plain(secret)}" if secret else ""
    confirm = f"Make a new key for {case.what}{where}? The present key works on during the overlap."
    return Button("Rotate now", "rotate", {"subject": case.event.subject}, confirm=confirm)


def pause(evidence: BulkRotation) -> Button:
    confirm = f"Pause {_bulk(evidence)}? {evidence.waiting} do not begin until an approver resumes it."
    return Button("Pause", "pause", {"order": evidence.order}, confirm=confirm)


def resume(evidence: BulkRotation) -> Button:
    confirm = f"Go on with {_bulk(evidence)}? {evidence.waiting} wait, {evidence.failed} have failed."
    return Button("Resume", "resume", {"order": evidence.order}, "primary", confirm)


def stop(evidence: BulkRotation) -> Button:
    confirm = (
        f"Stop {_bulk(evidence)} for good? {evidence.waiting} do not begin; {evidence.running} that have begun finish. "
        "A new order takes two approvals."
    )
    return Button("Stop", "stop", {"order": evidence.order}, "danger", confirm)


def rotate_departed(case: Case, evidence: MemberDeparted, workloads: int) -> Button:
    many = "the key of 1 workload" if workloads == 1 else f"the keys of {workloads} workloads"
    confirm = (
        f"Ask two approvers to replace {many} in the name of {plain(evidence.member)}? The present keys work on during "
        "the overlap."
    )
    value = {"member": evidence.member, "departure": case.event.id}
    return Button("Rotate these keys", "rotate-departed", value, confirm=confirm)


def disable_departed(key: DepartedKey) -> Button:
    """Of one workload, or of one key that no workload declares."""
    every = "every live key of " if key.workload else ""
    what = plain(key.workload) if key.workload else f"{plain(key.name)} (undeclared key {key.hash[:8]}…)"
    where = f"workspace {plain(key.workspace)}"
    confirm = f"Disable {every}{what} in {where} now? Requests fail at once. An approver can restore it."
    label = f"Disable {plain(key.workload or key.name or key.hash[:8])}"
    return Button(label, "disable", {"subject": key.subject}, "danger", confirm)


def _bulk(evidence: BulkRotation) -> str:
    return f"the replacement of {evidence.total} keys of {plain(evidence.name)}"


def _keys(case: Case) -> Sequence[KeyOutcome | KeyReading]:
    keys: Sequence[KeyOutcome | KeyReading] = getattr(case.evidence, "keys", ())
    return keys


def _named(keys: Sequence[KeyOutcome | KeyReading]) -> str:
    if not keys:
        return ""
    more = f" and {len(keys) - MAX_NAMED} more" if len(keys) > MAX_NAMED else ""
    return f": {names(key.name for key in keys[:MAX_NAMED])}{more}"


def _versions(evidence: ApprovalEvidence) -> str:
    """Which version goes where, of a request that moves one."""
    source, target = evidence.change.get("from"), evidence.change.get("to")
    if not isinstance(source, dict) or not isinstance(target, dict):
        return ""
    return (
        f" Version {source.get('version')} of {plain(str(source.get('workspace')))} takes the place of version "
        f"{target.get('version')} of {plain(str(target.get('workspace')))}."
    )


def _production(evidence: PresetDrift) -> str:
    return f"Preset {plain(evidence.name)} in {plain(evidence.live.workspace)}"


def _of_drift(evidence: PresetDrift) -> dict[str, str]:
    return {"preset": evidence.name, "version": str(evidence.live.version)}
