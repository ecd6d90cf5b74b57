"""Takes up a candidate, checks it, and asks people: nothing here changes what any workspace serves.

| effect | dies before | dies after | twice, beside itself |
|---|---|---|---|
| row `checking` | the event's retry | a run, once `until` is over, checks again (paid twice at most) | one wins |
| golden cases | as above | as above | only who wrote `checking` pays |
| row `checked` or `blocked` | as above | the next run asks, or tells, what the row says | one wins |
| file of the diff | no file yet | one file more in the channel | as after |
| the request, under the candidate's id | the next run | the stored one is taken | the stored one is taken |
| row `asked` with its event | the next run asks again: the same request | told by whoever looks next | one wins |
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from governor.approvals.authorship import approvals_needed, author_of, who_may_approve
from governor.approvals.evidence import approval_event
from governor.clock import format_instant
from governor.events import UNNAMED, DetailType, event_id
from governor.ledger import Put
from preset_promotion import preset_events, prices
from preset_promotion.catalogue import Catalogue
from preset_promotion.checks import Check, examine, failing
from preset_promotion.content import Content
from preset_promotion.decide import stale
from preset_promotion.diff import Diff, compare
from preset_promotion.paying import cases
from preset_promotion.ports import Live, Turn
from preset_promotion.record import ENDED, NONE, Candidate, Finishing, Record, Status
from preset_promotion.requesting import ask
from preset_promotion.settings import Asked

IN_HAND = timedelta(minutes=16)
"""Longer than the function may run (15 min)."""
RUNS = 2
"""Check runs of one candidate that may die on the way; each may cost its whole purse."""
ENDS_KEPT = timedelta(days=400)
BY_EVENT = UNNAMED
"""So nobody can have another named as the one who asked, and approve it himself as if he had not."""
WATCHER = "governor"
"""Who asks for what was found by schedule: nobody, so that every approver may decide."""


def asked(turn: Turn, request: Asked) -> None:
    """Somebody asks. The same request again, or for what is being asked already, does nothing."""
    record, log = turn.record, turn.ports.log
    if record.candidate and record.candidate.id == _id(turn, request.id):
        return
    if turn.ports.ledger.get(ENDED, f"{turn.preset.slug}#{_id(turn, request.id)}"):
        return
    staging, production = turn.live(turn.staging), turn.live(turn.production)
    if request.override_of is not None:
        _override(turn, request, staging, production)
        return
    rule = _cannot(staging, production)
    if rule:
        wanted = Candidate(_id(turn, request.id), staging.seen, production.seen, request.by)
        _refuse(turn, wanted, rule, f"{turn.preset.slug} was not asked for: {_SAYS[rule]}.")
        return
    standing = record.candidate
    same = standing and standing.status != "blocked" and stale(standing, staging.seen, production.seen) is None
    if standing and same and standing.loosen == request.loosen:
        log.info("asked for already", extra={"preset": turn.preset.slug, "promotion": standing.id})
        return
    if standing:
        void(turn, f"version {staging.seen.number} was asked for since")
    take_up(turn, _id(turn, request.id), staging, production, request.by, loosen=request.loosen)


_SAYS = {
    "staging_missing": "staging has no such preset",
    "nothing_to_promote": "production serves the same already",
    "nothing_to_override": "that promotion is not held back by its checks, or what was checked has changed",
}


def _cannot(staging: Live, production: Live) -> str | None:
    if staging.content is None:
        return "staging_missing"
    return "nothing_to_promote" if staging.seen.digest == production.seen.digest else None


def _refuse(turn: Turn, wanted: Candidate, rule: str, reason: str, *, record: Record | None = None) -> None:
    """Tells that this was not asked for, and notes it, so that a repeat of the request tells nothing else."""
    event = preset_events.failed(turn, wanted.id, rule, reason, wanted)
    row = ended(turn, wanted.id, "not asked", rule, wanted.data())
    turn.write((record or turn.record).telling(event), row)
    turn.flush()


def take_up(turn: Turn, id: str, staging: Live, production: Live, by: str, *, loosen: bool = False) -> None:
    """From here on this version is on its way; checks follow, and people are asked. Where nobody could approve it, that
    is told instead, before golden cases are paid for."""
    now, record = turn.ports.clock(), turn.record
    taken_up = max(record.taken_up, staging.seen.number)
    short = _too_few(turn, staging, by)
    if short:
        reason = f"{turn.preset.slug}: version {staging.seen.number} of staging was not asked for: {short}."
        wanted = Candidate(id, staging.seen, production.seen, by)
        _refuse(turn, wanted, "not_enough_approvers", reason, record=replace(record, taken_up=taken_up))
        return
    candidate = Candidate(id, staging.seen, production.seen, by, loosen, until=now + IN_HAND, tries=1)
    turn.write(replace(record, candidate=candidate, taken_up=taken_up))
    check(turn, staging, production)


def _too_few(turn: Turn, staging: Live, by: str) -> str:
    """Why nobody could approve the version, though everybody said yes, as a clause; empty where they can."""
    preset, author = turn.preset, author_of(turn.ports.policy, staging.seen.creator)
    needed, able = approvals_needed(preset, author), who_may_approve(preset, (by, author.slack))
    if len(able) >= needed:
        return ""
    barred = [f"{by} asked for it"] if by in preset.approvers else []
    barred += [f"{author.slack} saved the version"] if author.slack in preset.approvers else []
    because = f", because {author.unknown}" if author.unknown else ""
    return (
        f"{needed} {'approval is' if needed == 1 else 'approvals are'} needed{because}, and only {len(able)} of its "
        f"{len(set(preset.approvers))} approvers may approve it ({' and '.join(barred) or 'the policy names no more'})"
    )


def resume(turn: Turn, candidate: Candidate, staging: Live, production: Live) -> None:
    """What somebody left half done, once they cannot be at it any more."""
    if candidate.status == "checked":
        diff = compare(production.content, _content(staging), prices.read(turn))
        ask(turn, candidate, diff.file(turn.preset.prompts))
    elif candidate.tries < RUNS:
        until = turn.ports.clock() + IN_HAND
        turn.write(replace(turn.record, candidate=replace(candidate, tries=candidate.tries + 1, until=until)))
        check(turn, staging, production)
    else:
        _checked(turn, candidate, (Check("golden", False, "the run did not end, twice"),), candidate.shown, 0.0, "")


def check(turn: Turn, staging: Live, production: Live) -> None:
    """Holds the candidate in hand against the policy, and asks people, or tells what blocks it."""
    candidate = turn.record.candidate
    assert candidate is not None
    catalogue = prices.read(turn)
    content = _content(staging)
    diff = compare(production.content, content, catalogue)
    certified = turn.preset.checks.certified
    checks = examine(
        production.content, content, catalogue, certified, loosen=candidate.loosen, unshown_risks=diff.unshown_risks
    )
    shown, usd = _shown(diff, catalogue), 0.0
    if not failing(checks):  # what is blocked already need not be paid for
        ran = cases(turn, content, production.content, catalogue)
        checks, usd, shown = (*checks, *ran.checks), ran.usd, (*shown, *ran.shown)
    _checked(turn, candidate, checks, shown, usd, diff.file(turn.preset.prompts))


def _checked(
    turn: Turn, candidate: Candidate, checks: tuple[Check, ...], shown: tuple[str, ...], usd: float, text: str
) -> None:
    blocking = failing(checks)
    status: Status = "blocked" if blocking else "checked"
    checked = replace(
        candidate, status=status, until=None, checks=checks, usd=round(candidate.usd + usd, 6), shown=shown
    )
    record = replace(turn.record, candidate=checked)
    if not blocking:
        turn.write(record)
        ask(turn, checked, text)
        return
    number = candidate.version.number
    reason = f"{turn.preset.slug}: version {number} of staging may not go to production: {', '.join(blocking)}."
    turn.write(record.telling(preset_events.failed(turn, candidate.id, "checks", reason, checked, overridable=True)))
    turn.flush()


def void(turn: Turn, why: str) -> None:
    """Takes the request for the candidate in hand back, tells of it, and ends the candidate."""
    candidate = turn.record.candidate
    approval = turn.ports.approvals.get(candidate.approval) if candidate and candidate.approval else None
    if candidate is None or approval is None:
        end(turn, "void", why)
        return
    finishing = None
    if approval.state == "granted":
        finishing = Finishing(candidate.approval, "failed", why)  # a grant is not taken back, but it is used up
    else:
        turn.ports.approvals.withdraw(candidate.approval, why)
    event = approval_event(DetailType.APPROVAL_VOIDED, approval, turn.ports.clock(), f"{turn.preset.slug}: {why}.")
    end(turn, "void", why, record=replace(turn.record.telling(event), finishing=finishing))


def end(turn: Turn, outcome: str, why: str, *, record: Record | None = None) -> None:
    """The candidate in hand is on its way no more; what it came to is kept."""
    record = record or turn.record
    candidate = record.candidate
    if candidate is not None:
        turn.write(replace(record, candidate=None), ended(turn, candidate.id, outcome, why, candidate.data()))
    turn.flush()


def ended(turn: Turn, id: str, outcome: str, why: str, data: Mapping[str, object]) -> Put:
    """A row of what has ended, written once."""
    now = turn.ports.clock()
    data = {**data, "outcome": outcome, "why": why, "ended_at": format_instant(now)}
    return Put(ENDED, f"{turn.preset.slug}#{id}", data, expires_at=now + ENDS_KEPT)


def renew(turn: Turn, rule: str, staging: Live, production: Live) -> None:
    """What was asked about is no longer so: void, and asked anew for what is there now."""
    candidate = turn.record.candidate
    assert candidate is not None
    now = {
        "candidate_changed": f"staging has version {staging.seen.number} now, not {candidate.version.number}",
        "production_changed": f"production serves version {production.seen.number} now, not {candidate.base.number}",
    }[rule]
    void(turn, now)
    again(turn, candidate.id, staging, production, candidate.by, loosen=candidate.loosen)


def again(turn: Turn, id: str, staging: Live, production: Live, by: str, *, loosen: bool) -> None:
    """Asked anew for what is there now, if there is anything to ask for. `id`: of the promotion before."""
    if _cannot(staging, production) is None:
        renewed = _id(turn, id, staging.seen.number, production.seen.number)
        take_up(turn, renewed, staging, production, by, loosen=loosen)


def found(turn: Turn, staging: Live, production: Live) -> None:
    """The schedule found a new version."""
    if turn.record.candidate:
        void(turn, f"staging has version {staging.seen.number} now")
    id = _id(turn, WATCHER, staging.seen.number, production.seen.number)
    take_up(turn, id, staging, production, WATCHER)


def _override(turn: Turn, request: Asked, staging: Live, production: Live) -> None:
    standing = turn.record.candidate
    held = standing is not None and standing.status == "blocked" and standing.id == request.override_of
    if standing is None or not held or stale(standing, staging.seen, production.seen):
        reason = f"{turn.preset.slug}: nothing to override: {_SAYS['nothing_to_override']}."
        _refuse(turn, Candidate(_id(turn, request.id), NONE, NONE, ""), "nothing_to_override", reason)
        return
    short = _too_few(turn, staging, request.by)
    if short:
        wanted = replace(standing, id=_id(turn, request.id), how="override", by=request.by)
        reason = f"{turn.preset.slug}: the override was not asked for: {short}."
        _refuse(turn, wanted, "not_enough_approvers", reason)
        return
    candidate = replace(standing, how="override", by=request.by, status="checked")
    turn.write(replace(turn.record, candidate=candidate))
    ask(turn, candidate, compare(production.content, _content(staging), prices.read(turn)).file(turn.preset.prompts))


def _id(turn: Turn, *parts: str | int) -> str:
    return event_id(DetailType.PRESET_PROMOTION_REQUESTED, turn.preset.slug, *parts)


def _content(live: Live) -> Content:
    assert live.content is not None
    return live.content


def _shown(diff: Diff, catalogue: Catalogue) -> tuple[str, ...]:
    if catalogue.kept_since is None:
        return diff.shown
    return (
        f"⚠ OpenRouter's catalogue did not answer: models and prices are as of {format_instant(catalogue.kept_since)}",
        *diff.shown,
    )
