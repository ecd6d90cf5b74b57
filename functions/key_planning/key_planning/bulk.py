"""How far a bulk order is, and what begins next. Pure: the frozen list and the rows in, a turn out.

Where a lineage stands; the first rule that applies decides:
 1. `rotated`   a rotation has put another key into the place of the frozen one, whoever asked for it
 2. `left`      the policy has no such workload with a secret any more, or (as far as it was looked) a cause holds it
 3. `failed`    this order's key was withdrawn or given back, or its rotation has not ended after `STUCK`
 4. `running`   a rotation is under way, this order's or another's
 5. `waiting`
Where the order stands:
 1. `draining`, then `ended`   nothing is to begin and nothing runs; ended when each overlap is over, and whatever is
                stuck has had its day: Secrets Manager may finish it yet
 2. `stopped`   a person stopped it, or it is older than `LASTS`
 3. `paused`    a person's word
 4. `halted`    `HALT_AFTER` more failed than when an approver last resumed it
 5. `running`
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from governor.approvals.approval import Approval
from governor.clock import format_instant, parse_instant
from governor.events.bulk_evidence import State
from governor.keys.bulk_order import APPROVALS, BulkOrder, Frozen, Said, asker, entitled, token_of
from governor.keys.lineage import Lineage, LineageKey
from governor.ledger import ABSENT, Put, Row
from governor.policy import Policy

Standing = Literal["rotated", "left", "failed", "running", "waiting"]
STUCK = timedelta(minutes=15)
"""The four steps take seconds; Secrets Manager's own retries may fix it later, and then it counts as rotated."""
ACT_WITHIN = timedelta(hours=6)
"""A yes on which nothing was begun by then surprises people."""
LASTS = timedelta(days=3)
HALT_AFTER = 3
AGAIN = timedelta(minutes=30)
"""Without any change for so long what waits is sent once more: a message may have been lost."""
GRACE = timedelta(minutes=30)
"""After an overlap's end `key_retirement` has looked at the key by then, and has disabled it if it was quiet."""
PK = "bulk"
KEPT = timedelta(days=400)


@dataclass(frozen=True)
class Progress:
    """The ledger's row of an order. `sent`: how many of the list were put on the queue; `turns`: how often people were
    told, and `told` of what, as a digest; `forgiven`: how many had failed at the resume number `resumed`."""

    begun_at: datetime
    moved_at: datetime
    sent: int = 0
    turns: int = 0
    told: str = ""
    state: State = "running"
    forgiven: int = 0
    resumed: int = 0
    version: int = ABSENT

    def put(self, id: str) -> Put:
        data = {
            "begun_at": format_instant(self.begun_at),
            "moved_at": format_instant(self.moved_at),
            "sent": self.sent,
            "turns": self.turns,
            "told": self.told,
            "state": self.state,
            "forgiven": self.forgiven,
            "resumed": self.resumed,
        }
        return Put(PK, id, data, self.version, self.begun_at + KEPT)

    @classmethod
    def of(cls, row: Row) -> "Progress":
        at = {name: parse_instant(row.data[name]) for name in ("begun_at", "moved_at")}
        data: dict[str, Any] = {**row.data, **at}
        return cls(**data, version=row.version)


@dataclass(frozen=True)
class Turn:
    """`send`: workloads to put on the queue now. `standings`: of each lineage, in order. `behind`: replaced keys that
    still work, by workload. `progress`: as it is to be written, but for what is told."""

    state: State
    send: tuple[str, ...]
    standings: Mapping[str, Standing]
    behind: Mapping[str, LineageKey]
    progress: Progress

    def named(self, standing: Standing) -> list[str]:
        return [name for name, one in self.standings.items() if one == standing]

    @property
    def digest(self) -> str:
        """Of what people would be told."""
        held = [self.state, self.standings, sorted(self.behind), self.progress.resumed]
        return hashlib.sha256(json.dumps(held).encode()).hexdigest()[:16]


