"""How many must approve an order about what production serves. Pure."""

from governor.approvals.authorship import Author, approvals_needed, approvals_of_order, who_may_approve
from governor.policy import Preset


def needed_of(preset: Preset, author: Author | None, by: str, votes: bool = True) -> tuple[int, str]:
    """How many approvals the command of `by` takes, and what to tell them where the preset has too few approvers.

    `author`: of an edit that nobody approved and that production would serve. An approver's own command is one of the
    approvals, unless the edit is theirs. Without `votes` it is so only where it is the only one that is needed.
    """
    maker = author.slack if author else ""
    orders = by in who_may_approve(preset, (maker,))
    if orders and not votes and approvals_of_order(preset, author) > 1:
        orders = False
    needed = approvals_of_order(preset, author) if orders else approvals_needed(preset, author)
    others = who_may_approve(preset, (by, maker))
    if len(others) + orders >= needed:
        return needed, ""
    return needed, (
        f"It takes {needed} of the preset's approvers, and without you and whoever saved that version there are "
        f"{len(others)}. Let another approver click it."
    )
