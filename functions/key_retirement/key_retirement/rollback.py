"""Gives a former key back at a person's request, as long as it was not deleted.

The key is made to work and proven with its own plaintext before the label moves; the label moves before the row. A
death anywhere leaves a request that may be sent, or delivered, again.
"""

from dataclasses import replace

from governor.attachments import attach, guardrails_of
from governor.completion import released, rolled_back
from governor.events import DetailType, Event, event_id
from governor.evidence import Rotated
from governor.finishing import key_ref
from governor.key_rollback import COMMAND, former, obstacle, refusal
from governor.ledger import LedgerConflict
from governor.limit_claim import claimed
from governor.lineage import Asked, Lineage, LineageKey
from governor.secret_versions import SecretState
from governor.settling import Settled, settle
from key_retirement.balancing import rebalance
from key_retirement.ports import Tending
from key_retirement.settings import Rollback
from management_api import AuthenticationFailed, OutcomeUnknown, Rejected


class Refused(Exception):
    """The rollback is not done; `rule` and the sentence say why."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule = rule
        self.reason = reason


def roll_back(tending: Tending, lineage: Lineage, asked: Rollback) -> Event:
    """The event that tells what came of the request. Raises `LedgerConflict`: read the lineage again; `LimitsClaimed`:
    deliver it again.
    """
    try:
        return _given_back(tending, lineage, asked)
    except Refused as refusal:
        if tending.ports.lineages.get(lineage.workload).version != lineage.version:
            # A copy beside this one, or a rotation, came between: what it left is not this request's fault.
            raise LedgerConflict(f"the keys of {lineage.workload} changed while a rollback was decided") from refusal
        return _event(tending, DetailType.ROLLBACK_REFUSED, lineage, asked, refusal.rule, refusal.reason)


def _given_back(tending: Tending, lineage: Lineage, asked: Rollback) -> Event:
    _believed(tending, asked)
    name, secret_name = tending.workload.name, tending.workload.secret or ""
    secret = tending.ports.secrets.describe(secret_name)
    if lineage.rolled_back_by == asked.event.id and lineage.current:
        return _done(tending, lineage, asked, lineage.current)
    _allowed(tending, lineage, asked)
    key, causes = former(lineage), tending.ports.causes.causes(name)
    in_the_way = obstacle(lineage, causes)
    if in_the_way:
        raise Refused(in_the_way.rule, in_the_way.why)
    if key is None or key.hash not in tending.place.keys:
        raise Refused("nothing_left", f"{name} has no former key left to give back: rotate instead.")
    version = version_of(tending, secret, key)
    claimed(lineage.limits_claim, name, asked.event.id, tending.ports.clock())
    current = lineage.current
    if current:
        _attach(tending, key, current)
    row = released(causes, key.hash)
    if row:
        # One write, so that a retry knows a key that this request set free from one that somebody else disabled.
        free = replace(key, state="overlap", until=tending.now + tending.rules.overlap)
        noted = replace(lineage.with_key(free), asked=Asked("asked", asked.event.id, tending.now))
        lineage = tending.ports.lineages.write(noted, row.put())
    in_hand = lineage.asked is not None and lineage.asked.by == asked.event.id
    if in_hand or not tending.place.keys[key.hash].disabled:
        settled = settle(tending.account, tending.ports.causes, name, [key.hash])
        lineage = _make_room(tending, lineage, key, settled, asked.event.id)
    else:
        raise Refused("foreign", f"Somebody else has disabled {key.name}: enable it in OpenRouter, then ask again.")
    prove(tending, secret_name, version, key)
    move_label(tending, secret, version)
    after = rolled_back(lineage, key.hash, tending.rules.overlap, tending.now)
    tending.ports.lineages.write(replace(after, rolled_back_by=asked.event.id))
    return _done(tending, after, asked, key)


def _believed(tending: Tending, asked: Rollback) -> None:
    """That a decision says so, or an event where the policy believes what it says of a person. Raises `Refused`."""
    if asked.grant is None and not tending.ports.policy.believes_events:
        name = tending.workload.name
        raise Refused(
            "by_event",
            f"An event asks to roll {name} back, and the policy believes no name in an event (approvals.by_event). "
            f"Nothing was changed. Use {COMMAND} {name} in Slack.",
        )


def _allowed(tending: Tending, lineage: Lineage, asked: Rollback) -> None:
    """That whoever wants it may, by the policy as it is now, and saw these keys. Raises `Refused`."""
    policy = tending.ports.policy
    if asked.grant:
        refused = refusal(asked.grant, policy, tending.workload, lineage, tending.now)
        if refused:
            raise Refused(refused.rule, refused.why)
    elif asked.requested_by not in (policy.approvals.approvers if policy.approvals else ()):
        raise Refused("not_an_approver", f"{asked.requested_by} is not among the policy's approvers.")


def _attach(tending: Tending, key: LineageKey, current: LineageKey) -> None:
    """What points at the current key points at this one too, read back: no testSecret will look at it."""
    guardrail = tending.attachments(current.hash).guardrail_id
    attach(tending.account, tending.place.id, key.hash, like=current.hash, guardrail_id=guardrail)
    if guardrail and guardrails_of(tending.account, [key.hash], guardrail).get(key.hash) != guardrail:
        raise OutcomeUnknown(f"{key.name} does not show the guardrail it was assigned")


def move_label(tending: Tending, secret: SecretState, version: str) -> None:
    """AWSCURRENT to the version. Idempotent."""
    secrets, holder = tending.ports.secrets, secret.holder("AWSCURRENT")
    if holder == version:
        return
    if holder and holder == secret.holder("AWSPENDING"):
        # A version that is pending and not current is an unfinished rotation to Secrets Manager, which starts no other.
        secrets.move(secret.arn, "AWSPENDING", to=None, off=holder)
    secrets.move(secret.arn, "AWSCURRENT", to=version, off=holder)


def _make_room(tending: Tending, lineage: Lineage, key: LineageKey, settled: Settled, by: str) -> Lineage:
    """Its limit was lowered to what it had spent: it has a share of the cap again before anybody reads it."""
    place = replace(tending.place, keys={**tending.place.keys, **settled.keys})
    noted = lineage.key(key.hash) or key
    return rebalance(replace(tending, place=place), lineage.with_key(replace(noted, seen=None)), by)


def _done(tending: Tending, lineage: Lineage, asked: Rollback, key: LineageKey) -> Event:
    reason = f"{asked.requested_by} gave {tending.workload.name} its former key {key.name} back."
    return _event(tending, DetailType.ROTATION_ROLLED_BACK, lineage, asked, "rolled_back", reason)


def version_of(tending: Tending, secret: SecretState, key: LineageKey) -> str:
    """The version that holds the key's plaintext; one without a hash was put there by a person, for the adopted key."""
    for version, stages in secret.stages.items():
        value = tending.ports.secrets.value(secret.arn, version) if stages else None
        if value and (value.hash == key.hash or (not value.hash and not key.token)):
            return version
    raise Refused("plaintext_gone", f"No version of secret {secret.name} holds {key.name} any more: rotate instead.")


