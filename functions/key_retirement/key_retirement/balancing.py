"""Keeps all keys of a lineage within one cap: what a quiet key needs no more, the current one has.

The row knows a key's limit before OpenRouter does, so that a limit which Governor did not set is told from its own: one
that a person set is lowered only while two keys could spend together more than the cap, and raised only where the
policy says `repair`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from governor.keys.allowance import within_allowance
from governor.keys.caps import Cap, balance, caps_of, is_lower
from governor.keys.known_spend import remembered, spent_of, unnoted
from governor.keys.limit_claim import claimed
from governor.keys.lineage import Limit, Lineage, LineageKey
from key_retirement.allowances import need_of
from key_retirement.decide import role
from key_retirement.ports import LineageRun
from management_api import KeyPatch, OutcomeUnknown

if TYPE_CHECKING:
    from management_api import ApiKey, Guardrail

_ROUNDS = 3
SETTLING = timedelta(minutes=10)
"""Copies from before a change last for minutes at OpenRouter."""
_CENT = 0.005
"""Limits nearer than half a cent are the same: nobody says how OpenRouter rounds them."""


def rebalance(run: LineageRun, lineage: Lineage, by: str | None = None) -> Lineage:
    """Lowers first, reads back, and raises only by what is then left.

    A raise is read by the next run, which begins from OpenRouter's list, and by nothing before that. The claim on the
    limits goes with the row that knows them, and is given back once OpenRouter has answered every PATCH; one whose
    answer was lost may still arrive, so that the claim then ends by itself. `by`: who claims, for what may be tried
    again; None: this very run. Raises `LedgerConflict`, and `LimitsClaimed` while somebody else sets limits.
    """
    claim = claimed(lineage.limits_claim, lineage.workload, by or _holder(lineage), run.ports.clock())
    answered, begun, found = True, lineage.version, lineage
    need = need_of(run, lineage, decided=by is not None)
    allowance = round(need.usd, 2) if need else None
    settled: dict[str, Limit] = {}
    guard = guardrail(run)
    # A list of guardrails that leaves the policy's out is no leave to spend what its budget forbids.
    lower_only = run.workload.key.guardrail is not None and guard is None
    caps = caps_of(run.workload.key, guard)
    byok, margin = run.workload.key.include_byok_in_limit, unnoted(caps)
    keys = {hash: remembered(key, lineage.key(hash), byok, run.now, margin) for hash, key in run.own(lineage).items()}
    deleted = [key for key in lineage.keys if key.state == "deleted"]
    for _ in range(_ROUNDS):
        roles = {key.hash: role(key, keys[key.hash], run.rules, run.now) for key in lineage.keys if key.hash in keys}
        shares = balance(caps, keys, roles, deleted, run.now)
        lineage = _shared(lineage, keys, shares if need and not lower_only else None)
        targets = {
            hash: limit
            for hash, limit in within_allowance(shares, keys, need).items()
            if _may_set(run, lineage, keys, hash, limit) and not (lower_only and not is_lower(keys[hash].limit, limit))
        }
        lowered = {hash: limit for hash, limit in targets.items() if is_lower(keys[hash].limit, limit)}
        if not targets:
            break
        claiming = replace(lineage, limits_claim=claim, allowance=allowance)
        lineage = _intended(run, claiming, keys, lowered or targets)
        for hash, limit in (lowered or targets).items():
            if _set(run, hash, limit):
                settled[hash] = limit
            else:
                answered = False
        if not lowered:
            break
        for hash in lowered:
            # Not PATCH's own answer: only a read after it counts all that was spent before the limit held.
            read = run.account.keys.get(hash)
            keys[hash] = remembered(read, lineage.key(hash), byok, run.now, margin)
    if lineage.version == begun:
        if (allowance is None) == (found.allowance is None):
            lineage = replace(lineage, allowance=found.allowance)
        else:
            lineage = replace(lineage, allowance=allowance)
        return lineage if lineage == found else run.ports.lineages.write(lineage)
    if not answered:
        return lineage
    return run.ports.lineages.release(_settled(lineage, settled, run.now) if need else lineage)


def note_spend(run: LineageRun, lineage: Lineage) -> Lineage:
    """The row that knows what each live key has spent, to a hundredth of the cap, and exactly in an overlap: what a key
    that somebody deletes has spent is in no answer any more, and the cap still counts it (promise 6). Raises
    `LedgerConflict`.
    """
    caps = caps_of(run.workload.key, guardrail(run))
    if not caps:
        return lineage
    shared = any(key.state == "overlap" for key in lineage.keys)
    least = _CENT if shared else unnoted(caps)
    byok = run.workload.key.include_byok_in_limit
    after = lineage
    for key in lineage.keys:
        live = run.place.keys.get(key.hash)
        if key.state not in ("current", "overlap") or live is None:
            continue
        spent = spent_of(live, key, byok, run.now)
        before = key.spent or {}
        if any(abs(usd - before.get(period, 0.0)) >= least for period, usd in spent.items()):
            after = after.with_key(replace(key, spent=spent, spent_at=run.now))
    return lineage if after is lineage else run.ports.lineages.write(after)


def guardrail(run: LineageRun) -> "Guardrail | None":
    """The guardrail that the policy names, as the workspace has it."""
    wanted = run.workload.key.guardrail
    if wanted is None:
        return None
    return next((one for one in run.place.guardrails if wanted in (one.id, one.name)), None)


def is_given(key: LineageKey, live: "ApiKey") -> bool:
    """Whether the limit is one that Governor set last, or was about to."""
    return not key.given or any(is_same(live, limit) for limit in key.given)


def within(caps: Sequence[Cap], live: "ApiKey") -> bool:
    """Whether the limit keeps the key within every cap."""
    return live.limit is not None and all(live.limit <= cap.limit_usd + _CENT for cap in caps)


def is_settling(key: LineageKey, now: datetime) -> bool:
    """Whether a limit was set so lately that a list may still show the one before: nobody changed that by hand."""
    return key.given_at is not None and now - key.given_at < SETTLING


def is_policy(caps: Sequence[Cap], live: "ApiKey") -> bool:
    """Whether the limit is the policy's cap itself."""
    return is_same(live, Limit(caps[0].limit_usd, caps[0].period))


