"""What people read about a member who left the organization, and what they can do about the keys in their name."""

from collections.abc import Iterator
from typing import cast

from governor.member_evidence import DepartedKey, MemberDeparted
from governor.slack import Button, escape
from notifier.case import MAX_KEYS, Case
from notifier.phrases import key_link, local, mention, plain
from notifier.words import ORANGE, Words


def departed(case: Case) -> Words:
    """The words for Member Departed."""
    evidence = cast(MemberDeparted, case.evidence)
    live = [key for key in evidence.keys if not key.disabled]
    who = f"{escape(evidence.member)}{f' ({mention([evidence.slack])})' if evidence.slack else ''}"
    many = "1 key is" if evidence.total == 1 else f"{evidence.total} keys are"
    works = "Nothing was changed: they work on." if live else "None of those shown works any more."
    headline = (
        f"🟠 {who} is no member of the organization any more, and {many} still in their name. {works} "
        f"{case.approvers} must decide."
    )
    return Words(headline, ORANGE, tuple(_facts(case, evidence)), _todo(live), tuple(_buttons(case, live)))


def _facts(case: Case, evidence: MemberDeparted) -> Iterator[str]:
    yield f"*Missing from the list of members since:* {local(evidence.since)}"
    shown = evidence.keys[:MAX_KEYS]
    for key in shown:
        workload = case.policy.workload(key.workload) if key.workload else None
        owner = f", owner {mention([workload.owner.slack])}" if workload else ""
        whose = f"workload {escape(key.workload)}, tier {key.tier}{owner}" if key.workload else "no workload"
        state = ", disabled" if key.disabled else ""
        yield f"• {key_link(key.hash, key.name)}: workspace {escape(key.workspace)}, {whose}{state}"
    if evidence.total > len(shown):
        yield f"and {evidence.total - len(shown)} more keys"
    if evidence.unread:
        places = ", ".join(map(escape, evidence.unread))
        yield f"*Not read whole:* {places}. More keys may be in their name there."


def _todo(live: list[DepartedKey]) -> str:
    if not live:
        return "Delete the keys at OpenRouter when nobody misses them."
    bound = sorted({key.workload for key in live if key.workload and not key.creator})
    undeclared = any(not key.workload for key in live)
    steps = []
    if bound:
        named = ", ".join(f"`{escape(name)}`" for name in bound)
        steps.append(
            f"*Reassign* in the policy, because OpenRouter cannot: set `key.creator_user_id` of {named} to another "
            "member's id, or to `nobody`, and change `owner` where they owned it. Then *rotate*: until it is deployed "
            "the new key would be asked for in the name of the member who left"
        )
    elif any(key.workload for key in live):
        steps.append("*Rotate*: the policy names another creator for the new keys")
    if undeclared:
        steps.append("Declare the keys of no workload (`governor import`), or replace them by hand")
    steps.append("*Disable* what nobody needs: `/governor disable <workload or hash>`")
    return ". ".join(steps) + "."


def _buttons(case: Case, live: list[DepartedKey]) -> Iterator[Button]:
    """For the first key that works: Slack takes each action once in a message. For the others there are commands."""
    if not live:
        return
    key = live[0]
    what = f"{plain(key.workload or key.name)} (workspace {plain(key.workspace)})"
    if key.workload and key.creator:
        confirm = f"Make a new key for {what}, in the name of {plain(key.creator)}? The present key works on meanwhile."
        yield Button(_label("Rotate", key), "rotate", {"subject": key.subject}, confirm=confirm)
    every = "every live key of " if key.workload else ""
    confirm = f"Disable {every}{what} now? Requests fail at once. An approver can restore it."
    yield Button(_label("Disable", key), "disable", {"subject": key.subject}, "danger", confirm)


def _label(deed: str, key: DepartedKey) -> str:
    return f"{deed} {plain(key.workload or key.name or key.hash[:8])}"