def prove(tending: Tending, secret: str, version: str, key: LineageKey) -> None:
    """That the version's plaintext works, asked with itself. Raises `Refused`."""
    value = tending.ports.secrets.value(secret, version)
    try:
        if value:
            tending.account.with_key(value.api_key).current_key()
            return
    except AuthenticationFailed:
        pass
    except Rejected as error:
        if error.status != 403:
            raise
        raise Refused(
            "proof_refused",
            f"OpenRouter answered 403 to {key.name} ({error.message}), which need not mean that the key is bad: an IP "
            f"allowlist, a budget, a guardrail or a maximum key lifetime may refuse it. Mend that, then ask again.",
        ) from error
    raise Refused("key_dead", f"{key.name} does not work any more: rotate instead.")


def _event(tending: Tending, kind: DetailType, lineage: Lineage, asked: Rollback, rule: str, reason: str) -> Event:
    evidence = Rotated(
        name=tending.workload.name,
        workspace_id=tending.place.id,
        secret=tending.workload.secret or "",
        why="asked",
        rule=rule,
        new=key_ref(lineage.current),
        requested_by=None if rule == "by_event" else asked.requested_by,
    )
    # Anybody may send an event that is not believed: of all that come in a day one is told.
    of = (tending.workload.name, f"{tending.now:%Y-%m-%d}") if rule == "by_event" else (asked.event.id,)
    id = event_id(kind, *of, rule)
    return Event(kind, id, tending.workload.name, tending.now, reason, evidence.model_dump(mode="json"))
