"""What stands in a Home, one item each: a text, and the buttons that a message about it has. Pure.

A request is shown with all that its decision is about, or without buttons: a decision is bound to what people saw. What
a button does and who may press it is the approval desk's affair, as under a message.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from governor.approvals.approval import Approval, Request
from governor.approvals.wording import deed
from governor.keys.causes import CauseRow
from governor.keys.lineage import Lineage
from governor.keys.rollback import former, label, obstacle
from governor.slack.channel import Button
from governor.slack.text import clip, escape, mention, plain
from slack_home.facts import Budget, Facts

Part = Literal["Disabled", "Waiting for a decision", "Over budget", "In rotation"]
MAX_TEXT = 1500
"""Characters of an item."""


@dataclass(frozen=True)
class Item:
    """`own`: it is about the person's own workload, or waits for their decision."""

    part: Part
    text: str
    buttons: tuple[Button, ...] = ()
    own: bool = False


def items(facts: Facts, user: str) -> list[Item]:
    """Everything there is, in the order of the parts."""
    return [*_disabled(facts, user), *_waiting(facts, user), *_over(facts, user), *_turning(facts, user)]


def _disabled(facts: Facts, user: str) -> Iterator[Item]:
    for subject, causes in sorted(facts.causes.items()):
        for row in causes.standing():
            why = f" {row.told.reason}" if row.told else ""
            text = f"*{escape(subject)}* is disabled for {row.cause} since {_when(row.at)}.{escape(why)}"
            yield Item("Disabled", clip(text, MAX_TEXT), (_restore(subject, row),), facts.owner(subject) == user)


def _restore(subject: str, row: CauseRow) -> Button:
    question = (
        f"Lift the cause {row.cause} of {clip(plain(subject), 48)} and enable its keys again? What is enabled can "
        "spend at once."
    )
    return Button("Restore key", "restore", {"subject": subject, "cause": row.cause}, confirm=question)


def _waiting(facts: Facts, user: str) -> Iterator[Item]:
    for one in sorted(facts.pending, key=lambda each: each.request.requested_at):
        request = one.request
        name = clip(plain(request.name or request.subject), 48)
        asked = deed(request.kind, name, request.change.get("cause"))
        several = f" {len(one.approved_by)} of {request.needed} approvals are in." if request.needed > 1 else ""
        lines = [f"• {escape(line)}" for line in request.shown]
        head = f"{mention(request.requested_by)} asks to *{escape(asked)}*, until {_when(request.expires_at)}.{several}"
        text = "\n".join([head, *lines])
        whole = request.file is None and len(text) <= MAX_TEXT
        if not whole:
            text = f"{head}\nIt is more than fits here: decide under its message in the channel."
        mine = _may(one, user) or facts.owner(request.subject) == user
        yield Item("Waiting for a decision", clip(text, MAX_TEXT), _decide(request, asked) if whole else (), mine)


def _may(one: Approval, user: str) -> bool:
    """Whether the person's word is asked for."""
    request = one.request
    return user in request.approvers and user not in (request.requested_by, request.author, *one.approved_by)


def _decide(request: Request, asked: str) -> tuple[Button, ...]:
    value = {"approval": request.id, "digest": request.digest}
    question = f"Do you approve this request: {plain(asked)}?"
    return Button("Approve", "approve", value, "primary", question), Button("Reject", "reject", value, "danger")


def _over(facts: Facts, user: str) -> Iterator[Item]:
    for budget in sorted(facts.budgets, key=lambda one: (one.name, one.scope)):
        if budget.is_over:
            owner = facts.owner(budget.subject)
            yield Item("Over budget", _spent(budget), _stop(budget) if owner else (), owner == user)


def _spent(budget: Budget) -> str:
    share = f", {budget.spent_usd / budget.limit_usd:.0%}" if budget.limit_usd else ""
    ends = f" It begins anew {_when(budget.resets_at)}." if budget.resets_at else ""
    return (
        f"*{escape(budget.name)}* has spent ${budget.spent_usd:,.2f} of its {escape(budget.period)} "
        f"${budget.limit_usd:,.2f}{share}, as of {_when(budget.at)}.{ends}"
    )


def _stop(budget: Budget) -> tuple[Button, ...]:
    question = (
        f"Disable every live key of {clip(plain(budget.subject), 48)} now? Requests fail at once. An approver can "
        "restore it."
    )
    return (Button("Disable key", "disable", {"subject": budget.subject}, "danger", question),)


def _turning(facts: Facts, user: str) -> Iterator[Item]:
    for lineage in sorted(facts.lineages, key=lambda one: one.workload):
        overlap = [key for key in lineage.keys if key.state == "overlap"]
        if not lineage.rotation and not overlap:
            continue
        name = f"*{escape(lineage.workload)}*"
        if lineage.rotation:
            text = f"{name} is getting a new key ({lineage.rotation.why}), since {_when(lineage.rotation.started_at)}."
        else:
            text = f"{name} has a new key; the former one still works."
        yield Item("In rotation", text, _back(facts, lineage), facts.owner(lineage.workload) == user)


def _back(facts: Facts, lineage: Lineage) -> tuple[Button, ...]:
    """Bound to both keys, as under the message; none where the ledger says that the former one cannot come back."""
    workload, causes = facts.policy.workload(lineage.workload), facts.causes.get(lineage.workload)
    key, goes = former(lineage), lineage.current
    if workload is None or workload.secret is None or causes is None or key is None or obstacle(lineage, causes):
        return ()
    value = {"subject": lineage.workload, "back": key.hash} | ({"goes": goes.hash} if goes else {})
    instead = f" in place of {label(goes.hash, clip(plain(goes.name), 48))}" if goes else ""
    name = clip(plain(lineage.workload), 48)
    question = f"Give {name} its former key {label(key.hash, clip(plain(key.name), 48))} back{instead}?"
    return (Button("Roll back", "rollback-key", value, "danger", question),)


def _when(at: datetime) -> str:
    """A moment that Slack shows in the reader's own time zone."""
    told = f"{at.astimezone(UTC):%-d %b %H:%M} UTC"
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{told}>"
