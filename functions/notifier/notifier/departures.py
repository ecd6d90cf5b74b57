"""What people read about a member who left the organization, and what they can do about the keys in their name."""

from collections.abc import Iterator
from typing import cast

from governor.events.member_evidence import MOST_KEYS, DepartedKey, MemberDeparted
from governor.slack.channel import Button, escape
from notifier import buttons
from notifier.case import MAX_KEYS, Case
from notifier.phrases import key_link, local, mention
from notifier.words import ORANGE, Words

DISABLES = 4
"""Buttons that disable a key; of the others the commands are told."""


def departed(case: Case) -> Words:
    """The words for Member Departed."""
    evidence = cast(MemberDeparted, case.evidence)
    live = [key for key in evidence.keys if not key.disabled]
    who = f"{escape(evidence.member)}{f' ({mention([evidence.slack])})' if evidence.slack else ''}"
    many = "1 key is" if evidence.total == 1 else f"{evidence.total} keys are"
    works = "Nothing was changed: they work on." if live else "None of those shown works any more."
    headline = (
        f"🟠 {who} is not a member of the organization any more, and {many} still in their name. {works} "
        f"{case.approvers} must decide."
    )
    return Words(
        headline, ORANGE, tuple(_facts(case, evidence)), _todo(evidence, live), tuple(_buttons(case, evidence, live))
    )


def _facts(case: Case, evidence: MemberDeparted) -> Iterator[str]:
    yield f"*Missing from the list of members since:* {local(evidence.since)}"
    shown = evidence.keys[:MAX_KEYS]
    for key in shown:
        workload = case.policy.workload(key.workload) if key.workload else None
        owner = f", owner {mention([workload.owner.slack])}" if workload else ""
        belongs_to = f"workload {escape(key.workload)}, tier {key.tier}{owner}" if key.workload else "no workload"
        state = ", disabled" if key.disabled else ""
        yield f"• {key_link(key.hash, key.name)}: workspace {escape(key.workspace)}, {belongs_to}{state}"
    if evidence.total > len(shown):
        yield f"and {evidence.total - len(shown)} more keys"
    if evidence.unread:
        places = ", ".join(map(escape, evidence.unread))
        yield f"*Not read whole:* {places}. More keys may be in their name there."


def _todo(evidence: MemberDeparted, live: list[DepartedKey]) -> str:
    if not live:
        return "Delete the keys at OpenRouter when nobody misses them."
    bound = sorted({key.workload for key in live if key.workload and not key.creator})
    steps = []
    if bound:
        named = ", ".join(f"`{escape(name)}`" for name in bound[:MAX_KEYS])
        more = f" and {len(bound) - MAX_KEYS} more" if len(bound) > MAX_KEYS else ""
        steps.append(
            "*Reassign* them in the policy, because OpenRouter changes no key's creator: set `key.creator_user_id` of "
            f"{named}{more} to another member's id, or to `nobody`, and `owner` where it was theirs. Deploy it"
        )
    if any(key.workload for key in live):
        steps.append("*Rotate*: two approvers who did not ask decide, and the old keys work on in their overlaps")
        if evidence.total > MOST_KEYS:
            steps.append(
                f"That replaces keys among the first {MOST_KEYS}; for the others use `/governor rotate workspace`, "
                "which takes all keys of a workspace"
            )
    if any(not key.workload for key in live):
        steps.append("Keys of no workload: declare them (`governor import`), or replace them by hand")
    steps.append("*Disable* what nobody needs; `/governor disable <workload or hash>` disables what has no button here")
    return ". ".join(steps) + "."


def _buttons(case: Case, evidence: MemberDeparted, live: list[DepartedKey]) -> Iterator[Button]:
    workloads = {key.workload for key in live if key.workload}
    if workloads:
        yield buttons.rotate_departed(case, evidence, len(workloads))
    subjects = {key.subject: key for key in reversed(_least(live))}
    yield from [buttons.disable_departed(key) for key in reversed(subjects.values())][:DISABLES]


def _least(live: list[DepartedKey]) -> list[DepartedKey]:
    """What can be spared first: keys of no workload, then the least important tier."""
    return sorted(live, key=lambda key: (key.tier is not None, -(key.tier or 0)))
