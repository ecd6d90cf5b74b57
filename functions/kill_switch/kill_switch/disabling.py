"""Disables every live key of a subject's lineage, if the rules let it, and tells of it."""

from dataclasses import replace
from datetime import datetime

from governor.events import DetailType, Event, event_id
from governor.events.evidence import BudgetReached, Disable, Exposed
from governor.keys.causes import CauseRow, Status, union
from governor.keys.owners import owners
from governor.keys.reconcile import outcome, settle
from governor.ledger import ABSENT, LedgerConflict
from kill_switch.claims import Ordered, contradiction, unconfirmed
from kill_switch.decide import Decision, Facts, decide, is_live
from kill_switch.due_disables import keep_due
from kill_switch.evidence import evidence, with_rankings
from kill_switch.ports import Account, Ports
from kill_switch.settings import DisableRequest
from kill_switch.truth import Reading, Truth
from management_api import OpenRouterError

FORBIDDEN = "openrouter_forbids"


def disable(ports: Ports, account: Account, request: DisableRequest) -> Event:
    """Carries the request out; the event that tells what came of it. Raises `LedgerConflict`: decide again."""
    now = ports.clock()
    facts, reading = _facts(ports, account, request, now)
    if _doubtful(facts, now):
        read_before = facts.causes
        facts, reading = _facts(ports, account, request, now)
        if facts.causes != read_before:
            raise LedgerConflict(f"the causes of {reading.subject} changed while its keys were read")
    decision = decide(facts, now)
    ports.log.info(decision.reason, extra={"rule": decision.rule, "action": decision.action})
    row = facts.causes.get(request.cause)
    if decision.action == "disable":
        return _carry_out(ports, account, request, facts, reading, decision)
    if decision.action == "repeat" and row and row.told:
        return row.told
    told = _withheld(ports, account, request, facts, reading, decision, now)
    if decision.action == "record":
        ports.store.write(_recorded(facts, reading, decision, now, told))
    return told


def forbidden(ports: Ports, request: DisableRequest, error: OpenRouterError) -> Event:
    """OpenRouter does not let Governor read or disable: whether the key still works is not known."""
    now, kind = ports.clock(), DetailType.DISABLE_WITHHELD
    workload = ports.policy.workload(request.event.subject)
    told = evidence(
        request.claim,
        name=workload.name if workload else request.event.subject,
        cause=request.cause,
        trigger=request.event.id,
        rule=FORBIDDEN,
        keys=[],
        now=now,
    )
    reason = f"OpenRouter does not let Governor disable it: {error}. Disable the key in OpenRouter by hand."
    return _event(kind, event_id(kind, request.event.id, FORBIDDEN), request.event.subject, now, reason, told)


def _doubtful(facts: Facts, now: datetime) -> bool:
    """Whether the account is to be read a second time before anything is decided.

    Account and ledger may disagree, since a copy of ours may have changed both between the two readings: a key that we
    disabled shows as live (or a person enabled it by hand); or nothing is live and we did not do it. Or no key is
    found, as when OpenRouter answers with an empty list.
    """
    if not facts.keys:
        return True
    live = [key for key in facts.keys if is_live(key, now)]
    if not live:
        return any(key.disabled and not facts.causes.known(key.hash) for key in facts.keys)
    done = {hash for row in facts.causes.standing() if row.status == "disabled" for hash in row.hashes}
    return any(key.hash in done for key in live)


def _facts(ports: Ports, account: Account, request: DisableRequest, now: datetime) -> tuple[Facts, Reading]:
    claim = request.claim
    named = () if isinstance(claim, Exposed | Ordered) else [one.hash for one in claim.keys]
    truth = Truth(ports.policy, owners(ports.store.ledger), named)
    reading = truth.read(account, request.event.subject)
    guard = None
    if isinstance(claim, BudgetReached) and claim.scope == "guardrail":
        guard = truth.guard(account, claim.scope_id)
    contradicted = contradiction(
        claim,
        reading.keys,
        now,
        counts_byok=truth.counts_byok,
        disable_at=reading.limits.budget.disable_at,
        guard=guard,
        cap=reading.workload.key if reading.workload else None,
    )
    # The ledger after the account: a key that a copy of ours disables meanwhile is then known to be ours.
    facts = Facts(
        event=request.event,
        cause=request.cause,
        name=reading.name,
        tier=reading.tier,
        limits=reading.limits,
        keys=reading.keys,
        contradiction=contradicted,
        unconfirmed=unconfirmed(claim, reading.keys, guard),
        ordered_by=_approver(ports, request),
        entitled=_entitled(ports, reading),
        causes=ports.store.causes(reading.subject),
        recent_disables=ports.store.recent_disables(reading.subject, now),
    )
    return facts, reading


