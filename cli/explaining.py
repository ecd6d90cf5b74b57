"""Why a key is disabled, or is not: who decided what, when, and by which rule. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cli.history import History
from cli.rulebook import CAUSES, DECISIONS, SECTIONS, Said, said
from governor.approvals.approval import Approval
from governor.clock import format_instant
from governor.events import DetailType, Event
from governor.keys.causes import CauseRow
from governor.policy import Policy


@dataclass(frozen=True)
class Step:
    """Something that happened. `by`: who, as it is proven. `said`: the rule's own words, where a rule decided."""

    at: datetime
    what: str
    why: str
    by: str = ""
    rule: str = ""
    said: Said | None = None
    id: str = ""

    def data(self) -> dict[str, Any]:
        document = {"text": self.said.text, "where": self.said.where} if self.said else None
        return {
            "at": format_instant(self.at), "what": self.what, "why": self.why, "by": self.by, "rule": self.rule,
            "document": document, "id": self.id,
        }  # fmt: skip


@dataclass(frozen=True)
class Explanation:
    """`verdict`: the answer, in sentences. `because`: what led to it, the last word first. `timeline`: everything."""

    verdict: tuple[str, ...]
    because: tuple[Step, ...]
    timeline: tuple[Step, ...]


def explain(known: History, policy: Policy, now: datetime) -> Explanation:
    """By the causes that stand; what OpenRouter says beside them; else by the last thing that was decided."""
    timeline = tuple(sorted(_steps(known), key=lambda step: (step.at, step.id)))
    standing = sorted(known.causes.standing(), key=lambda row: row.at)
    verdict = [_held(known.subject, row, now) for row in standing]
    chain = [step for row in standing for step in _chain(row, known, timeline)]
    if not standing:
        last = [step for step in timeline if step.rule or step.by or step.what.startswith("Approval")][-1:]
        verdict = [f"No cause of Governor's holds {known.subject} disabled."]
        chain = last or list(timeline[-1:])
    verdict += _at_openrouter(known)
    return Explanation((*verdict, *_in_force(known.subject, policy)), tuple(dict.fromkeys(chain)), timeline)


def step_of(event: Event) -> Step:
    """One published event."""
    rule = event.evidence.get("rule")
    rule = rule if isinstance(rule, str) else ""
    place = SECTIONS.get(event.detail_type)
    by = event.evidence.get("requested_by") or event.evidence.get("by") or ""
    words = said(place, rule) if place else None
    return Step(event.occurred_at, event.detail_type.value, event.reason, str(by), rule, words, event.id)


def _held(subject: str, row: CauseRow, now: datetime) -> str:
    hours = (now - row.at).total_seconds() / 3600
    since = f"{row.at:%Y-%m-%d %H:%M} UTC ({hours:.1f} hours ago)"
    doing = "is being disabled" if row.status == "disabling" else "is held disabled"
    return f"{subject} {doing} by the cause `{row.cause}` since {since}: {_keys(len(row.hashes))}."


def _keys(number: int) -> str:
    return "1 key" if number == 1 else f"{number} keys"


def _chain(row: CauseRow, known: History, timeline: tuple[Step, ...]) -> Iterator[Step]:
    """The disable, then what asked for it."""
    for event in reversed(known.events):
        same = event.detail_type == DetailType.KEY_DISABLED and event.evidence.get("trigger") == row.trigger
        if same and event.evidence.get("cause") == row.cause:
            yield step_of(event)
    told = row.told.id if row.told else ""
    for step in reversed(timeline):
        if step.id and step.id in (told, row.trigger):
            yield step
    if not any(step.id == row.trigger for step in timeline):
        why = "What asked for it came from outside, which is not kept." if row.cause == "exposed" else "It is not kept."
        yield Step(row.at, "The event that asked", f"{why} Its id is {row.trigger}.", said=said(CAUSES[row.cause]))


def _steps(known: History) -> Iterator[Step]:
    yield from (step_of(event) for event in known.events)
    for approval in known.approvals:
        yield from _decision(approval, known.senders)
    for row in known.causes.rows.values():
        if row.lifted_at:
            words = f"The cause `{row.cause}` was lifted."
            yield Step(row.lifted_at, "Cause lifted", words, row.lifted_by, said=said(CAUSES[row.cause]), id=row.lift)


def _decision(approval: Approval, senders: Mapping[str, Mapping[str, Any]]) -> Iterator[Step]:
    asked = approval.request
    about = f"{asked.kind.replace('_', ' ')} {asked.name or asked.subject}"
    shown = " ".join(asked.shown)
    words = said(DECISIONS)
    yield Step(asked.requested_at, f"Asked: {about}", shown, asked.requested_by, said=words, id=asked.id)
    for vote in approval.votes:
        how = _how(senders.get(vote.id))
        what = "Approved" if vote.verdict == "approve" else "Rejected"
        yield Step(vote.at, f"{what}: {about}", f"{vote.comment} {how}".strip(), vote.by, said=words, id=vote.id)
    if approval.decided_at and approval.state in ("expired", "void", "done", "failed"):
        why = approval.why or "As the outcome's row says."
        yield Step(approval.decided_at, f"Request {approval.state}: {about}", why, said=words, id=f"{asked.id}#end")


def _how(row: Mapping[str, Any] | None) -> str:
    """How the person behind a vote is known."""
    if row is None:
        return "(by an event, or longer ago than clicks are kept)"
    return f"(proven by AWS: {row['arn']})" if row.get("arn") else "(proven by Slack's signature)"


def _at_openrouter(known: History) -> Iterator[str]:
    for hash, key in known.live.items():
        short = hash[:12]
        if key is None:
            yield f"OpenRouter does not know the key {short}: it is deleted, or of another organization."
            continue
        held, cap = known.causes.holds(hash), ""
        if key.limit is not None and key.limit_remaining is not None:
            cap = (
                f"; ${key.limit_remaining:,.2f} of its ${key.limit:,.2f} {key.limit_reset or 'lifetime'} limit are left"
            )
        yield f"OpenRouter says: the key {short} ({key.name}) is {'disabled' if key.disabled else 'enabled'}{cap}."
        if key.disabled and not held and not known.causes.known(hash):
            yield f"Somebody else disabled {short}: Governor leaves it alone. Enable it where it was disabled."
        if held and not key.disabled:
            yield f"A cause holds {short}, which is enabled: somebody did that in OpenRouter, or it is being disabled."


def _in_force(subject: str, policy: Policy) -> Iterator[str]:
    limits, workload = policy.for_subject(subject), policy.workload(subject)
    declared = f"workload {subject}, tier {workload.tier}" if workload else "not declared, so the defaults hold"
    at = limits.budget.disable_at
    yield (
        f"The policy in the folder ({declared}): runaway.mode {limits.runaway.mode}, budget.disable_at "
        f"{'none' if at is None else at}, exposed.mode {limits.exposed.mode}."
    )
