"""What people read about each event: one sentence or two that stand alone, then facts, then what to do.

The first line says what happened, to which workload, how many dollars, and what Governor did or did not do.
"""

from collections.abc import Callable
from typing import cast

from governor.events import DetailType, Event
from governor.events.evidence import BudgetReached, Disable, Exposed, Restore
from governor.policy import Policy
from governor.slack.channel import escape
from notifier import blindness, bulk, buttons, credits, decisions, departures, failovers, presets, rotations, runaways
from notifier.case import Case, Figures
from notifier.kinds import evidence_of, is_calm
from notifier.phrases import cents, money, person, share, utc
from notifier.words import GREEN, ORANGE, RED, YELLOW, Words


def words(event: Event, policy: Policy, known: Figures) -> Words:
    """The words for one event, with the figures that its incident knows. Raises `BadEvent`."""
    return _WORDS[event.detail_type](Case(event, evidence_of(event), policy, known))


def _disabled(case: Case) -> Words:
    evidence = cast(Disable, case.evidence)
    because = {
        "runaway": f"{case.who} was burning {case.burning}.",
        "budget": f"{case.who} reached the share of its budget at which the policy disables it.",
        "exposed": f"A key of {case.who} was reported as exposed.",
        "operator": f"{case.who} was disabled by an operator's order.",
    }.get(evidence.cause, f"{case.who} was disabled, cause {evidence.cause}.")
    outcome = case.keys_are("disabled", evidence.keys)
    headline = f"🔴 {because} {outcome}{case.lost} Restore needs {case.approvers}.{case.owner}"
    todo = (
        "Find and stop what called. To bring the key back, an approver clicks *Restore key* under the thread's first "
        f"message, or sends `Restore Requested`, cause `{evidence.cause}` (docs/operations.md, “Restore a key”)."
    )
    facts = (*_by_morning(evidence), *case.keys(evidence.keys), *_top(evidence), *case.why)
    return Words(headline, RED, facts, todo, (buttons.restore(case, evidence.cause),))


def _withheld(case: Case) -> Words:
    evidence = cast(Disable, case.evidence)
    facts = (*_by_morning(evidence), *case.keys(evidence.keys), *_top(evidence))
    if is_calm(case.event):
        headline = f"🟠 Governor did not disable {case.who}. {escape(case.event.reason)}{case.lost}"
        return Words(headline, ORANGE, facts, "Look whether the key behaves as it should.")
    live = any(key.state == "enabled" for key in evidence.keys)
    wrong = {
        "budget": f"{case.who} reached the share of its budget at which the policy disables it",
        "exposed": f"A key of {case.who} was reported as exposed",
    }.get(evidence.cause, f"{case.who} is burning {case.burning}")
    left = "its key still works: Governor withheld the disable" if live else "Governor left its key as it found it"
    if evidence.rule == "openrouter_forbids":
        left = "Governor cannot disable its key, because OpenRouter does not let it"
    headline = f"🔴 {wrong} and {left}.{case.lost} {case.approvers} must decide.{case.owner}"
    each_hour = f" Each hour costs about {money(case.figures.rate)}." if case.figures.rate is not None else ""
    todo = f"Disable the key, or let it run.{each_hour}" if live else "Look at the key at OpenRouter."
    if evidence.rule == "openrouter_forbids":
        todo = f"Disable the key in OpenRouter by hand, then fix what the error names.{each_hour}"
    choice = runaways.choice(case) if evidence.cause == "runaway" else (buttons.disable(case),)
    return Words(headline, RED, (*case.why, *facts), todo, choice if live else ())


def _restored(case: Case) -> Words:
    evidence = cast(Restore, case.evidence)
    outcome = case.keys_are("enabled", evidence.keys)
    lifted = f"{person(evidence.requested_by)} lifted the cause {evidence.cause}"
    headline = f"🟢 {case.who} is restored: {lifted}. {outcome}{case.owner}"
    todo = {
        "runaway": "Watch whether it burns again.",
        "budget": "Watch what it spends: its budget has not grown.",
        "exposed": "The leaked key works again. Replace it in the workload, then delete it at OpenRouter.",
    }.get(evidence.cause, "Watch whether it behaves.")
    return Words(headline, GREEN, (*case.keys(evidence.keys), *case.why), todo)


