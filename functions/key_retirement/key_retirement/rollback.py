"""Gives a former key back at a person's request, as long as it was not deleted.

The key is made to work and proven with its own plaintext before the label moves; the label moves before the row. A
death anywhere leaves a request that may be sent, or delivered, again.
"""

from dataclasses import replace

from governor.events import DetailType, Event, event_id
from governor.events.evidence import Rotated
from governor.keys.attachments import attach, guardrails_of
from governor.keys.limit_claim import claimed
from governor.keys.lineage import Asked, Lineage, LineageKey
from governor.keys.reconcile import Settled, settle
from governor.keys.rollback import COMMAND, former, obstacle, refusal
from governor.keys.rotation_end import key_ref
from governor.keys.succession import released, rolled_back
from governor.ledger import LedgerConflict
from governor.secrets.versions import SecretState
from key_retirement.balancing import rebalance
from key_retirement.ports import LineageRun
from key_retirement.settings import Rollback
from management_api import AuthenticationFailed, OutcomeUnknown, Rejected


class Refused(Exception):
    """The rollback is not done; `rule` and the sentence say why."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule = rule
        self.reason = reason


def roll_back(run: LineageRun, lineage: Lineage, asked: Rollback) -> Event:
    """The event that tells what came of the request. Raises `LedgerConflict`: read the lineage again; `LimitsClaimed`:
    deliver it again.
    """
    try:
        return _given_back(run, lineage, asked)
    except Refused as refusal:
        if run.ports.lineages.get(lineage.workload).version != lineage.version:
            # A copy beside this one, or a rotation, came between: what it left is not this request's fault.
            raise LedgerConflict(f"the keys of {lineage.workload} changed while a rollback was decided") from refusal
        return _event(run, DetailType.ROLLBACK_REFUSED, lineage, asked, refusal.rule, refusal.reason)


def _given_back(run: LineageRun, lineage: Lineage, asked: Rollback) -> Event:
    _believed(run, asked)
    name, secret_name = run.workload.name, run.workload.secret or ""
    secret = run.ports.secrets.describe(secret_name)
    if lineage.rolled_back_by == asked.event.id and lineage.current:
        return _done(run, lineage, asked, lineage.current)
    _allowed(run, lineage, asked)
    key, causes = former(lineage), run.ports.causes.causes(name)
    in_the_way = obstacle(lineage, causes)
    if in_the_way:
        raise Refused(in_the_way.rule, in_the_way.why)
    if key is None or key.hash not in run.place.keys:
        raise Refused("nothing_left", f"{name} has no former key left to give back: rotate instead.")
    version = version_of(run, secret, key)
    claimed(lineage.limits_claim, name, asked.event.id, run.ports.clock())
    current = lineage.current
    if current:
        _attach(run, key, current)
    row = released(causes, key.hash)
    if row:
        # One write, so that a retry knows a key that this request set free from one that somebody else disabled.
        free = replace(key, state="overlap", until=run.now + run.rules.overlap)
        noted = replace(lineage.with_key(free), asked=Asked("asked", asked.event.id, run.now))
        lineage = run.ports.lineages.write(noted, row.put())
    in_hand = lineage.asked is not None and lineage.asked.by == asked.event.id
    if in_hand or not run.place.keys[key.hash].disabled:
        settled = settle(run.account, run.ports.causes, name, [key.hash])
        lineage = _make_room(run, lineage, key, settled, asked.event.id)
    else:
        raise Refused("foreign", f"Somebody else has disabled {key.name}: enable it in OpenRouter, then ask again.")
    prove(run, secret_name, version, key)
    move_label(run, secret, version)
    after = rolled_back(lineage, key.hash, run.rules.overlap, run.now)
    run.ports.lineages.write(replace(after, rolled_back_by=asked.event.id))
    return _done(run, after, asked, key)


def _believed(run: LineageRun, asked: Rollback) -> None:
    """That a decision says so, or an event where the policy believes what it says of a person. Raises `Refused`."""
    if asked.grant is None and not run.ports.policy.believes_events:
        name = run.workload.name
        raise Refused(
            "by_event",
            f"An event asks to roll {name} back, and the policy believes no name in an event (approvals.by_event). "
            f"Nothing was changed. Use {COMMAND} {name} in Slack.",
        )


def _allowed(run: LineageRun, lineage: Lineage, asked: Rollback) -> None:
    """That whoever wants it may, by the policy as it is now, and saw these keys. Raises `Refused`."""
    policy = run.ports.policy
    if asked.grant:
        refused = refusal(asked.grant, policy, run.workload, lineage, run.now)
        if refused:
            raise Refused(refused.rule, refused.why)
    elif asked.requested_by not in (policy.approvals.approvers if policy.approvals else ()):
        raise Refused("not_an_approver", f"{asked.requested_by} is not among the policy's approvers.")


def _attach(run: LineageRun, key: LineageKey, current: LineageKey) -> None:
    """What points at the current key points at this one too, read back: no testSecret will look at it."""
    guardrail = run.attachments(current.hash).guardrail_id
    attach(run.account, run.place.id, key.hash, like=current.hash, guardrail_id=guardrail)
    if guardrail and guardrails_of(run.account, [key.hash], guardrail).get(key.hash) != guardrail:
        raise OutcomeUnknown(f"{key.name} does not show the guardrail it was assigned")


def move_label(run: LineageRun, secret: SecretState, version: str) -> None:
    """AWSCURRENT to the version. Idempotent."""
    secrets, holder = run.ports.secrets, secret.holder("AWSCURRENT")
    if holder == version:
        return
    if holder and holder == secret.holder("AWSPENDING"):
        # A version that is pending and not current is an unfinished rotation to Secrets Manager, which starts no other.
        secrets.move(secret.arn, "AWSPENDING", to=None, off=holder)
    secrets.move(secret.arn, "AWSCURRENT", to=version, off=holder)


def _make_room(run: LineageRun, lineage: Lineage, key: LineageKey, settled: Settled, by: str) -> Lineage:
    """Its limit was lowered to what it had spent: it has a share of the cap again before anybody reads it."""
    place = replace(run.place, keys={**run.place.keys, **settled.keys})
    noted = lineage.key(key.hash) or key
    return rebalance(replace(run, place=place), lineage.with_key(replace(noted, seen=None)), by)


def _done(run: LineageRun, lineage: Lineage, asked: Rollback, key: LineageKey) -> Event:
    reason = f"{asked.requested_by} gave {run.workload.name} its former key {key.name} back."
    return _event(run, DetailType.ROTATION_ROLLED_BACK, lineage, asked, "rolled_back", reason)


def version_of(run: LineageRun, secret: SecretState, key: LineageKey) -> str:
    """The version that holds the key's plaintext; one without a hash was put there by a person, for the adopted key."""
    for version, stages in secret.stages.items():
        value = run.ports.secrets.value(secret.arn, version) if stages else None
        if value and (value.hash == key.hash or (not value.hash and not key.token)):
            return version
    raise Refused("plaintext_gone", f"No version of secret {secret.name} holds {key.name} any more: rotate instead.")


