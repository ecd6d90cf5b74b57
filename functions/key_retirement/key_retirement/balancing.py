"""Keeps all keys of a lineage within one cap: what a quiet key needs no more, the current one has."""

from governor.caps import Limit, balance, caps_of
from governor.lineage import Lineage
from key_retirement.decide import role
from key_retirement.ports import Tending
from management_api import KeyPatch, OutcomeUnknown

_ROUNDS = 3


def rebalance(tending: Tending, lineage: Lineage) -> int:
    """Lowers first, reads back, and raises only by what is then left; how many keys were changed."""
    guard = next(
        (one for one in tending.place.guardrails if tending.workload.key.guardrail in (one.id, one.name)), None
    )
    caps = caps_of(tending.workload.key, guard)
    keys = tending.own(lineage)
    deleted = [key for key in lineage.keys if key.state == "deleted"]
    changed = 0
    for _ in range(_ROUNDS):
        roles = {
            key.hash: role(key, keys[key.hash], tending.rules, tending.now)
            for key in lineage.keys
            if key.hash in keys and key.state != "deleted"
        }
        targets = balance(caps, keys, roles, deleted, tending.now)
        lowered = {hash: limit for hash, limit in targets.items() if _is_lower(keys[hash].limit, limit)}
        for hash, limit in (lowered or targets).items():
            _set(tending, hash, limit)
            keys[hash] = tending.account.keys.get(hash)
            changed += 1
        if not lowered:
            break
    return changed


def _is_lower(now: float | None, limit: Limit) -> bool:
    return limit.limit_usd is not None and (now is None or limit.limit_usd < now)


def _set(tending: Tending, hash: str, limit: Limit) -> None:
    try:
        tending.account.keys.update(hash, KeyPatch(limit=limit.limit_usd, limit_reset=limit.limit_reset))
    except OutcomeUnknown:
        return  # the read back tells, and the next round or beat decides by it
