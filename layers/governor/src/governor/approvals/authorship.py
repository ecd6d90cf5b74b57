"""Who made a version of a preset, and how many others must approve it: two people means two. Pure.

The author is who OpenRouter says (`creator_id` of the version), never whom an event, a message or a request names. The
policy's `people` says who that is in Slack. The author may not approve. Where nobody knows the author, so many must
approve (`approvals_if_author_unknown`) that at least one of them is somebody else.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from governor.approvals.approval import Kind
from governor.policy import Policy, Preset

PRESET_ROWS = "preset"
"""The partition of the ledger in which `preset_promotion` keeps a row a preset, by its slug."""
_USER = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True)
class Author:
    """`slack`: the Slack user, empty where nobody knows who it is; `unknown` then says why, as a clause."""

    slack: str = ""
    unknown: str = ""


def author_of(policy: Policy, creator: str | None) -> Author:
    """The author of a version. `creator`: its `creator_id`; None where OpenRouter names none."""
    if not creator:
        return Author(unknown="OpenRouter does not say who saved the version")
    slack = policy.slack_user_of(creator)
    if slack:
        return Author(slack)
    shown = creator if _USER.fullmatch(creator) else "the user of an id that cannot be shown"
    return Author(unknown=f"the policy's people does not say who {shown} is in Slack")


def author_of_edit(policy: Policy, row: Mapping[str, Any] | None, kind: Kind, version: str = "") -> Author | None:
    """The author of an edit that nobody approved and that the order would have production serve; None where there is
    none: a revert restores what was promoted, and a rollback as a rule what was served by a decision before.

    `row`: the preset's, as `preset_promotion` keeps it. `version`: of production, which an adoption is about.
    """
    held = row or {}
    if kind == "adopt":
        edit = held.get("edit") or [0, "", None]
        return author_of(policy, edit[2] if str(edit[0]) == version else None)
    served = held.get("served")
    if kind == "rollback" and served and not served.get("former_approved", True):
        return author_of(policy, served["former"][2])
    return None


def approvals_needed(preset: Preset, author: Author | None) -> int:
    """How many must approve a version of this author, or an order about a version that somebody else asks for."""
    unknown = author is not None and author.unknown
    return max(preset.approvals, preset.approvals_if_author_unknown) if unknown else preset.approvals


def approvals_of_order(preset: Preset, author: Author | None) -> int:
    """How many approvers it takes to roll back, adopt or revert, the one who orders it included.

    One may at once, since what is served again was approved, or since its author is another; where nobody knows the
    author of an edit, a second must approve it.
    """
    return preset.approvals_if_author_unknown if author is not None and author.unknown else 1


def who_may_approve(preset: Preset, barred: Iterable[str]) -> tuple[str, ...]:
    """The preset's approvers without those who are barred, in the policy's order."""
    return tuple(one for one in dict.fromkeys(preset.approvers) if one not in set(barred))


def missing(preset: Preset, needed: int, approved_by: Iterable[str], barred: Mapping[str, str]) -> str:
    """What these approvals lack, as a clause; empty where they suffice.

    `barred`: why somebody may not approve, by Slack user. An approval of somebody who may not give it is never passed
    over: whoever counted it went by another rule, so nothing is done on the strength of the rest.
    """
    voters = tuple(dict.fromkeys(approved_by))
    allowed = who_may_approve(preset, barred)
    wrong = [f"{one} {barred.get(one, 'is not among the approvers that the policy names')}" for one in voters]
    wrong = [why for one, why in zip(voters, wrong, strict=True) if one not in allowed]
    counted = [one for one in voters if one in allowed]
    if wrong:
        return f"{' and '.join(wrong)}, and so may not approve it"
    if len(counted) < needed:
        by = f" ({', '.join(counted)})" if counted else ""
        return f"{needed} {'approval is' if needed == 1 else 'approvals are'} needed, and {len(counted)} counted{by}"
    return ""
