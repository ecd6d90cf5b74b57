"""Puts a checked candidate before people: the request that they decide, bound to what they are shown."""

from dataclasses import replace
from datetime import timedelta

from governor.approvals.approval import Approval, Request
from governor.approvals.authorship import approvals_needed, author_of
from governor.approvals.evidence import approval_event
from governor.events import DetailType, event_id
from governor.slack.channel import SlackError
from preset_promotion.checks import failing
from preset_promotion.ports import Turn
from preset_promotion.record import Candidate

EXPIRE_AFTER = timedelta(hours=24)
"""Where the policy has no `approvals`."""


def ask(turn: Turn, candidate: Candidate, text: str) -> None:
    """Stores the request, and tells of it."""
    preset, now = turn.preset, turn.ports.clock()
    file, note = upload(turn, f"{preset.slug}-{candidate.version.number}.diff", text)
    approvals = turn.ports.policy.approvals
    override = candidate.how == "override"
    author = author_of(turn.ports.policy, candidate.version.creator)
    lines = tuple(f"✗ {one.name}: {one.why}" for one in candidate.checks if not one.passed)
    request = turn.ports.approvals.ask(
        Request(
            id=event_id(DetailType.APPROVAL_REQUESTED, preset.slug, candidate.id, candidate.how),
            kind=candidate.how,
            subject=preset.slug,
            requested_by=candidate.by,
            requested_at=now,
            expires_at=now + (approvals.expire_after if approvals else EXPIRE_AFTER),
            change=change(turn, candidate),
            approvers=preset.approvers,
            needed=approvals_needed(preset, author),
            name=preset.slug,
            shown=(*lines, *candidate.shown, *note),
            file=file,
            author=author.slack,
            author_unknown=author.unknown,
        )
    )
    what = "overriding its failing checks" if override else "its checks pass"
    version = f"version {candidate.version.number} of {preset.from_workspace}"
    reason = f"{preset.slug}: {version} to {preset.to_workspace}, {what}."
    event = approval_event(DetailType.APPROVAL_REQUESTED, Approval(request), request.requested_at, reason)
    turn.write(replace(turn.record, candidate=replace(candidate, status="asked", approval=request.id)).telling(event))
    turn.flush()


def change(turn: Turn, candidate: Candidate) -> dict[str, object]:
    """What exactly is decided: both versions by number and hash, and what is set aside for it."""
    preset, version, base = turn.preset, candidate.version, candidate.base
    return {
        "preset": preset.slug,
        "promotion": candidate.id,
        "from": {"workspace": preset.from_workspace, "version": version.number, "digest": version.digest},
        "to": {"workspace": preset.to_workspace, "version": base.number, "digest": base.digest},
        "loosen": candidate.loosen,
        "failing": list(failing(candidate.checks)),
    }


def upload(turn: Turn, name: str, text: str) -> tuple[str | None, tuple[str, ...]]:
    """The permalink of the difference as a file, and a line on what it lacks. `text`: what the policy lets it hold."""
    if turn.ports.files is None or not text:
        return None, ()
    try:
        file = turn.ports.files.upload(name, text, f"What changes in {turn.preset.slug}") or None
    except SlackError as error:
        turn.ports.log.warning("the diff was not uploaded", extra={"error": type(error).__name__})
        return None, ("⚠ The whole difference could not be uploaded to Slack: read it at OpenRouter",)
    if turn.preset.prompts == "private":
        return file, ("The file holds every parameter, but no text: the policy says that prompts are private",)
    return file, ()