def _approver(ports: Ports, request: DisableRequest) -> str:
    """Who ordered the disable, or the approver who reports the leak where the policy believes an event's word.

    Anybody else's word is a report, which the policy's rules judge.
    """
    claim, approvals = request.claim, ports.policy.approvals
    if isinstance(claim, Ordered):
        return claim.by
    who = claim.requested_by if isinstance(claim, Exposed) else None
    return who if who and approvals and ports.policy.believes_events and who in approvals.approvers else ""


def _entitled(ports: Ports, reading: Reading) -> tuple[str, ...] | None:
    """Who may order the disable by the policy as it is now; None for any full member of the workspace."""
    if ports.policy.any_member_may_disable(reading.tier):
        return None
    return ports.policy.may_disable(reading.workload)


def _carry_out(
    ports: Ports, account: Account, request: DisableRequest, facts: Facts, reading: Reading, decision: Decision
) -> Event:
    row = _intent(ports, facts, reading, decision)
    live = {key.hash for key in reading.keys if not key.disabled}
    settled = settle(account, ports.store, row.subject, row.hashes, live)
    now = ports.clock()
    others = {key.hash: key for key in reading.keys if key.hash not in row.hashes}
    bare = evidence(
        request.claim,
        name=reading.name,
        cause=row.cause,
        trigger=row.trigger,
        rule=decision.rule,
        keys=[
            *(outcome(hash, settled.keys.get(hash), settled.causes) for hash in row.hashes),
            *(outcome(hash, key, settled.causes) for hash, key in others.items()),
        ],
        now=now,
    )
    full = with_rankings(bare, account, row.hashes, request.claim, now, ports.seconds_left)
    told = _event(
        DetailType.KEY_DISABLED,
        event_id(DetailType.KEY_DISABLED, row.subject, row.cause, row.trigger),
        row.subject,
        now,
        decision.reason,
        full,
    )
    ports.store.write(replace(row, status="disabled", told=told))
    return told


def _intent(ports: Ports, facts: Facts, reading: Reading, decision: Decision) -> CauseRow:
    """The intent as it stands in the ledger: an earlier one that covers these keys, or a new one."""
    standing = facts.causes.get(facts.cause)
    if standing and standing.status == "disabling" and set(decision.hashes) <= set(standing.hashes):
        return standing
    now = ports.clock()
    row = _taken(facts, reading, decision, now, "disabling")
    return ports.store.intend(row, facts.recent_disables if decision.is_counted else None, now)


def _taken(facts: Facts, reading: Reading, decision: Decision, now: datetime, status: Status) -> CauseRow:
    """The cause as this event leaves it. When it was last lifted stays known."""
    before = facts.causes.get(facts.cause)
    return CauseRow(
        subject=reading.subject,
        cause=facts.cause,
        status=status,
        trigger=facts.event.id,
        hashes=union(decision.hashes, before.hashes if before and before.is_active else ()),
        at=now,
        lifted_by=before.lifted_by if before else "",
        lifted_at=before.lifted_at if before else None,
        leaked=union(decision.leaked, before.leaked if before else ()),
        version=before.version if before else ABSENT,
    )


def _recorded(facts: Facts, reading: Reading, decision: Decision, now: datetime, told: Event) -> CauseRow:
    """The cause that holds the subject from now on; where only replaced keys leaked, it holds what it held before."""
    before = facts.causes.get(facts.cause)
    if decision.hashes:
        return replace(_taken(facts, reading, decision, now, "disabled"), told=told)
    if before:
        return replace(before, leaked=union(decision.leaked, before.leaked))
    return replace(_taken(facts, reading, decision, now, "lifted"), told=told)


def _withheld(
    ports: Ports,
    account: Account,
    request: DisableRequest,
    facts: Facts,
    reading: Reading,
    decision: Decision,
    now: datetime,
) -> Event:
    told = evidence(
        request.claim,
        name=reading.name,
        cause=request.cause,
        trigger=request.event.id,
        rule=decision.rule,
        keys=[outcome(key.hash, key, facts.causes) for key in reading.keys],
        now=now,
    )
    if decision.rule == "alert_mode":
        # A dry run is worth what a person can see in it.
        hashes = [key.hash for key in reading.keys]
        told = with_rankings(told, account, hashes, request.claim, now, ports.seconds_left)
    reason = decision.reason
    if decision.action == "withhold" and (due := keep_due(ports.store, facts, decision, reading.subject, now)):
        when = f"from {due:%Y-%m-%d %H:%M} UTC on" if due > now else "on the next reading"
        reason = f"{reason} The disable stays due: Governor asks again {when}, as long as the spend is what it is."
    id = event_id(DetailType.DISABLE_WITHHELD, request.event.id, decision.rule)
    return _event(DetailType.DISABLE_WITHHELD, id, reading.subject, now, reason, told)


def _event(kind: DetailType, id: str, subject: str, now: datetime, reason: str, evidence: Disable) -> Event:
    return Event(kind, id, subject, now, reason, evidence.model_dump(mode="json"))
