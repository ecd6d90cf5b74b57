"""Who may do what, and what a command comes to. Pure: a person, a command, the facts and `now` in, a decision out.

Whoever comes here is a full member, or is named in the policy for what they want (`admission`). First, whatever it is:
 - `stale`       older than half an hour: the person has stopped waiting, and can no longer be answered. Never for what
                 was begun, and not for a vote, which is bound to what was shown and to the request's own end
Then, by what is wanted:
 - rotate, review   any member
 - disable       whoever `approvals.disable_by` entitles, at once; anybody else's command is a request to those
 - expected          the workload's owner, or one of the policy's approvers
 - restore           one of the policy's approvers, at once; anybody else's command is a request
 - rollback-key      the workload's owner or an approver, at once; a request where one person is not enough
                     (`approval_desk.rolling_back`)
 - promote, override any member: `preset_promotion` checks, and asks the preset's approvers
 - rollback, adopt, revert   an approver of the preset, at once; anybody else's command is a request. Of an edit that
   nobody approved (an adoption; a rollback to one) its author's command is a request, too, and an approver's is the
   first of two approvals where nobody knows the author
 - drill             a request, whoever asks
 - approve, reject   `governor.approvals.approval.judge`, over the stored request
Everybody may read. A request that stands open is not asked a second time.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from approval_desk import rolling_back
from approval_desk.edits import needed_of
from approval_desk.facts import Decision, Facts
from approval_desk.parsing import Command, help_text, is_hash, nearest
from governor.approvals.approval import Kind, Request
from governor.approvals.authorship import Author, author_of_edit
from governor.approvals.evidence import RunawayExpected
from governor.clock import format_instant
from governor.events import DetailType, Event, event_id
from governor.events.evidence import PresetPromotionRequested, RotationRequested
from governor.events.review_evidence import ReviewRequested
from governor.keys.lineage import Lineage
from governor.keys.rollback import COMMAND, KIND, Obstacle
from governor.ledger import Put
from governor.policy import Preset
from governor.slack.requests import SlackRequest
from governor.slack.text import escape, mention

STALE = timedelta(minutes=30)
"""Slack's `response_url` lives as long (https://docs.slack.dev/interactivity/handling-user-interaction)."""
EXPECTED = timedelta(hours=4)
EXPIRE_AFTER = timedelta(hours=24)
"""Of a request about a preset, where the policy has no `approvals`."""
LIFTED = ("runaway", "budget", "exposed", "operator")
"""Causes that a person may have lifted here."""


def decide(command: Command, facts: Facts) -> Decision:
    """What the command comes to, by the rules above."""
    if facts.own:
        return _placed(facts.own.request, facts)
    if facts.now - facts.at > STALE and command.verb not in ("approve", "reject"):
        return _tell("stale", "This came too late to be done. Look again, and do it anew.")
    match command.verb:
        case "approve":
            return Decision("vote", "approve")
        case "reject":
            # The modal comes back with a reason; the button has none.
            return Decision("vote" if facts.request.kind == "modal" else "ask_why", "reject")
        case "disable" | "rotate" | "expected" | "restore" | "rollback-key":
            return _about_a_key(command, facts)
        case "promote" | "override" | "rollback" | "adopt" | "revert":
            return _about_a_preset(command, facts)
        case "drill":
            return _drill(command, facts)
        case "review":
            evidence = ReviewRequested(requested_by=facts.by).model_dump(mode="json")
            return _publish(DetailType.REVIEW_REQUESTED, "account", evidence, facts, "A review of")
        case "status" | "keys":
            return Decision("report", command.verb)
        case _:
            return _tell(command.verb, command.hint or help_text())


def _about_a_key(command: Command, facts: Facts) -> Decision:
    if command.verb == "rollback-key":
        return _roll_key_back(command, facts)
    policy, subject = facts.policy, command.subject
    workload = policy.workload(subject)
    if workload is None and (command.verb == "rotate" or not is_hash(subject)):
        near = nearest(subject, [one.name for one in policy.workloads])
        return _tell("unknown", f"The policy has no workload {_code(subject)}.{near}")
    if command.verb == "disable":
        return _disable(subject, facts)
    if command.verb == "rotate":
        if workload is None or workload.secret is None:
            return _tell("no_secret", f"The policy gives {_code(subject)} no `secret`, so a new key has no place.")
        evidence = RotationRequested(requested_by=facts.by).model_dump(mode="json")
        return _publish(DetailType.ROTATION_REQUESTED, subject, evidence, facts, "A new key of")
    if command.verb == "expected":
        owner = workload.owner.slack if workload else None
        if facts.by not in (owner, *facts.approvers):
            return _tell("not_theirs", "Only the workload's owner or an approver can say that this is expected.")
        return _expected(subject, facts)
    return _restore(command, facts)


