"""The events about presets, each made from the record: the same fact has the same id for ever."""

from collections.abc import Sequence
from typing import Any

from governor.approvals.approval import Approval
from governor.approvals.authorship import Author, author_of
from governor.events import DetailType, Event, event_id
from governor.events.preset_evidence import CheckResult, How, PresetDrift, Promotion, VersionRef
from preset_promotion.checks import Check
from preset_promotion.ports import Turn
from preset_promotion.record import Candidate, Posting, Seen


def failed(turn: Turn, id: str, rule: str, reason: str, candidate: Candidate | None = None, **more: Any) -> Event:
    """Preset Promotion Failed, of a candidate, before anything was posted."""
    seen = candidate or Candidate(id, Seen(), Seen(), "")
    return _promotion(
        turn, DetailType.PRESET_PROMOTION_FAILED, id, rule, reason, how=seen.how,
        candidate=_staging(turn, seen.version),
        former=_production(turn, seen.base), requested_by=seen.by, checks=_results(seen.checks), usd=seen.usd,
        shown=list(seen.shown), **more,
    )  # fmt: skip


def posted(turn: Turn, kind: DetailType, posting: Posting, reason: str, *, became: int, rule: str = "") -> Event:
    """What became of a posting: Preset Promoted, Preset Promotion Failed or Preset Rolled Back."""
    source = _staging(turn, posting.source) if posting.origin == "from" else _production(turn, posting.source)
    return _promotion(
        turn, kind, posting.id, rule or posting.rule, reason, how=posting.how, approval=posting.approval,
        candidate=source,
        former=_production(turn, posting.former), became=became, requested_by=posting.by,
        approved_by=list(posting.approved_by), checks=_results(posting.checks), usd=posting.usd,
        shown=list(posting.shown),
    )  # fmt: skip


def adopted(turn: Turn, approval: Approval, live: Seen, former: Seen) -> Event:
    """Preset Promoted, of what production serves already."""
    reason = f"{turn.preset.slug}: version {live.number} of production, made by hand, is adopted as it is."
    return _ordered(turn, DetailType.PRESET_PROMOTED, approval, "", reason, live, former, became=live.number)


def refused(turn: Turn, approval: Approval, rule: str, reason: str, live: Seen, last: Seen) -> Event:
    """Preset Promotion Failed, of an order that was not begun."""
    return _ordered(turn, DetailType.PRESET_PROMOTION_FAILED, approval, rule, reason, live, last)


def thread(approval: Approval) -> str:
    """What an order is about: a promotion, or a drifted version; as evidence names it."""
    request = approval.request
    if request.kind == "rollback":
        return str(request.change.get("promotion") or request.id)
    return f"drift-{request.change.get('version')}"


def drift(turn: Turn, live: Seen, shown: Sequence[str], file: str | None) -> Event:
    """Preset Drifted, once a version; where the preset is gone, once each time that it went.

    An archived preset is answered 404, like one that never was
    (https://openrouter.ai/docs/api/api-reference/presets/delete-a-preset). OpenRouter has no other deletion.
    """
    slug, served = turn.preset.slug, turn.record.served
    last = served.version if served else Seen()
    if live.number:
        now = f"production serves version {live.number}, which nobody promoted"
        reason = f"{slug}: {now}; the last promoted one is version {last.number}."
    else:
        reason = (
            f"{slug}: production's preset {slug} was archived: callers of @preset/{slug} get 404. "
            f"The last promoted one is version {last.number}, which OpenRouter keeps."
        )
    author = author_of(turn.ports.policy, live.creator) if live.number else Author()
    evidence = PresetDrift(
        name=slug, live=_production(turn, live), promoted=_production(turn, last), shown=list(shown), file=file,
        author=author.slack, author_unknown=author.unknown,
    )  # fmt: skip
    # Absence has no version of its own: the row's says which time it is.
    time = () if live.number else (turn.record.row,)
    id = event_id(DetailType.PRESET_DRIFTED, slug, live.number, live.digest, last.number, *time)
    return Event(DetailType.PRESET_DRIFTED, id, slug, turn.ports.clock(), reason, evidence.model_dump(mode="json"))


def _ordered(
    turn: Turn, kind: DetailType, approval: Approval, rule: str, reason: str, live: Seen, former: Seen, **more: Any
) -> Event:
    request = approval.request
    how: How = "rollback" if request.kind == "rollback" else "adopt" if request.kind == "adopt" else "revert"
    return _promotion(
        turn, kind, thread(approval), rule, reason, how=how, approval=request.id, candidate=_production(turn, live),
        former=_production(turn, former), requested_by=request.requested_by, approved_by=approval.approved_by, **more,
    )  # fmt: skip


def _promotion(
    turn: Turn, kind: DetailType, id: str, rule: str, reason: str, *, how: How, candidate: VersionRef,
    former: VersionRef, approval: str = "", **more: Any,
) -> Event:  # fmt: skip
    slug = turn.preset.slug
    evidence = Promotion.model_validate(
        {
            "name": slug, "promotion": id, "how": how, "candidate": candidate, "former": former, "approval": approval,
            "rule": rule, **more,
        }
    )  # fmt: skip
    identity = event_id(kind, slug, id, how, rule, approval)
    return Event(kind, identity, slug, turn.ports.clock(), reason, evidence.model_dump(mode="json"))


def _staging(turn: Turn, seen: Seen) -> VersionRef:
    return VersionRef(workspace=turn.preset.from_workspace, version=seen.number, digest=seen.digest)


def _production(turn: Turn, seen: Seen) -> VersionRef:
    return VersionRef(workspace=turn.preset.to_workspace, version=seen.number, digest=seen.digest)


def _results(checks: Sequence[Check]) -> list[CheckResult]:
    return [CheckResult(name=check.name, passed=check.passed, why=check.why) for check in checks]
