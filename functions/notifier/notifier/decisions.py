"""What people read about what a human decides: who asks for what, who may say yes, and what came of it."""

from typing import cast

from governor.approvals.evidence import ApprovalEvidence, Forgery, RunawayExpected
from governor.approvals.wording import deed
from governor.events.evidence import KeyRef
from governor.slack.channel import Button, escape
from governor.slack.text import link
from notifier import buttons, phrases
from notifier.case import Case
from notifier.mail import plain
from notifier.phrases import mention, person, utc
from notifier.words import GREEN, ORANGE, RED, YELLOW, Words


def requested(case: Case) -> Words:
    """Also with approvals that are in already, while more are needed."""
    evidence = cast(ApprovalEvidence, case.evidence)
    several = f"{evidence.needed} of " if evidence.needed > 1 else ""
    if evidence.approved_by:
        names = " and ".join(person(one) for one in evidence.approved_by)
        left = evidence.needed - len(evidence.approved_by)
        several = f"{len(evidence.approved_by)} of {evidence.needed} approvals are in ({names}); {left} more of "
    barred = {evidence.requested_by, evidence.author, *evidence.approved_by}
    able = [one for one in evidence.approvers if one not in barred] or evidence.approvers
    approvers = mention(able) if able else "anybody"
    headline = (
        f"🟡 {person(evidence.requested_by)} asks to {_deed(evidence)}. {several}{approvers} must decide until "
        f"{utc(evidence.expires_at)}."
    )
    cannot = "Neither who asked nor the author can approve it" if evidence.author else "Who asked cannot approve it"
    todo = (
        f"Approve or reject it under the thread's first message. {cannot}. Nothing is changed until somebody decides."
    )
    facts = (*_author(evidence), *_shown(evidence))
    short = evidence.model_copy(update={"name": phrases.plain(evidence.name)})
    ask = buttons.approve(evidence, plain(_deed(short)))
    return Words(headline, YELLOW, facts, todo, (ask, buttons.reject(evidence)))


def _author(evidence: ApprovalEvidence) -> tuple[str, ...]:
    """Who made what is decided about, and what follows for the decision; nothing where it has no author."""
    if evidence.author:
        return (f"*Author:* {person(evidence.author)}, as OpenRouter says; somebody else must approve it",)
    if not evidence.author_unknown:
        return ()
    unknown = f"*Author:* unknown, because {escape(evidence.author_unknown)}"
    if evidence.needed == 1:
        return (f"{unknown}. ⚠ The policy lets one approval do: whoever approves it may be its author",)
    return (f"{unknown}. So {evidence.needed} approvals are needed: one of them is somebody else's",)


def granted(case: Case) -> Words:
    evidence = cast(ApprovalEvidence, case.evidence)
    by = " and ".join(person(one) for one in evidence.approved_by)
    if evidence.requested_by in evidence.approved_by:
        said = f"{by} wants to {_deed(evidence)}."
    else:
        said = f"{by} said yes to {person(evidence.requested_by)}, who asked to {_deed(evidence)}."
    return Words(f"🟡 {said} It is being done; what came of it follows here.", YELLOW, _shown(evidence))


def rejected(case: Case) -> Words:
    evidence = cast(ApprovalEvidence, case.evidence)
    why = f": “{escape(evidence.comment)}”" if evidence.comment else ""
    by = person(evidence.decided_by or "somebody")
    headline = f"⚪ {by} rejected the request to {_deed(evidence)}{why}. Nothing was changed."
    return Words(headline, ORANGE, actions=_again(case))


def expired(case: Case) -> Words:
    evidence = cast(ApprovalEvidence, case.evidence)
    headline = f"⚪ Nobody decided in time whether to {_deed(evidence)}. Nothing was changed."
    todo = "Ask again if it is still wanted."
    return Words(headline, ORANGE, todo=todo, actions=_again(case))


def voided(case: Case) -> Words:
    evidence = cast(ApprovalEvidence, case.evidence)
    headline = f"⚪ The request to {_deed(evidence)} is void. {escape(case.event.reason)}"
    return Words(headline, ORANGE)


def expected(case: Case) -> Words:
    evidence = cast(RunawayExpected, case.evidence)
    headline = (
        f"🟢 {person(evidence.by)} says that what {case.who} spends is meant. It is not judged until "
        f"{utc(evidence.until)}; its budgets still apply."
    )
    return Words(headline, GREEN)


def forged(case: Case) -> Words:
    """Says what was received, and repeats none of it."""
    evidence = cast(Forgery, case.evidence)
    unknown = evidence.rule == "unrecorded"
    found = "does not hold" if unknown else "contradicts"
    shown = "showed it without buttons, marked as not confirmed" if unknown else "did not show it"
    headline = (
        f"🔴 Somebody may have forged an event. Governor received one of type {escape(evidence.detail_type)} that its "
        f"ledger {found}, and {shown}. {case.approvers}, please look."
    )
    facts = (
        f"*Found:* {escape(evidence.found)}",
        *((f"*Request:* `{escape(evidence.about)}`",) if evidence.about else ()),
        f"*Id of the event:* `{escape(evidence.event)}`",
    )
    todo = "Decide nothing on it. Find out who published the event: docs/operations.md, “Forgery Suspected”."
    return Words(headline, RED, facts, todo)


def _deed(evidence: ApprovalEvidence) -> str:
    return deed(evidence.kind, escape(evidence.name), escape(str(evidence.change.get("cause"))))


def _shown(evidence: ApprovalEvidence) -> tuple[str, ...]:
    lines = tuple(f"• {escape(line)}" for line in evidence.shown)
    return (*lines, link(evidence.file, "The whole difference")) if evidence.file else lines


def _again(case: Case) -> tuple[Button, ...]:
    """What was disabled stays so, and the key that came stays; the way back stays in sight."""
    evidence = cast(ApprovalEvidence, case.evidence)
    if evidence.kind == "key_rollback":
        back, goes = (
            KeyRef(hash=str(evidence.change.get(which) or ""), name=str(evidence.change.get(f"{which}_name") or ""))
            for which in ("back", "goes")
        )
        return (buttons.rollback_key(case, back, goes if goes.hash else None),)
    if evidence.kind != "restore":
        return ()
    return (buttons.restore(case, str(evidence.change.get("cause"))),)