def _disable(subject: str, facts: Facts) -> Decision:
    policy, workload = facts.policy, facts.workload
    change, shown = {"cause": "operator"}, "Disable every live key."
    if policy.any_member_may_disable(facts.tier):
        return _placed(_request("disable", subject, facts, change, shown), facts)
    entitled = policy.may_disable(workload)
    if not entitled:
        return _tell("no_approvers", "The policy lets nobody disable this key by hand: it names no approvers.")
    return _ask("disable", subject, facts, change, shown, entitled)


def _expected(subject: str, facts: Facts) -> Decision:
    # From the click on, whenever it is carried out: a repeat moves nothing.
    until = facts.at + EXPECTED
    evidence = RunawayExpected(name=subject, by=facts.by, until=until).model_dump(mode="json")
    row = {"kind": "expected", "until": format_instant(until), "by": facts.by}
    said = (
        f"The detector leaves {_code(subject)} alone until {until:%H:%M} UTC. It knows as much spend from now on, for "
        "three days and around this day of each month. Budgets still hold."
    )
    kind = DetailType.RUNAWAY_EXPECTED
    reason = f"{facts.by} expects this spend."
    event = Event(kind, event_id(kind, facts.request.id), subject, facts.at, reason, evidence)
    note = Put("detector", f"{subject}#expected", row, expires_at=until + timedelta(days=7))
    return Decision("publish", "expected", said, event=event, note=note)


def _restore(command: Command, facts: Facts) -> Decision:
    standing = [row for row in facts.causes.standing() if row.cause in LIFTED]
    wanted = command.detail.get("cause")
    rows = [row for row in standing if wanted in (None, row.cause)]
    if not rows:
        which = f"the cause {_code(wanted)}" if wanted else "a cause that can be lifted here"
        return _tell("not_standing", f"{_code(command.subject)} is not disabled for {which}.")
    if len(rows) > 1:
        causes = ", ".join(f"`{row.cause}`" for row in rows)
        which = f"{_code(command.subject)} is disabled for {causes}"
        return _tell("which_cause", f"{which}: add to the command the cause that is over.")
    row = rows[0]
    # The trigger binds the command to this disable, and not to a later one of the same cause.
    change = {"cause": row.cause, "trigger": row.trigger}
    shown = f"Lift the cause {row.cause}, which has held it since {row.at:%d %b %H:%M} UTC."
    if not facts.approvers:
        return _tell("no_approvers", "The policy names no approvers (`approvals`), so nobody can decide this.")
    return _ask("restore", command.subject, facts, change, shown, facts.approvers)


def _roll_key_back(command: Command, facts: Facts) -> Decision:
    wanted = rolling_back.wanted(command, facts.policy, facts.lineage or Lineage(command.subject), facts.causes)
    if isinstance(wanted, Obstacle):
        return _tell(wanted.rule, escape(wanted.why))
    return _ask(KIND, command.subject, facts, wanted.change, wanted.shown, wanted.deciders)


def _about_a_preset(command: Command, facts: Facts) -> Decision:
    preset = next((one for one in facts.policy.presets if one.slug == command.subject), None)
    if preset is None:
        if command.verb == "rollback" and facts.policy.workload(command.subject):
            return _tell("unknown", f"{_code(command.subject)} is a workload: `{COMMAND} {command.subject}`.")
        near = nearest(command.subject, [one.slug for one in facts.policy.presets])
        return _tell("unknown", f"The policy has no preset {_code(command.subject)}.{near}")
    match command.verb:
        case "promote":
            return _promote(preset, facts, None)
        case "override":
            return _promote(preset, facts, command.detail["promotion"])
        case "rollback":
            change = {"promotion": command.detail.get("promotion", "")}
            shown = "Serve the former production preset again."
            return _order(preset, "rollback", change, shown, facts)
        case _:
            kind: Kind = "adopt" if command.verb == "adopt" else "revert"
            meant = "Keep what production serves now" if kind == "adopt" else "Serve the last promoted version again"
            change = {"version": command.detail["version"]}
            return _order(preset, kind, change, f"{meant} (version {command.detail['version']}).", facts)


