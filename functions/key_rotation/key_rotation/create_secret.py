"""createSecret: a new key, and its plaintext as AWSPENDING.

The ledger's row comes before the POST, the old key's lower limit before the new key's own, the secret before the row
says that it is there. A key whose answer or whose secret was lost is an orphan with a name of its own.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from governor.keys.allowance import held
from governor.keys.caps import NOTHING, Split, caps_of, counted, is_lower, spent_by_period, split
from governor.keys.known_spend import remembered, unnoted
from governor.keys.limit_claim import claimed
from governor.keys.lineage import Attribution, Limit, Lineage, LineageKey, Rotation
from governor.keys.succession import abandoned
from governor.secrets.versions import VersionTaken, WorkloadSecret
from key_rotation import rotation_events
from key_rotation.decide import Decision, affords, attribution, decide, former, why
from key_rotation.key_creation import make
from key_rotation.lineages import Read, survey
from key_rotation.ports import Account, Refused, Rotating
from management_api import KeyPatch, NotFound, OutcomeUnknown

if TYPE_CHECKING:
    from management_api import ApiKey


def create(rotating: Rotating) -> None:
    """Idempotent for each token. Raises `Refused`."""
    pending = _pending(rotating)
    if pending is None:
        account = rotating.account()
        found = survey(rotating, account)
        for decision in (decide(found.facts), _affordable(rotating, found)):
            if decision.action == "refuse":
                raise Refused(decision.rule, decision.reason)
        pending = _made(rotating, account, found)
    rotating.finishing.record(rotating.token, pending)


def _pending(rotating: Rotating) -> WorkloadSecret | None:
    return rotating.ports.secrets.value(rotating.secret.arn, rotating.token, "AWSPENDING")


def _made(rotating: Rotating, account: Account, found: Read) -> WorkloadSecret:
    ports, workload = rotating.ports, rotating.workload
    caps, byok = caps_of(workload.key, found.guardrail), workload.key.include_byok_in_limit
    keys = [
        remembered(key, found.lineage.key(key.hash), byok, ports.clock(), unnoted(caps)) for key in found.facts.keys
    ]
    both = split(caps, keys, _deleted(found), ports.clock())
    if workload.key.allowance:
        both = held(both, keys, found.lineage.allowance)
    lineage = _intend(rotating, found, former(found.facts), both)
    rotation = lineage.rotation
    assert rotation
    name = rotation.key_name(workload.name)
    ports.bus.publish([rotation_events.started(workload, found.workspace_id, lineage, ports.clock())])
    limit = _share(rotating, account, found, both)
    now = ports.clock()
    created = make(account, workload, name, limit, attribution(found.facts) or Attribution(), found.workspace_id, now)
    value = WorkloadSecret(
        created.plaintext,
        created.key.hash,
        name,
        found.workspace_id,
        ports.policy.account.base_url,
        now.replace(microsecond=0),
    )
    try:
        ports.secrets.put_pending(rotating.secret.arn, rotating.token, value)
    except VersionTaken:
        # A copy of this very step was first. Its key stands; nobody ever saw the plaintext of ours.
        account.keys.delete(created.key.hash)
        pending = _pending(rotating)
        if pending is None:
            raise
        return pending
    return value


def _affordable(rotating: Rotating, found: Read) -> Decision:
    caps = caps_of(rotating.workload.key, found.guardrail)
    return affords(found.facts, caps, _deleted(found), rotating.ports.clock())


def _deleted(found: Read) -> list[LineageKey]:
    """The current key that somebody deleted is not in the row's state yet; what it spent counts all the same."""
    live = {key.hash for key in found.facts.keys}
    return [key for key in found.lineage.keys if key.state == "deleted" or key.hash not in live]