def _refused(case: Case) -> Words:
    evidence = cast(Restore, case.evidence)
    standing = " and ".join(evidence.standing)
    if evidence.rule == "other_cause_stands":
        lifted = f"{person(evidence.requested_by)} lifted the cause {evidence.cause}"
        headline = f"🟠 {case.who} stays disabled: {lifted}, and {standing} still holds its keys."
    else:
        asked = f"the restore that {person(evidence.requested_by)} asked for"
        headline = f"🟠 {case.who} stays as it was: Governor refused {asked}. No key was changed."
    todo = f"Read the reason. {case.approvers} may ask again."
    if evidence.rule == "other_cause_stands":
        todo = f"Have {standing} lifted too."
    again = tuple(buttons.restore(case, cause) for cause in evidence.standing[:1])
    return Words(headline, ORANGE, (*case.why, *case.keys(evidence.keys)), todo, again)


def _exposed(case: Case) -> Words:
    evidence = cast(Exposed, case.evidence)
    # Anybody may send such an event: what it says is its own word, of whomever it names.
    found = (f"*Found at, says the event:* {escape(evidence.url)}",) if evidence.url else ()
    if case.event.reason:
        found = (*found, f"*The event says:* “{escape(case.event.reason)}”")
    report = f"🔴 An event says that a key of {case.who} leaked, and names “{escape(evidence.source)}” as its source."
    if case.governor_disables("exposed"):
        headline = f"{report} Governor is disabling it now.{case.owner}"
        todo = "Issue a new key, and remove the old one from where it was found."
        return Words(headline, RED, found, todo)
    headline = f"{report} It still works: {case.restraint}. {case.approvers} must decide.{case.owner}"
    # Anybody may report a leak. No button stands beside such words: it comes with what Governor itself finds.
    todo = (
        "What Governor finds follows here, with a button to disable the key; or send "
        f"`/governor disable {escape(case.event.subject)}` at once. Then issue a new key."
    )
    return Words(headline, RED, found, todo)


def _budget(case: Case) -> Words:
    evidence = cast(BudgetReached, case.evidence)
    if evidence.credits:
        return credits.low(case, evidence, evidence.credits)
    name, period, limit = escape(evidence.scope_name), escape(evidence.period), cents(evidence.limit_usd)
    spent = f"has spent {cents(evidence.spent_usd)} of"
    said = {
        "key_limit": f"{case.who} {spent} its {limit} {period} key limit",
        "workload": f"{case.who} {spent} its {limit} {period} cap, all its keys together",
        "guardrail": f"{case.who} {spent} the {limit} {period} limit of guardrail {name}{_together(evidence)}",
        "member": f"Member {escape(evidence.scope_id)} {spent} the {limit} {period} limit of guardrail {name}",
        "workspace": f"Workspace {name} {spent} its {limit} {period} budget",
        "credits": f"The account {spent} its {limit} of credits",
    }[evidence.scope]
    full = evidence.spent_usd >= evidence.limit_usd
    part = f" ({share(evidence.spent_usd / evidence.limit_usd)})" if evidence.limit_usd > 0 else ""
    owner = case.owner if case.workload else ""
    disables = " Governor disables its keys now, as the policy says." if evidence.disable else ""
    headline = f"{'🔴' if full else '🟡'} {said}{part}. {_ahead(evidence)}{disables}{owner}"
    first = (f"*Blocks first:* {escape(evidence.blocks_first)}",) if evidence.blocks_first else ()
    also = (f"*Also crossed:* {', '.join(map(share, evidence.also_crossed))}",) if evidence.also_crossed else ()
    more = "top up the credits" if evidence.scope == "credits" else "raise the limit"
    return Words(
        headline,
        RED if full else YELLOW,
        (*first, *also, *case.keys(evidence.keys), *case.why),
        f"Spend less, or {more}.",
    )


def _together(evidence: BudgetReached) -> str:
    return ", all its keys together" if len(evidence.keys) > 1 else ""


