"""Lifts one cause at a person's request, and gives the keys back when it was the last."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from governor.events import UNNAMED, DetailType, Event, event_id
from governor.events.evidence import KeyOutcome, Restore
from governor.keys.causes import CauseRow, Causes, union
from governor.keys.owners import owners
from governor.keys.reconcile import outcome, settle
from governor.ledger import LedgerConflict
from kill_switch.lifting import RestoreDecision, RestoreFacts, decide_restore
from kill_switch.ports import Account, Ports
from kill_switch.settings import RestoreRequest
from kill_switch.truth import Truth


def restore(ports: Ports, account: Account, request: RestoreRequest) -> Event:
    """Carries the request out; the event that answers it. Raises `LedgerConflict`: decide again."""
    subject = _filed_under(ports, account, request.event.subject)
    approvals = ports.policy.approvals
    causes, believed = ports.store.causes(subject), request.proven or ports.policy.believes_events
    facts = RestoreFacts(
        replace(request.event, subject=subject),
        request.cause,
        _known(request, causes, believed=believed),
        approvals.approvers if approvals else (),
        causes,
        believed=believed,
    )
    decision = decide_restore(facts)
    ports.log.info(decision.reason, extra={"rule": decision.rule, "action": decision.action})
    row = decision.row
    if row is None:
        return _answer(DetailType.RESTORE_REFUSED, facts, decision, (), ports.clock())
    match decision.action:
        case "restore":
            return _give_back(ports, account, facts, decision, row)
        case "lift":
            return _lift(ports, account, facts, decision, row)
        case _:
            return row.told or _answer(DetailType.RESTORE_REFUSED, facts, decision, (), ports.clock())


def _known(request: RestoreRequest, causes: Causes, *, believed: bool) -> str:
    """Who lifts the cause, as far as it is known; of a restore in hand, who began it, whoever chose that id."""
    row = causes.get(request.cause)
    if row and row.lift == request.event.id and row.lifted_by:
        return row.lifted_by
    return request.requested_by if believed else UNNAMED


def _filed_under(ports: Ports, account: Account, subject: str) -> str:
    """The subject as its causes are filed: a key's hash may be of a declared workload."""
    if ports.policy.workload(subject) or ports.store.causes(subject).rows:
        return subject
    return Truth(ports.policy, owners(ports.store.ledger)).read(account, subject).subject


def _give_back(ports: Ports, account: Account, facts: RestoreFacts, decision: RestoreDecision, row: CauseRow) -> Event:
    if row.status != "lifting":
        now = ports.clock()
        row = ports.store.intend_lift(_by(facts, row, now), now)
    settled = settle(account, ports.store, row.subject, row.hashes)
    if settled.causes.standing():
        raise LedgerConflict(f"a cause of {row.subject} arose while keys were being enabled")
    outcomes = [outcome(hash, settled.keys.get(hash), settled.causes) for hash in row.hashes]
    told = _answer(DetailType.KEY_RESTORED, facts, decision, outcomes, ports.clock())
    ports.store.write(replace(row, status="lifted", told=told))
    return told


def _lift(ports: Ports, account: Account, facts: RestoreFacts, decision: RestoreDecision, row: CauseRow) -> Event:
    """The cause goes; its keys pass to one that stands, so that lifting the last gives all of them back."""
    now = ports.clock()
    if row.status == "lifting":
        # A cause arose after this restore began to enable keys: disable them again before anything is told.
        settle(account, ports.store, row.subject, row.hashes)
    else:
        row = _by(facts, row, now)
    told = _answer(DetailType.RESTORE_REFUSED, facts, decision, (), now)
    heir = decision.others[0]
    ports.store.write(replace(row, status="lifted", told=told), replace(heir, hashes=union(heir.hashes, row.hashes)))
    return told


def _by(facts: RestoreFacts, row: CauseRow, now: datetime) -> CauseRow:
    return replace(row, status="lifting", lift=facts.event.id, lifted_by=facts.requested_by, lifted_at=now, told=None)


def _answer(
    kind: DetailType, facts: RestoreFacts, decision: RestoreDecision, keys: Sequence[KeyOutcome], now: datetime
) -> Event:
    row = decision.row
    name = str(row.told.evidence.get("name", facts.event.subject)) if row and row.told else facts.event.subject
    standing = decision.others or facts.causes.standing() if kind == DetailType.RESTORE_REFUSED else ()
    evidence = Restore(
        name=name,
        cause=facts.cause,
        requested_by=facts.requested_by,
        rule=decision.rule,
        keys=list(keys),
        standing=sorted({other.cause for other in standing}),
    )
    return Event(
        kind,
        event_id(kind, facts.event.id),
        facts.event.subject,
        now,
        decision.reason,
        evidence.model_dump(mode="json"),
    )