def _intend(rotating: Rotating, found: Read, old: "ApiKey | None", both: Split) -> Lineage:
    """The row that says that a key is about to be made, and whose limit lowered, and claims the limits until it is.

    Raises `LedgerConflict`, and `LimitsClaimed` while somebody else sets limits: Secrets Manager tries again.
    """
    ports, now = rotating.ports, rotating.ports.clock()
    claim = claimed(found.lineage.limits_claim, rotating.workload.name, rotating.token, now)
    lineage = _rid_of_another(rotating, found.lineage)
    if old:
        spent = spent_by_period(old, rotating.workload.key.include_byok_in_limit)
        adopted = LineageKey(
            old.hash, old.name, "current", old.created_at, expires_at=old.expires_at, spent=spent, spent_at=now
        )
        known = lineage.key(old.hash) or adopted
        lineage = lineage.with_key(replace(known, attribution=Attribution.of(old)))
    for live in found.facts.keys:
        own, limit = lineage.key(live.hash), both.lowered.get(live.hash)
        if own and limit:
            lineage = lineage.with_key(replace(own, given=(Limit(live.limit, live.limit_reset), limit)))
    before = lineage.rotation
    if before:
        rotation = replace(before, attempt=before.attempt + 1)
    else:
        rotation = Rotation(rotating.token, why(lineage, found.facts.causes), now)
    rotation = replace(rotation, attribution=attribution(found.facts))
    return ports.lineages.write(replace(lineage, rotation=rotation, limits_claim=claim))


def _rid_of_another(rotating: Rotating, lineage: Lineage) -> Lineage:
    """Without the rotation of another token: one that has ended is completed, any other was cancelled."""
    rotation = lineage.rotation
    if rotation is None or rotation.token == rotating.token:
        return lineage
    if "AWSCURRENT" in rotating.secret.stages.get(rotation.token, ()):
        return rotating.finishing.complete(lineage)
    return abandoned(lineage, rotating.ports.clock())


def _share(rotating: Rotating, account: Account, found: Read, both: Split) -> Limit:
    """The new key's limit, once the others' have been lowered so that all together stay within the cap.

    Decides once more by the keys as they are read back: the list may have been older. Raises `Refused`.
    """
    if both.new.limit_usd is None:
        return both.new
    excess, read = 0.0, {key.hash: key for key in found.facts.keys}
    # A key that rests in its overlap may get more by the new split: only once the others have less.
    for key in sorted(found.facts.keys, key=lambda key: is_lower(key.limit, both.lowered.get(key.hash)), reverse=True):
        limit = both.lowered.get(key.hash)
        if limit:
            lowered = _lowered(account, key, limit)
            if lowered is None:
                continue  # deleted meanwhile: it can spend nothing
            read[key.hash] = lowered
            # What it spent beyond its new limit while that was on its way is the new key's to do without.
            spent = counted(lowered, limit.limit_reset, lowered.include_byok_in_limit)
            excess += max(0.0, spent - (limit.limit_usd or 0.0))
    decision = decide(replace(found.facts, keys=[*read.values()], causes=rotating.causes()))
    if decision.action == "refuse":
        raise Refused(decision.rule, decision.reason)
    return Limit(max(both.new.limit_usd - excess, NOTHING), both.new.limit_reset)


def _lowered(account: Account, old: "ApiKey", limit: Limit) -> "ApiKey | None":
    """The key as it is read once it has the limit; None where somebody deleted it."""
    if _has(old, limit):
        read = account.keys.get(old.hash)
        if _has(read, limit):
            return read
        # The list was older than the key.
    try:
        account.keys.update(old.hash, KeyPatch(limit=limit.limit_usd, limit_reset=limit.limit_reset))
    except OutcomeUnknown:
        pass  # the read back will tell
    except NotFound:
        return None
    read = account.keys.get(old.hash)
    if not _has(read, limit):
        raise OutcomeUnknown(f"{old.name} does not show the limit it was given")
    return read


def _has(key: "ApiKey", limit: Limit) -> bool:
    return (key.limit, key.limit_reset) == (limit.limit_usd, limit.limit_reset)
