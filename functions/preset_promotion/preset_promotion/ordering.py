"""Carries out what people decided: a promotion, and orders about what production serves (roll back, adopt, revert)."""

from dataclasses import replace

from governor.approvals.approval import Approval, Kind
from governor.approvals.authorship import approvals_needed, approvals_of_order, author_of, missing
from governor.approvals.store import NotGranted
from preset_promotion import preset_events
from preset_promotion.asking import end, ended, renew, void
from preset_promotion.decide import refusal, stale
from preset_promotion.ports import Live, Turn
from preset_promotion.promoting import promote, put_back
from preset_promotion.record import Candidate, Finishing, Seen, Served
from preset_promotion.requesting import change

_WHY = {
    "not_the_last": "it is not the last promotion any more",
    "production_changed": "production serves another version than the one that this is about",
    "not_drifted": "production serves what counts as promoted",
    "no_former": "there is nothing to go back to",
}


def decided(turn: Turn, approval: str, kind: Kind) -> None:
    """An event says that somebody decided; what stands in the ledger is what counts."""
    candidate = turn.record.candidate
    if candidate and candidate.approval == approval:
        waiting(turn, candidate, turn.live(turn.staging), turn.live(turn.production))
        return
    if kind in ("rollback", "adopt", "revert"):
        try:
            granted = turn.ports.approvals.granted(approval, (kind,))
        except NotGranted as error:
            turn.ports.log.info("not granted", extra={"approval": approval, "why": f"{error}"})
            return
        if granted.request.subject == turn.preset.slug:
            _order(turn, granted, turn.live(turn.production))


def waiting(turn: Turn, candidate: Candidate, staging: Live, production: Live) -> None:
    """The candidate has been asked for: promoted if it is granted and still what was asked about."""
    approval = turn.ports.approvals.get(candidate.approval)
    state = approval.state if approval else "void"
    if approval is None or state not in ("pending", "granted"):
        end(turn, state, approval.why if approval else "its request is gone")
        return
    rule = stale(candidate, staging.seen, production.seen)
    if rule:
        renew(turn, rule, staging, production)
        return
    if state == "granted":
        lacking = _lacking(turn, candidate, approval)
        if lacking:
            void(turn, f"it was approved, but it is not promoted: {lacking}")
            return
        promote(turn, candidate, approval)


def _lacking(turn: Turn, candidate: Candidate, approval: Approval) -> str:
    """Why the grant does not suffice, as a clause; empty where it does. Judged anew from the record, the policy and the
    decision's own row: others may write the request, and the policy may have changed since it was asked."""
    preset, request = turn.preset, approval.request
    author = author_of(turn.ports.policy, candidate.version.creator)
    needed = approvals_needed(preset, author)
    barred = {request.requested_by: "asked for it", author.slack: "saved the version"}
    short = missing(preset, needed, approval.approved_by, barred)
    if short:
        return f"{short}, because {author.unknown}" if author.unknown else short
    found = (request.kind, dict(request.change), request.approvers, request.needed, request.author,
             request.author_unknown)  # fmt: skip
    wanted = (candidate.how, change(turn, candidate), preset.approvers, needed, author.slack, author.unknown)
    return "" if found == wanted else "the request does not say what was checked, or the policy has changed since"


def _order(turn: Turn, approval: Approval, production: Live) -> None:
    request, record = approval.request, turn.record
    rule = refusal(request.kind, request.change, record, production.seen)
    why = _order_lacks(turn, approval, production)
    if why:
        known = set(approval.approved_by) <= set(turn.preset.approvers)
        rule = "not_enough_approvals" if known else "not_an_approver"
    served = record.served
    if rule or (served is None and request.kind != "adopt"):
        rule = rule or "no_former"
        _refused(turn, approval, rule, why or _WHY[rule], production.seen)
    elif request.kind == "adopt":
        _adopt(turn, approval, production.seen, served.version if served else Seen())
    elif request.kind == "rollback" and served:
        put_back(turn, "rollback", approval, served.former, production.seen)
    elif served:
        put_back(turn, "revert", approval, served.version, production.seen)


def _order_lacks(turn: Turn, approval: Approval, production: Live) -> str:
    """Why the grant of an order does not suffice, as a clause; empty where it does. The author of an edit is asked of
    OpenRouter again."""
    preset, request, served = turn.preset, approval.request, turn.record.served
    author = None
    if request.kind == "adopt":
        author = author_of(turn.ports.policy, production.seen.creator)
    elif request.kind == "rollback" and served and not served.former_approved:
        former = turn.version(turn.production, served.former.number)
        author = author_of(turn.ports.policy, former.seen.creator)
    ordered = request.requested_by in approval.approved_by
    needed = approvals_of_order(preset, author) if ordered else approvals_needed(preset, author)
    barred = {author.slack: "saved the version that production would serve"} if author else {}
    short = missing(preset, needed, approval.approved_by, barred)
    return f"{short}, because {author.unknown}" if short and author and author.unknown else short


def _adopt(turn: Turn, approval: Approval, live: Seen, former: Seen) -> None:
    request = approval.request
    event = preset_events.adopted(turn, approval, live, former)
    row = ended(turn, request.id, "adopted", "", {"became": live.data(), "by": request.requested_by})
    record = replace(turn.record, served=Served(live, request.id, former), finishing=Finishing(request.id, "done"))
    turn.write(record.telling(event), row)
    turn.flush()


def _refused(turn: Turn, approval: Approval, rule: str, why: str, live: Seen) -> None:
    request, served = approval.request, turn.record.served
    reason = f"{turn.preset.slug}: {request.kind} was not carried out: {why}."
    event = preset_events.refused(turn, approval, rule, reason, live, served.version if served else Seen())
    turn.write(replace(turn.record, finishing=Finishing(request.id, "failed", rule)).telling(event))
    turn.flush()
