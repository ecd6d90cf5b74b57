"""Giving a workload its former key back by people's decision: who may, what they decide, and what forbids it. Pure.

The approval desk makes the request by these rules, and key retirement holds the decision against them again before it
acts: the policy or the keys may have changed in between.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from governor.approvals.approval import Approval, Kind
from governor.clock import format_instant
from governor.keys.causes import Causes
from governor.keys.lineage import Lineage, LineageKey

if TYPE_CHECKING:
    from governor.policy import Policy, Workload

KIND: Kind = "key_rollback"
COMMAND = "/governor rollback-key"
ACT_WITHIN = timedelta(hours=24)
"""A decision that is carried out later than this surprises people: it is refused, and can be made anew."""
_SHORT = 8
_PROVEN = (
    "The former key is proven to work before the secret changes; one that was disabled for another reason than the "
    "rotation does not come back."
)


@dataclass(frozen=True)
class Obstacle:
    """Why a former key is not given back. `rule` is the same in event, log and document; `why`: for people."""

    rule: str
    why: str


def entitled(policy: "Policy", workload: "Workload") -> tuple[str, ...]:
    """Slack user ids of those who may decide it: the workload's owner, and the policy's approvers."""
    return tuple(dict.fromkeys((workload.owner.slack, *_approvers(policy))))


def needs_approval(workload: "Workload") -> bool:
    """Whether one person is not enough: an approver who did not ask must say yes. Of tier 0, or as the policy says."""
    said = workload.rotation.rollback_needs_approval if workload.rotation else None
    return workload.tier == 0 if said is None else said


def deciders(policy: "Policy", workload: "Workload") -> tuple[str, ...]:
    """Slack user ids of those who are asked."""
    return _approvers(policy) if needs_approval(workload) else entitled(policy, workload)


def former(lineage: Lineage) -> LineageKey | None:
    """The key that was replaced last and is not deleted; an abandoned one, which nobody was given, is none."""
    found = [
        key
        for key in lineage.keys
        if key.state == "quarantined" or (key.state == "overlap" and (key.until is None or key.until > key.since))
    ]
    return max(found, key=lambda key: key.since, default=None)


def obstacle(lineage: Lineage, causes: Causes) -> Obstacle | None:
    """What the ledger says against it, by the first rule that applies; None when nothing does.

    1. `rotation_in_hand`  a rotation is under way: wait for its end
    2. `nothing_left`      there is no former key left to give back
    3. `exposed`           the former key leaked
    4. `lineage_disabled`  a cause holds the lineage disabled
    """
    name, key = lineage.workload, former(lineage)
    if lineage.rotation:
        return Obstacle("rotation_in_hand", f"A rotation of {name} is under way: wait for its end, then ask again.")
    if key is None:
        return Obstacle("nothing_left", f"{name} has no former key left to give back: rotate instead.")
    leak = causes.get("exposed")
    if key.exposed or causes.leaked(key.hash) or (leak and key.hash in leak.hashes):
        return Obstacle("exposed", f"{key.name} was reported as leaked: it never comes back. Rotate instead.")
    if causes.standing():
        standing = ", ".join(sorted(row.cause for row in causes.standing()))
        return Obstacle("lineage_disabled", f"{name} is disabled ({standing}): restore it first.")
    return None


def change(lineage: Lineage, workload: "Workload") -> Mapping[str, object]:
    """What people decide about: which key comes back, and which one goes, by hash and name (empty: there is none)."""
    back, goes = former(lineage), lineage.current
    return {
        "back": back.hash if back else "",
        "back_name": back.name if back else "",
        "goes": goes.hash if goes else "",
        "goes_name": goes.name if goes else "",
        "needs_approval": needs_approval(workload),
    }


def shown(lineage: Lineage) -> tuple[str, ...]:
    """The lines that people read before they decide."""
    back, goes = former(lineage), lineage.current
    lines = []
    if back:
        kept = "disabled, in quarantine" if back.state == "quarantined" else "still enabled"
        lines.append(f"Comes back: {label(back.hash, back.name)}, replaced at {format_instant(back.since)}, {kept}.")
    if goes:
        lines.append(f"Goes: {label(goes.hash, goes.name)}. It is drained as any key that is replaced.")
    return (*lines, _PROVEN)


def label(hash: str, name: str) -> str:
    """A key by its name and the start of its hash."""
    return f"{' '.join(name.split())} ({hash[:_SHORT]}…)"


def refusal(
    grant: Approval, policy: "Policy", workload: "Workload", lineage: Lineage, now: datetime
) -> Obstacle | None:
    """Why the decision is not carried out, by the first rule that applies; None when it is to be.

    1. `not_an_approver`  somebody approved it whom the policy does not name now
    2. `second_yes`       one person is not enough, and no approver but who asked has approved it
    3. `too_late`         it was decided more than a day ago
    4. `changed`          the keys are not those that people decided about
    """
    request, by = grant.request, set(grant.approved_by)
    if not by or not by <= set(entitled(policy, workload)):
        names = ", ".join(sorted(by - set(entitled(policy, workload)))) or "nobody"
        why = f"{names} approved it, who is neither the owner of {workload.name} nor among the policy's approvers."
        return Obstacle("not_an_approver", why)
    if needs_approval(workload) and not (by & set(_approvers(policy))) - {request.requested_by}:
        why = f"A rollback of {workload.name} needs the yes of an approver other than the person who asked."
        return Obstacle("second_yes", why)
    if grant.decided_at is None or now - grant.decided_at > ACT_WITHIN:
        return Obstacle("too_late", "It was decided more than a day ago, and not carried out. Ask again.")
    back, goes = former(lineage), lineage.current
    found = (back.hash if back else "", goes.hash if goes else "")
    if found != (request.change.get("back"), request.change.get("goes")):
        why = (
            f"The keys of {workload.name} have changed since it was decided. Look at the newest message, and ask again."
        )
        return Obstacle("changed", why)
    return None


def _approvers(policy: "Policy") -> tuple[str, ...]:
    return policy.approvals.approvers if policy.approvals else ()