def prove(run: LineageRun, secret: str, version: str, key: LineageKey) -> None:
    """That the version's plaintext works, asked with itself. Raises `Refused`."""
    value = run.ports.secrets.value(secret, version)
    try:
        if value:
            run.account.with_key(value.api_key).current_key()
            return
    except AuthenticationFailed:
        pass
    except Rejected as error:
        if error.status != 403:
            raise
        raise Refused(
            "proof_refused",
            f"OpenRouter answered 403 to {key.name} ({error.message}), which need not mean that the key is bad: an IP "
            f"allowlist, a budget, a guardrail or a maximum key lifetime may refuse it. Fix that, then ask again.",
        ) from error
    raise Refused("key_dead", f"{key.name} does not work any more: rotate instead.")


def _event(run: LineageRun, kind: DetailType, lineage: Lineage, asked: Rollback, rule: str, reason: str) -> Event:
    evidence = Rotated(
        name=run.workload.name,
        workspace_id=run.place.id,
        secret=run.workload.secret or "",
        why="asked",
        rule=rule,
        new=key_ref(lineage.current),
        requested_by=None if rule == "by_event" else asked.requested_by,
    )
    # Anybody may send an event that is not believed: of all that come in a day one is told.
    of = (run.workload.name, f"{run.now:%Y-%m-%d}") if rule == "by_event" else (asked.event.id,)
    id = event_id(kind, *of, rule)
    return Event(kind, id, run.workload.name, run.now, reason, evidence.model_dump(mode="json"))
