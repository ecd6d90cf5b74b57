"""Carries a bulk order on, one turn of its message at a time (decision 54). The event of its grant is a tip.

| effect | dies before | dies after | twice, beside itself |
|---|---|---|---|
| messages to the queue | the message comes back | sent again by the next turn | gate, ruling, token: one rotation |
| `Bulk Rotation Progressed` | told by the next turn | told again under the same id | the same id |
| row of the progress | the turn again | the next turn goes on from it | one write wins, the other comes back |
| `Bulk Rotation Ended` | told by the next turn | told again under the same id | the same id |
| outcome of the request | the next turn ends it | the message is dropped | the first one stands |
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Literal

from governor.approvals.approval import Approval
from governor.events import DetailType, Event, event_id
from governor.events.bulk_evidence import BulkRotation, Laggard, State
from governor.keys.bulk_order import KIND, BulkOrder, Frozen, Word, asker, order_of, token_of
from governor.keys.lineage import Lineage
from key_planning import bulk
from key_planning.bulk import PK, Progress, Turn
from key_planning.ports import Ports
from key_planning.settings import Due, body_of

_WORD_OF: Mapping[State, Word] = {"paused": "pause", "stopped": "stop"}
NAMED = 20
"""Workloads that an event names of each kind."""


def turn(ports: Ports, id: str, lineages: Mapping[str, Lineage]) -> Literal["soon", "later", "over"]:
    """When the order's message is to come back. Raises `LedgerConflict`, `PublishFailed`, `SendFailed`."""
    now, approval, order = ports.clock(), ports.approvals.get(id), ports.orders.get(id)
    if approval is None or approval.request.kind != KIND or approval.state != "granted":
        state = approval.state if approval else "unknown"
        ports.log.info("a bulk order is not carried on", extra={"order": id, "state": state})
        return "over"
    row = ports.lineages.ledger.get(PK, id)
    why = bulk.void(approval, order, ports.policy, now, begun=row is not None)
    if why or order is None or approval.decided_at is None:
        return _void(ports, approval, why)
    before = Progress.of(row) if row else Progress(now, now)
    said, decided = ports.orders.said(id), approval.decided_at
    done = bulk.turn(order, lineages, partial(_holds, ports), ports.policy, before, said, decided, now)
    ports.queue.send([body_of(Due(name, "asked", asker(id))) for name in done.send])
    after = done.progress
    if done.digest != before.told:
        after = replace(after, turns=before.turns + 1, told=done.digest, moved_at=now)
        by = said.by if said and said.word == _WORD_OF.get(done.state) else ""
        ports.bus.publish([_event(ports, approval, order, done, by, (id, after.turns, done.digest))])
    if after != before or row is None:
        ports.lineages.ledger.commit(after.put(id))
    ports.log.info("turn", extra={"order": id, "state": done.state, "sent": len(done.send)})
    if done.state == "ended":
        ports.approvals.finish(id, "done")
        return "over"
    return "later" if done.state == "draining" else "soon"


def gate(ports: Ports, due: Due, lineage: Lineage) -> Literal["go", "later", "drop"]:
    """Whether a bulk order's rotation may begin now: nothing new does once people, or three failures, stopped it."""
    id = order_of(due.by)
    row, said, approval = ports.lineages.ledger.get(PK, id), ports.orders.said(id), ports.approvals.get(id)
    state = Progress.of(row).state if row else "running"
    order = ports.orders.get(id)
    frozen = next((one for one in order.lineages if one.workload == due.workload), None) if order else None
    if approval is None or approval.state != "granted" or frozen is None or (said and said.word == "stop"):
        return _gated(ports, due, "drop", "the order is over")
    noted = lineage.asked is not None and lineage.asked.by == due.by
    if state not in ("running", "paused", "halted") and not (state == "draining" and noted):
        return _gated(ports, due, "drop", "nothing more begins")
    if (said and said.word == "pause") or state in ("paused", "halted"):
        return _gated(ports, due, "later", "the order waits")
    if not _is_wanted(ports, due, frozen, lineage):
        return _gated(ports, due, "drop", "it is replaced, withdrawn, or under way")
    return "drop" if _holds(ports, due.workload) else "go"


def _is_wanted(ports: Ports, due: Due, frozen: Frozen, lineage: Lineage) -> bool:
    """Waiting; or noted as asked for, where Secrets Manager may not have heard of it."""
    stands = bulk.standing(frozen, lineage, order_of(due.by), ports.policy, ports.clock())
    noted = lineage.rotation is None and lineage.asked is not None and lineage.asked.by == due.by
    return stands == "waiting" or (noted and stands in ("running", "failed") and not _made(due, lineage))


def _made(due: Due, lineage: Lineage) -> bool:
    token = token_of(due.workload, due.by)
    return any(key.token == token for key in lineage.keys)


def _gated(ports: Ports, due: Due, what: Literal["later", "drop"], why: str) -> Literal["later", "drop"]:
    ports.log.info("gated", extra={"workload": due.workload, "by": due.by, "gate": what, "reason": why})
    return what


def _holds(ports: Ports, workload: str) -> bool:
    return any(row.cause != "exposed" for row in ports.causes.causes(workload).standing())


def _void(ports: Ports, approval: Approval, why: str) -> Literal["over"]:
    """Told, then noted: nothing was begun."""
    request = approval.request
    evidence = BulkRotation(
        order=request.id,
        name=request.name,
        because=str(request.change.get("because", "")),
        state="void",
        total=0,
        requested_by=request.requested_by,
        approved_by=list(approval.approved_by),
    )
    kind = DetailType.BULK_ROTATION_ENDED
    told = evidence.model_dump(mode="json")
    reason = f"The keys of {request.name} are not replaced any further: {why}."
    ports.bus.publish([Event(kind, event_id(kind, request.id, "void"), request.subject, ports.clock(), reason, told)])
    ports.approvals.finish(request.id, "failed", why)
    return "over"


def _event(
    ports: Ports, approval: Approval, order: BulkOrder, done: Turn, said_by: str, about: tuple[str | int, ...]
) -> Event:
    kind = DetailType.BULK_ROTATION_ENDED if done.state == "ended" else DetailType.BULK_ROTATION_PROGRESSED
    counts = {one: done.named(one) for one in ("rotated", "running", "waiting", "failed", "left")}
    behind = [
        Laggard(name=name, last_used_at=key.seen.last_used_at if key.seen else None)
        for name, key in list(done.behind.items())[:NAMED]
    ]
    evidence = BulkRotation(
        order=order.id,
        name=order.name,
        because=order.because,
        state=done.state,
        total=len(order.lineages),
        rotated=len(counts["rotated"]),
        running=len(counts["running"]),
        waiting=len(counts["waiting"]),
        failed=len(counts["failed"]),
        left=len(counts["left"]),
        behind_count=len(done.behind),
        failing=counts["failed"][:NAMED],
        passed_over=counts["left"][:NAMED],
        behind=behind,
        requested_by=approval.request.requested_by,
        approved_by=list(approval.approved_by),
        said_by=said_by,
    )
    reason = f"{evidence.rotated} of {evidence.total} keys of {order.name} are replaced ({done.state})."
    id = event_id(kind, *about)
    told = evidence.model_dump(mode="json")
    return Event(kind, id, approval.request.subject, ports.clock(), reason, told)
