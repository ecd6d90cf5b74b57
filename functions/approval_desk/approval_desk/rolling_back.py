"""A command to give a workload its former key back: what people are asked, or why they are not. Pure.

In this order, the first that applies decides:
 1. `unknown`, `no_secret`   the policy has no such workload, or none with a secret
 2. `rotation_in_hand`, `nothing_left`, `exposed`, `lineage_disabled`   what `governor.keys.rollback` says of the rows
 3. `changed`                the button is about other keys than those that would come back and go now
 4. `no_approvers`           one person is not enough, and the policy names nobody who could approve
Otherwise the workload's owner or an approver has it done at once, and anybody else asks them. Where one person is not
enough (tier 0, or `rotation.rollback_needs_approval`), an approver who did not ask must say yes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from approval_desk.parsing import Command, nearest
from governor.approvals.approval import Request
from governor.keys import rollback as key_rollback
from governor.keys.causes import Causes
from governor.keys.lineage import Lineage
from governor.keys.rollback import Obstacle
from governor.policy import Policy


@dataclass(frozen=True)
class Wanted:
    """What the request is made of: `deciders` are its approvers."""

    change: Mapping[str, Any]
    shown: tuple[str, ...]
    deciders: tuple[str, ...]


def wanted(command: Command, policy: Policy, lineage: Lineage, causes: Causes) -> Wanted | Obstacle:
    """What to ask, by the rules above."""
    workload = policy.workload(command.subject)
    if workload is None:
        near = nearest(command.subject, [one.name for one in policy.workloads])
        return Obstacle("unknown", f"The policy has no workload {command.subject[:80]}.{near}")
    if workload.secret is None:
        return Obstacle("no_secret", f"{workload.name} has no secret in the policy, so Governor gave it no key.")
    in_the_way = key_rollback.obstacle(lineage, causes)
    if in_the_way:
        return in_the_way
    change = key_rollback.change(lineage, workload)
    if any(change[name] != command.detail[name] for name in ("back", "goes") if name in command.detail):
        return Obstacle("changed", f"The keys of {workload.name} have changed since this message: use the newest one.")
    deciders = key_rollback.deciders(policy, workload)
    if not deciders:
        return Obstacle("no_approvers", f"A rollback of {workload.name} needs an approver, and the policy names none.")
    return Wanted(change, key_rollback.shown(lineage), deciders)


def said(asked: Request) -> str:
    """Which key comes back and which one goes, to the person who wants it."""
    back, goes = (
        key_rollback.label(f"{asked.change[name]}", f"{asked.change[f'{name}_name']}") if asked.change[name] else ""
        for name in ("back", "goes")
    )
    return f"{asked.subject} is to get {back} back{f' in place of {goes}' if goes else ''}."