def _ahead(evidence: BudgetReached) -> str:
    """When the rest is gone, and when the period starts anew."""
    resets = f" It resets {utc(evidence.resets_at)}." if evidence.resets_at else ""
    if evidence.spent_usd >= evidence.limit_usd:
        return f"OpenRouter refuses what goes beyond.{resets}"
    if evidence.runs_out_at and evidence.rate_usd_per_hour:
        return f"At {money(evidence.rate_usd_per_hour)}/h the rest is gone by {utc(evidence.runs_out_at)}.{resets}"
    return f"Nothing is blocked yet.{resets}"


def _by_morning(evidence: Disable) -> tuple[str, ...]:
    if evidence.by_morning_usd is None:
        return ()
    return (f"*If nobody acts*, this comes to {money(evidence.by_morning_usd)} by 08:00 UTC.",)


def _top(evidence: Disable) -> tuple[str, ...]:
    ranked = (("Models", evidence.top_models), ("Apps", evidence.top_apps))
    unknown = (f"*Not known:* {escape('; '.join(evidence.missing))}",) if evidence.missing else ()
    return unknown + tuple(
        f"*{title}:* " + ", ".join(f"{escape(name)} {money(usd)}" for name, usd in spenders[:3])
        for title, spenders in ranked
        if spenders
    )


_WORDS: dict[DetailType, Callable[[Case], Words]] = {
    DetailType.BUDGET_THRESHOLD_REACHED: _budget,
    DetailType.RUNAWAY_SUSPECTED: runaways.suspected,
    DetailType.RUNAWAY_CONFIRMED: runaways.confirmed,
    DetailType.RUNAWAY_ENDED: runaways.ended,
    DetailType.RUNAWAY_EXPECTED: decisions.expected,
    DetailType.KEY_DISABLED: _disabled,
    DetailType.DISABLE_WITHHELD: _withheld,
    DetailType.KEY_RESTORED: _restored,
    DetailType.RESTORE_REFUSED: _refused,
    DetailType.MONITOR_BLIND: blindness.blind,
    DetailType.MONITOR_RECOVERED: blindness.recovered,
    DetailType.KEY_EXPOSED: _exposed,
    DetailType.ROTATION_STARTED: rotations.started,
    DetailType.KEY_ROTATED: rotations.rotated,
    DetailType.ROTATION_FAILED: rotations.failed,
    DetailType.ROTATION_ROLLED_BACK: rotations.rolled_back,
    DetailType.ROLLBACK_REFUSED: rotations.rollback_refused,
    DetailType.DRAIN_BLOCKED: rotations.blocked,
    DetailType.KEY_RETIRED: rotations.retired,
    DetailType.ORPHAN_REMOVED: rotations.orphan_removed,
    DetailType.KEY_DRIFTED: rotations.drifted,
    DetailType.KEY_EXPIRING: rotations.expiring,
    DetailType.BULK_ROTATION_PROGRESSED: bulk.progressed,
    DetailType.BULK_ROTATION_ENDED: bulk.ended,
    DetailType.CREDENTIAL_ROTATED: rotations.credential_rotated,
    DetailType.CREDENTIAL_ROTATION_FAILED: rotations.credential_failed,
    DetailType.MEMBER_DEPARTED: departures.departed,
    **failovers.WORDS,
    DetailType.APPROVAL_REQUESTED: decisions.requested,
    DetailType.APPROVAL_GRANTED: decisions.granted,
    DetailType.APPROVAL_REJECTED: decisions.rejected,
    DetailType.APPROVAL_EXPIRED: decisions.expired,
    DetailType.APPROVAL_VOIDED: decisions.voided,
    DetailType.APPROVAL_COUNTED: decisions.requested,
    DetailType.FORGERY_SUSPECTED: decisions.forged,
    DetailType.PRESET_PROMOTED: presets.promoted,
    DetailType.PRESET_PROMOTION_FAILED: presets.failed,
    DetailType.PRESET_ROLLED_BACK: presets.rolled_back,
    DetailType.PRESET_DRIFTED: presets.drifted,
}
