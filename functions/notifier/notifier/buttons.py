"""The buttons under a message. What each does, and who may press it, is `approval_desk`'s affair."""

from governor.evidence import KeyRef
from governor.key_rollback import label
from governor.slack import Button, clip, escape


def approve(approval: str, digest: str) -> Button:
    return Button("Approve", "approve", {"approval": approval, "digest": digest}, "primary")


def reject(approval: str, digest: str) -> Button:
    return Button("Reject", "reject", {"approval": approval, "digest": digest}, "danger")


def restore(subject: str, cause: str) -> Button:
    confirm = "Its keys can spend again as soon as they are enabled."
    return Button("Restore key", "restore", {"subject": subject, "cause": cause}, confirm=confirm)


def disable(subject: str) -> Button:
    confirm = "Every live key of it is disabled at once; an approver brings them back."
    return Button("Disable key", "disable", {"subject": subject}, "danger", confirm)


def expected(subject: str) -> Button:
    return Button("Expected", "expected", {"subject": subject}, confirm="It is not judged for the next four hours.")


def override(preset: str, promotion: str) -> Button:
    confirm = "The approvers are asked to promote it although checks fail."
    return Button("Ask to override", "override", {"preset": preset, "promotion": promotion}, "danger", confirm)


def rollback(preset: str, promotion: str) -> Button:
    confirm = "Production serves what it served before this promotion, as a new version."
    return Button("Roll back", "rollback", {"preset": preset, "promotion": promotion}, "danger", confirm)


def rollback_key(workload: str, back: KeyRef, goes: KeyRef | None) -> Button:
    """Bound to both keys: where others would come back or go by then, the click is refused."""
    value = {"subject": workload, "back": back.hash} | ({"goes": goes.hash} if goes else {})
    named = [clip(escape(label(key.hash, key.name)), 100) for key in (back, goes) if key]
    confirm = f"{escape(workload)} gets {' back in place of '.join(named)}{'' if goes else ' back'}."
    return Button("Roll back", "rollback-key", value, "danger", confirm)


def adopt(preset: str, version: int) -> Button:
    value = {"preset": preset, "version": str(version)}
    return Button("Adopt", "adopt", value, confirm="It stays, and counts as promoted.")


def revert(preset: str, version: int) -> Button:
    value = {"preset": preset, "version": str(version)}
    confirm = "Production serves the last promoted version again, as a new version."
    return Button("Revert", "revert", value, "danger", confirm)


def rotate(subject: str) -> Button:
    return Button("Rotate now", "rotate", {"subject": subject})
