"""What to say about an event: pure, from the incident as it is remembered, the event, and the policy."""

from dataclasses import dataclass, replace

from governor.events import DetailType, Event
from governor.policy import Policy
from governor.slack.channel import Message, escape
from notifier.case import figures
from notifier.incident import Incident
from notifier.kinds import concerns_keys, evidence_of, is_halted
from notifier.phrases import KEYS_PAGE, local
from notifier.truth import Doubt
from notifier.wording import words
from notifier.words import ORANGE, Words, sections_of

MAIL_WHEN_DOWN = 3
"""Deliveries of an event after which mail takes over while Slack does not answer."""
MAIL_WHEN_LIMITED = 6
"""The same while Slack only asks to wait: it is up, and a queue is better than a flood of mail."""

_REPLIES = frozenset(DetailType) - {
    DetailType.RUNAWAY_SUSPECTED,
    DetailType.RUNAWAY_ENDED,
    DetailType.ROTATION_STARTED,
    DetailType.BULK_ROTATION_PROGRESSED,
}
_ACT = frozenset(
    {
        DetailType.KEY_DISABLED,
        DetailType.DISABLE_WITHHELD,
        DetailType.KEY_EXPOSED,
        DetailType.MONITOR_BLIND,
        DetailType.BUDGET_THRESHOLD_REACHED,
        DetailType.ROTATION_FAILED,
        DetailType.BULK_ROTATION_ENDED,
        DetailType.DRAIN_BLOCKED,
        DetailType.CREDENTIAL_UNHEALTHY,
        DetailType.CREDITS_LEAK_SUSPECTED,
        DetailType.DRILL_FAILED,
        DetailType.APPROVAL_REQUESTED,
        DetailType.PRESET_PROMOTION_FAILED,
        DetailType.PRESET_DRIFTED,
        DetailType.FORGERY_SUSPECTED,
    }
)
_DOUBTS: dict[Doubt, str] = {
    "unrecorded": "Governor's ledger does not hold this event, so somebody may have forged it.",
    "older": "Governor's ledger does not hold this event, which says that it is from before Governor stored them.",
}
PICTURED = frozenset(
    {
        DetailType.RUNAWAY_SUSPECTED,
        DetailType.RUNAWAY_CONFIRMED,
        DetailType.RUNAWAY_ENDED,
        DetailType.KEY_DISABLED,
        DetailType.DISABLE_WITHHELD,
        DetailType.KEY_RESTORED,
        DetailType.BUDGET_THRESHOLD_REACHED,
        DetailType.DRAIN_BLOCKED,
        DetailType.CREDITS_LEAK_SUSPECTED,
        DetailType.CREDITS_LEAK_ENDED,
    }
)
"""After these an incident's picture is drawn, or drawn anew (`incident_picture`, which may find nothing to draw)."""
_MEASURED = frozenset(
    {
        DetailType.RUNAWAY_SUSPECTED,
        DetailType.RUNAWAY_CONFIRMED,
        DetailType.RUNAWAY_ENDED,
        DetailType.KEY_DISABLED,
        DetailType.DISABLE_WITHHELD,
    }
)


@dataclass(frozen=True)
class Decision:
    """`incident` with the event in it; `parent`: how its thread's first message should read from now on.

    `notice`: the event by itself, for mail, and for the thread if `reply`; `broadcast` shows it in the channel too.
    """

    incident: Incident
    parent: Message
    notice: Message
    reply: bool
    broadcast: bool
    reason: str


def decide(remembered: Incident, event: Event, policy: Policy, doubt: Doubt | None = None) -> Decision:
    """Post the parent, or bring it up to date; a severe step is said in the thread as well. Raises `BadEvent`.

    `doubt`: why the event is not confirmed; it then stands in an incident of its own, without buttons.
    """
    incident = remembered.joined(event)
    late = incident.is_late(event)
    known = figures(incident.steps or (event,))
    own = words(event, policy, figures((event,)) if late else known)
    lead = incident.lead
    current = words(lead, policy, known)
    if doubt:
        own = current = unconfirmed(own, doubt)
    if late:
        own = replace(
            own, headline=f"Late, of an earlier incident ({local(event.occurred_at)}): {own.headline}", todo=""
        )
    notice = _message(own, known.bars if event.detail_type in _MEASURED and not late else "", (_source(event),))
    history = " → ".join(f"{local(step.occurred_at)} {step.detail_type}" for step in incident.steps)
    link = f"<{KEYS_PAGE}|All keys at OpenRouter> · " if concerns_keys(incident.key) else ""
    context = (history, f"{link}{_source(lead)}")
    # Buttons stand under the parent only: it is brought up to date, and a note in the thread is not.
    parent = replace(_message(current, known.bars, context), actions=current.actions)
    return Decision(
        incident,
        parent,
        notice,
        reply=late or event.detail_type in _REPLIES or is_halted(event),
        broadcast=not late and lead.id == event.id and (event.detail_type in _ACT or is_halted(event)),
        reason="belongs to an earlier incident" if late else f"the incident stands at {lead.detail_type}",
    )


def give_up_on_slack(deliveries: int, *, limited: bool) -> bool:
    """Slack has had its chances with this event; mail says it now."""
    return deliveries >= (MAIL_WHEN_LIMITED if limited else MAIL_WHEN_DOWN)


def unconfirmed(said: Words, doubt: Doubt) -> Words:
    """The words of an event that the ledger does not hold: no button, no advice, and a first line that says so."""
    headline = f"⚠ *Not confirmed.* {_DOUBTS[doubt]} It says: {said.headline}"
    todo = (
        "Do not act on this message. Look at what it is about yourself, with `/governor status` or at OpenRouter: "
        "docs/operations.md, “A message is not confirmed”."
    )
    return Words(headline, ORANGE, said.facts, todo)


def _source(event: Event) -> str:
    """Small print for whoever looks the event up: the rule that decided, where the evidence has one, and the id."""
    rule = getattr(evidence_of(event), "rule", "")
    return f"rule `{escape(rule)}` · event {event.id}" if rule else f"event {event.id}"


def _message(said: Words, spend: str, context: tuple[str, ...]) -> Message:
    todo = f"*What to do:* {said.todo}" if said.todo else ""
    sections = tuple(text for text in (spend, *sections_of(said.facts), todo) if text)
    return Message(said.headline, said.color, sections, context)