def _settled(lineage: Lineage, answered: Mapping[str, Limit], now: datetime) -> Lineage:
    """The row that knows only the limits that OpenRouter has confirmed.

    An allowance lowers a limit that a person may then set back to exactly what it was: that is theirs.
    """
    for hash, limit in answered.items():
        own = lineage.key(hash)
        if own:
            lineage = lineage.with_key(replace(own, given=(limit,), given_at=now))
    return lineage


def _shared(lineage: Lineage, keys: "Mapping[str, ApiKey]", shares: Mapping[str, Limit] | None) -> Lineage:
    """The row that knows the limit that each key would have without an allowance; None: it has none.

    `shares`: those that the caps would move. It is what `releasing` gives back once the policy has no such workload.
    """
    for key in lineage.keys:
        live = keys.get(key.hash)
        share = None
        if shares is not None and live is not None:
            share = shares.get(key.hash, Limit(live.limit, live.limit_reset))
        if share != key.share:
            lineage = lineage.with_key(replace(key, share=share))
    return lineage


def _may_set(run: LineageRun, lineage: Lineage, keys: "Mapping[str, ApiKey]", hash: str, limit: Limit) -> bool:
    own = lineage.key(hash)
    if own is None or is_given(own, keys[hash]) or run.workload.key.drift == "repair":
        return True
    return is_lower(keys[hash].limit, limit) and sum(not key.disabled for key in keys.values()) > 1


def _intended(run: LineageRun, lineage: Lineage, keys: "Mapping[str, ApiKey]", targets: Mapping[str, Limit]) -> Lineage:
    """The row that knows each limit as it is and as it is about to be."""
    for hash, limit in targets.items():
        own = lineage.key(hash)
        if own:
            before = Limit(keys[hash].limit, keys[hash].limit_reset)
            lineage = lineage.with_key(replace(own, given=(before, limit)))
    return run.ports.lineages.write(lineage)


def is_same(live: "ApiKey", limit: Limit) -> bool:
    if live.limit is None or limit.limit_usd is None:
        return live.limit is limit.limit_usd
    return abs(live.limit - limit.limit_usd) < _CENT and live.limit_reset == limit.limit_reset


def _holder(lineage: Lineage) -> str:
    """Of a claim: no two runs write the same version of a row."""
    return f"key_retirement {lineage.version + 1}"


def _set(run: LineageRun, hash: str, limit: Limit) -> bool:
    """Whether OpenRouter answered; where it did not, the read back tells, and the next round or run decides by it."""
    try:
        run.account.keys.update(hash, KeyPatch(limit=limit.limit_usd, limit_reset=limit.limit_reset))
    except OutcomeUnknown:
        return False
    return True
