"""Who is due for a new key, and why. Pure: facts and `now` in, a decision out.

At the daily plan; the first rule that applies decides:
 1. `no_rotation`     the policy does not want the workload's key rotated
 2. `held`            a cause holds the lineage: a new key would revive it
 3. `in_hand`         a rotation is under way already
 4. `overlap`         the last one's old key is still in use: one step at a time
 5. `frozen`          now lies in a freeze
 6. `provision`       it has no key yet
 7. `expiry`          the key expires within `rotation.before_expiry`; it cannot be prolonged
 8. `lifetime`        it never expires, or later than `account.max_key_lifetime`: OpenRouter refuses it
 9. `due`             it is older than `rotation.every`, less the workload's own jitter
10. `not_due`

When a message leaves the queue, or somebody asks at once:
 1. `unknown`         no such workload in the policy, or none with a secret
 2. `another`         a rotation of this workload is under way: asking again would start no second one
 3. `at_once`         as many rotations are under way as the policy allows: come back later; a leak does not wait. For a
                     bulk order those that are stuck do not count (`key_planning.bulk`)
 4. `rotate`
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from governor.keys.bulk_order import order_of
from governor.keys.causes import Causes
from governor.keys.lineage import Lineage, LineageKey, Why
from governor.policy import Policy, Workload
from key_planning import bulk
from key_planning.settings import Due

JITTER = 0.1
"""Share of `rotation.every` over which workloads are spread, so that those declared on one day do not rotate on one."""


@dataclass(frozen=True)
class Planned:
    """`why` is set when the workload is due."""

    rule: str
    why: Why | None = None


@dataclass(frozen=True)
class Ruling:
    """What becomes of one `Due`."""

    action: Literal["rotate", "later", "drop"]
    rule: str
    reason: str = ""


def plan(workload: Workload, lineage: Lineage, causes: Causes, policy: Policy, now: datetime) -> Planned:
    """Whether the workload is due, by the first list."""
    rules = workload.rotation
    if rules is None:
        return Planned("no_rotation")
    if causes.standing():
        return Planned("held")
    if lineage.is_under_way(now):
        return Planned("in_hand")
    if any(key.state == "overlap" for key in lineage.keys):
        return Planned("overlap")
    if any(freeze.start <= now < freeze.end for freeze in policy.rotations.freezes):
        return Planned("frozen")
    current = lineage.current
    if current is None:
        return Planned("provision", "provision")
    if current.expires_at and current.expires_at - now <= rules.before_expiry:
        return Planned("expiry", "expiry")
    if _lives_too_long(current, policy.account.max_key_lifetime):
        return Planned("lifetime", "expiry")
    if now - current.since >= rules.every - jitter(workload.name, rules.every):
        return Planned("due", "due")
    return Planned("not_due")


def _lives_too_long(key: LineageKey, most: timedelta | None) -> bool:
    """A key's `since` is no earlier than its making, so that none is taken for longer-lived than it is."""
    return most is not None and (key.expires_at is None or key.expires_at - key.since > most)


def jitter(name: str, every: timedelta) -> timedelta:
    """The workload's own share of the spread: the same every time."""
    part = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) / 2**32
    return every * JITTER * part


def rule(due: Due, policy: Policy, lineages: Sequence[Lineage], now: datetime) -> Ruling:
    """Whether to rotate now, by the second list."""
    workload = policy.workload(due.workload)
    if workload is None or workload.secret is None:
        return Ruling("drop", "unknown", f"The policy has no workload {due.workload!r} with a secret.")
    under_way = [lineage.workload for lineage in lineages if lineage.is_under_way(now)]
    own = next((lineage for lineage in lineages if lineage.workload == due.workload), None)
    if due.workload in under_way and not (own and own.asked and own.asked.by == due.by):
        return Ruling("drop", "another", f"A rotation of {due.workload} is under way.")
    others = [one for one in lineages if one.workload != due.workload]
    running = bulk.at_once(others, now) if order_of(due.by) else sum(one.is_under_way(now) for one in others)
    if due.why != "exposed" and running >= policy.rotations.at_once:
        return Ruling("later", "at_once", f"{running} rotations are under way; {due.workload} waits its turn.")
    return Ruling("rotate", "rotate")