def _order(preset: Preset, kind: Kind, change: Mapping[str, str], shown: str, facts: Facts) -> Decision:
    author = author_of_edit(facts.policy, facts.preset_row, kind, change.get("version", ""))
    needed, too_few = needed_of(preset, author, facts.by, facts.votes)
    if too_few:
        return _tell("not_enough_approvers", too_few)
    return _ask(kind, preset.slug, facts, change, shown, preset.approvers, needed, author)


def _promote(preset: Preset, facts: Facts, override_of: str | None) -> Decision:
    evidence = PresetPromotionRequested(requested_by=facts.by, override_of=override_of).model_dump(mode="json")
    what = "An override for" if override_of else "The promotion of"
    return _publish(DetailType.PRESET_PROMOTION_REQUESTED, preset.slug, evidence, facts, what)


def _drill(command: Command, facts: Facts) -> Decision:
    drilled = [one.name for one in facts.policy.byok if one.drill]
    if command.subject not in drilled:
        near = nearest(command.subject, drilled).replace("/", " ")
        return _tell("unknown", f"The policy has no `drill` of {_code(command.subject.replace('/', ' '))}.{near}")
    if not facts.approvers:
        return _tell("no_approvers", "The policy names no approvers (`approvals`), so nobody can decide this.")
    shown = f"Drill the failover of {command.subject}."
    return _ask("drill", command.subject, facts, dict(command.detail), shown, facts.approvers)


def _ask(
    kind: Kind,
    subject: str,
    facts: Facts,
    change: Mapping[str, Any],
    shown: str | tuple[str, ...],
    approvers: tuple[str, ...],
    needed: int = 1,
    author: Author | None = None,
) -> Decision:
    asked = _request(kind, subject, facts, change, shown, approvers, needed, author)
    for other in facts.pending:
        one = other.request
        if (not _at_once(asked, facts) or asked.needed > 1) and (one.kind, one.subject, one.change) == (
            kind,
            subject,
            change,
        ):
            return _tell(
                "asked_already", f"{mention(one.requested_by)} has asked for that already; it waits for an approver."
            )
    return _placed(asked, facts)


def _placed(asked: Request, facts: Facts) -> Decision:
    what = f"{escape(rolling_back.said(asked))} " if asked.kind == KIND else ""
    if _at_once(asked, facts):
        said = "It is being done; the channel is told once it is done and verified."
        if asked.needed > 1:
            said = f"Your approval counts. {asked.needed - 1} more needed: the approvers are asked in the channel."
        return Decision("order", asked.kind, f"{what}{said}", asked)
    return Decision("ask", asked.kind, f"{what}The approvers are asked in the channel.", asked)


def _at_once(asked: Request, facts: Facts) -> bool:
    """Whether the person's command is itself an approval."""
    if asked.needed > 1 and not facts.votes:
        return False
    alone = asked.kind != "drill" and not asked.change.get("needs_approval") and asked.requested_by != asked.author
    return (alone and asked.requested_by in asked.approvers) or (asked.kind == "disable" and not asked.approvers)


def _request(
    kind: Kind,
    subject: str,
    facts: Facts,
    change: Mapping[str, Any],
    shown: str | tuple[str, ...],
    approvers: tuple[str, ...] = (),
    needed: int = 1,
    author: Author | None = None,
) -> Request:
    approvals = facts.policy.approvals
    return Request(
        id=request_id(facts.request),
        kind=kind,
        subject=subject,
        requested_by=facts.by,
        requested_at=facts.at,
        expires_at=facts.at + (approvals.expire_after if approvals else EXPIRE_AFTER),
        change=change,
        approvers=approvers,
        needed=needed,
        name=subject,
        shown=(shown,) if isinstance(shown, str) else shown,
        author=author.slack if author else "",
        author_unknown=author.unknown if author else "",
    )


def request_id(request: SlackRequest) -> str:
    """The id of the request that an interaction makes, if it makes one: the same for each of its deliveries."""
    return event_id(DetailType.APPROVAL_REQUESTED, request.id)


def _publish(kind: DetailType, subject: str, evidence: Mapping[str, Any], facts: Facts, what: str) -> Decision:
    event = Event(
        kind,
        event_id(kind, facts.request.id),
        subject,
        facts.at,
        f"{facts.by} asked {'in' if facts.via == 'Slack' else 'on'} {facts.via}.",
        evidence,
    )
    subject = "the account" if kind == DetailType.REVIEW_REQUESTED else _code(subject)
    said = f"{what} {subject} is asked for; the channel is told what comes of it."
    return Decision("publish", kind, said, event=event)


def _tell(rule: str, said: str) -> Decision:
    return Decision("tell", rule, said)


def _code(name: str | None) -> str:
    return "`" + str(name).replace("`", "'")[:80] + "`"