def void(approval: Approval, order: BulkOrder | None, policy: Policy, now: datetime, *, begun: bool) -> str:
    """Why nothing may be done on this yes; empty where it may. What has begun needs the list only."""
    request = approval.request
    if order is None or order.digest != request.change.get("lineages"):
        return "the list that was approved is not the one that is stored"
    if begun:
        return ""
    decided = approval.decided_at
    if decided is None or now - decided > ACT_WITHIN:
        return "it was approved more than six hours ago, and nothing had begun"
    approvers = policy.approvals.approvers if policy.approvals else ()
    found = entitled(approvers, approval.approved_by, request.requested_by)
    if len(found) < APPROVALS:
        return f"it takes {APPROVALS} of the policy's approvers who did not ask, and {len(found)} of those approved it"
    return ""


def standing(frozen: Frozen, lineage: Lineage, order: str, policy: Policy, now: datetime) -> Standing:
    """By the first list. What causes hold is not looked at here."""
    if frozen.is_replaced(lineage):
        return "rotated"
    workload = policy.workload(frozen.workload)
    if workload is None or workload.secret is None:
        return "left"
    by = asker(order)
    token = token_of(frozen.workload, by)
    if any(key.token == token and key.state not in ("pending", "current") for key in lineage.keys):
        return "failed"
    if lineage.is_under_way(now, STUCK):
        return "running"
    own = (lineage.rotation and lineage.rotation.token == token) or (lineage.asked and lineage.asked.by == by)
    return "failed" if own else "waiting"


def turn(
    order: BulkOrder,
    lineages: Mapping[str, Lineage],
    holds: Callable[[str], bool],
    policy: Policy,
    progress: Progress,
    said: Said | None,
    decided_at: datetime,
    now: datetime,
) -> Turn:
    """What to send and how the order stands. `holds`: whether a cause other than a leak holds a workload; asked only
    of those that were sent or would be next."""
    rows = {one.workload: lineages.get(one.workload, Lineage(one.workload)) for one in order.lineages}
    found = {one.workload: standing(one, rows[one.workload], order.id, policy, now) for one in order.lineages}
    if now - progress.moved_at > AGAIN:
        progress = replace(progress, sent=0, moved_at=now)
    names, room = list(found), 2 * policy.rotations.at_once + 10
    queued, sent = 0, progress.sent
    send: list[str] = []
    for at, name in enumerate(names):
        if at >= progress.sent and queued + len(send) >= room:
            break
        sent = max(sent, at + 1)
        if found[name] != "waiting":
            continue
        if holds(name):
            found[name] = "left"
        elif at < progress.sent:
            queued += 1
        else:
            send.append(name)
    failed = sum(one == "failed" for one in found.values())
    if said and said.word == "resume" and said.turn != progress.resumed:
        progress = replace(progress, forgiven=failed, resumed=said.turn)
    behind = dict(_behind(order, rows, found))
    drains = any((key.until or key.since) + GRACE > now for key in behind.values())
    drains = drains or any(rows[name].is_under_way(now) for name, one in found.items() if one == "failed")
    state = _state(list(found.values()), drains, failed - progress.forgiven, said, now - decided_at > LASTS)
    if state != "running":
        return Turn(state, (), found, behind, replace(progress, state=state))
    return Turn(state, tuple(send), found, behind, replace(progress, state=state, sent=sent))


def _behind(
    order: BulkOrder, rows: Mapping[str, Lineage], found: Mapping[str, Standing]
) -> Iterator[tuple[str, LineageKey]]:
    for one in order.lineages:
        old = one.old(rows[one.workload]) if found[one.workload] == "rotated" else None
        if old and old.state == "overlap":
            yield one.workload, old


def _state(counts: Sequence[Standing], drains: bool, failed: int, said: Said | None, over: bool) -> State:
    word = said.word if said else ""
    stopped = word == "stop" or over
    if "running" not in counts and (stopped or "waiting" not in counts):
        return "draining" if drains else "ended"
    if stopped:
        return "stopped"
    if word == "pause":
        return "paused"
    return "halted" if failed >= HALT_AFTER else "running"


def at_once(others: Sequence[Lineage], now: datetime) -> int:
    """How many of these rotations keep a bulk order's next one waiting: one that is stuck does not, it was counted."""
    return sum(one.is_under_way(now, STUCK) for one in others)
