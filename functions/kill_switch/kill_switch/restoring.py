"""Lifts one cause at a person's request, and gives the keys back when it was the last."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from governor.causes import CauseRow, Causes, union
from governor.events import UNNAMED, DetailType, Event, event_id
from governor.evidence import KeyOutcome, Restore
from governor.ledger import LedgerConflict
from governor.owners import owners
from governor.settling import outcome, settle
from kill_switch.lifting import RestoreDecision, RestoreFacts, decide_restore
from kill_switch.ports import Account, Means
from kill_switch.settings import RestoreDemand
from kill_switch.truth import Truth


def restore(means: Means, account: Account, demand: RestoreDemand) -> Event:
    """Carries the request out; the event that answers it. Raises `LedgerConflict`: decide again."""
    subject = _filed_under(means, account, demand.event.subject)
    approvals = means.policy.approvals
    causes, believed = means.book.causes(subject), demand.proven or means.policy.believes_events
    facts = RestoreFacts(
        replace(demand.event, subject=subject),
        demand.cause,
        _known(demand, causes, believed=believed),
        approvals.approvers if approvals else (),
        causes,
        believed=believed,
    )
    decision = decide_restore(facts)
    means.log.info(decision.reason, extra={"rule": decision.rule, "action": decision.action})
    row = decision.row
    if row is None:
        return _answer(DetailType.RESTORE_REFUSED, facts, decision, (), means.clock())
    match decision.action:
        case "restore":
            return _give_back(means, account, facts, decision, row)
        case "lift":
            return _lift(means, account, facts, decision, row)
        case _:
            return row.told or _answer(DetailType.RESTORE_REFUSED, facts, decision, (), means.clock())


def _known(demand: RestoreDemand, causes: Causes, *, believed: bool) -> str:
    """Who lifts the cause, as far as it is known; of a restore in hand, who began it, whoever chose that id."""
    row = causes.get(demand.cause)
    if row and row.lift == demand.event.id and row.lifted_by:
        return row.lifted_by
    return demand.requested_by if believed else UNNAMED


def _filed_under(means: Means, account: Account, subject: str) -> str:
    """The subject as its causes are filed: a key's hash may be of a declared workload."""
    if means.policy.workload(subject) or means.book.causes(subject).rows:
        return subject
    return Truth(means.policy, owners(means.book.ledger)).read(account, subject).subject


def _give_back(means: Means, account: Account, facts: RestoreFacts, decision: RestoreDecision, row: CauseRow) -> Event:
    if row.status != "lifting":
        now = means.clock()
        row = means.book.intend_lift(_by(facts, row, now), now)
    settled = settle(account, means.book, row.subject, row.hashes)
    if settled.causes.standing():
        raise LedgerConflict(f"a cause of {row.subject} arose while keys were being enabled")
    outcomes = [outcome(hash, settled.keys.get(hash), settled.causes) for hash in row.hashes]
    told = _answer(DetailType.KEY_RESTORED, facts, decision, outcomes, means.clock())
    means.book.write(replace(row, status="lifted", told=told))
    return told


def _lift(means: Means, account: Account, facts: RestoreFacts, decision: RestoreDecision, row: CauseRow) -> Event:
    """The cause goes; its keys pass to one that stands, so that lifting the last gives all of them back."""
    now = means.clock()
    if row.status == "lifting":
        # A cause arose after this restore began to enable keys: disable them again before anything is told.
        settle(account, means.book, row.subject, row.hashes)
    else:
        row = _by(facts, row, now)
    told = _answer(DetailType.RESTORE_REFUSED, facts, decision, (), now)
    heir = decision.others[0]
    means.book.write(replace(row, status="lifted", told=told), replace(heir, hashes=union(heir.hashes, row.hashes)))
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
