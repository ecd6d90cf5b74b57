"""Takes a replaced key out of service: disabled first, out of every list (`leaving`), and only after its quarantine
deleted.

The intent (state and cause) is one write before the first PATCH; what the key spent is written before the DELETE that
would take it away; the event goes out before the row that says it is over.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from governor.events import DetailType, Event, event_id
from governor.events.evidence import KeyRef, Retired
from governor.keys.attachments import NOTHING, detach
from governor.keys.caps import caps_of, is_lower, nothing_more
from governor.keys.causes import Causes
from governor.keys.known_spend import remembered, spent_of, unnoted
from governor.keys.lineage import Limit, Lineage, LineageKey
from governor.keys.reconcile import settle
from governor.keys.succession import held, released
from key_retirement.balancing import guardrail, is_given
from key_retirement.ports import LineageRun
from management_api import KeyPatch, NotFound, OutcomeUnknown

if TYPE_CHECKING:
    from management_api import ApiKey


def retire(run: LineageRun, lineage: Lineage, key: LineageKey) -> tuple[LineageRun, Lineage]:
    """Disables the key and takes what it could still spend from it; its quarantine begins. Idempotent.

    Every list that names it is left with the run's others, at its end. Gives the lineage back as it now stands, and
    the run's reading with the key as it was read after that.
    """
    causes = run.ports.causes.causes(lineage.workload)
    until = run.now + run.rules.quarantine
    limit = _spent_out(run, lineage, key)
    quarantined = replace(key, state="quarantined", since=run.now, until=until)
    if limit:
        live = run.place.keys[key.hash]
        quarantined = replace(quarantined, given=(Limit(live.limit, live.limit_reset), limit))
    row = held(causes, lineage.workload, [key.hash], f"retire {key.hash}", run.now)
    lineage = run.ports.lineages.write(lineage.with_key(quarantined), row.put())
    after = _disabled(run, quarantined, limit)
    run.leaving.add(key.hash, run.attachments(key.hash))
    if after is None:
        return run, lineage
    return run.seeing(after), note_last_spend(run, lineage, quarantined, after)


def _spent_out(run: LineageRun, lineage: Lineage, key: LineageKey) -> Limit | None:
    """The limit that leaves the key nothing to spend; None where no cap is, or the limit is not Governor's to set now.

    To set it with the disabling spares two requests, and takes nothing from anybody: the key is disabled.
    """
    live, caps = run.place.keys.get(key.hash), caps_of(run.workload.key, guardrail(run))
    claim = lineage.limits_claim
    if live is None or not caps or (claim and run.ports.clock() < claim.until):
        return None
    if not is_given(key, live) and run.workload.key.drift != "repair":
        return None
    byok = run.workload.key.include_byok_in_limit
    limit = nothing_more(caps, remembered(live, key, byok, run.now, unnoted(caps)))
    return limit if is_lower(live.limit, limit) else None


def _disabled(run: LineageRun, key: LineageKey, limit: Limit | None) -> "ApiKey | None":
    """The key, disabled; None where it is gone.

    OpenRouter's answer to the PATCH will do when it shows what was asked, and the key as quiet as the list showed it:
    then nothing rests on a later read. Else, and where the causes have changed meanwhile, it is settled as any other.
    """
    seen, store, name = run.place.keys.get(key.hash), run.ports.causes, run.workload.name
    patch = KeyPatch(disabled=True)
    if limit:
        patch = KeyPatch(disabled=True, limit=limit.limit_usd, limit_reset=limit.limit_reset)
    try:
        after = run.account.keys.update(key.hash, patch)
    except NotFound:
        return None
    except OutcomeUnknown:
        after = None
    if after and seen and after.disabled and _counters(after) == _counters(seen):
        has = limit is None or (after.limit, after.limit_reset) == (limit.limit_usd, limit.limit_reset)
        if has and store.causes(name).holds(key.hash):
            return after
    return settle(run.account, store, name, [key.hash]).keys.get(key.hash)


def _counters(key: "ApiKey") -> tuple[object, ...]:
    return key.usage, key.byok_usage, key.last_used_at


def mark_leaked(run: LineageRun, lineage: Lineage) -> Lineage:
    """The lineage that knows which replaced keys were reported as leaked: none of them comes back. Idempotent.

    The kill switch notes the report with the causes, since this row is not its own. Raises `LedgerConflict`.
    """
    replaced = [key for key in lineage.keys if key.state in ("overlap", "quarantined") and not key.exposed]
    causes = run.ports.causes.causes(lineage.workload) if replaced else Causes()
    leaked = [key for key in replaced if causes.leaked(key.hash)]
    for key in leaked:
        lineage = lineage.with_key(replace(key, exposed=True))
    return run.ports.lineages.write(lineage) if leaked else lineage


def keep_out(run: LineageRun, key: LineageKey) -> "ApiKey | None":
    """The key is disabled and nothing that this run saw points at it, whoever changed that. Idempotent.

    Returns the key as it was read after that; None where it is gone. What the run did not see, or could not take away,
    the next one sees.
    """
    seen = run.place.keys.get(key.hash)
    live = [key.hash] if seen and not seen.disabled else []
    settled = settle(run.account, run.ports.causes, run.workload.name, [key.hash], live)
    failed = detach(run.account, {key.hash: run.attachments(key.hash)})
    if failed:
        raise failed[0]
    return settled.keys.get(key.hash)


def is_noted(key: LineageKey) -> bool:
    """Whether the row knows what the key spent until it was disabled."""
    return key.spent_at is not None and key.spent_at >= key.since


def note_last_spend(run: LineageRun, lineage: Lineage, key: LineageKey, live: "ApiKey") -> Lineage:
    """The row that knows what the key spent, from a reading of the key itself after it was disabled. The workspace's
    list may have shown less, and the current key would be given the difference once more (promise 6).
    """
    spent = spent_of(live, key, run.workload.key.include_byok_in_limit, run.now)
    if key.spent == spent and is_noted(key):
        return lineage
    return run.ports.lineages.write(lineage.with_key(replace(key, spent=spent, spent_at=run.now)))


def delete(run: LineageRun, lineage: Lineage, key: LineageKey, live: "ApiKey | None") -> Lineage:
    """Deletes a key whose quarantine is over, or that is gone already, out of every list, and tells. Idempotent."""
    if run.attachments(key.hash) != NOTHING or (live and not live.disabled):
        keep_out(run, key)
    if live:
        lineage = note_last_spend(run, lineage, key, live)
        key = lineage.key(key.hash) or key
        erase(run, key.hash)
    told = Retired(
        name=key.name,
        workspace_id=run.place.id,
        key=KeyRef(hash=key.hash, name=key.name),
        created_at=live.created_at if live else None,
        disabled_at=key.since if key.state == "quarantined" else None,
        order=key.order if live else "",  # what somebody deleted by hand is told by itself
    )
    reason = f"{key.name} was deleted: {run.workload.name} has not used it since it was replaced."
    if live is None:
        reason = f"{key.name} is gone from OpenRouter: somebody deleted it, or Governor did and could not say so."
    kind = DetailType.KEY_RETIRED
    event = Event(kind, event_id(kind, key.hash), run.workload.name, run.now, reason, told.model_dump(mode="json"))
    run.ports.bus.publish([event])
    gone = replace(key, state="deleted", since=run.now, until=None)
    row = released(run.ports.causes.causes(lineage.workload), key.hash)
    return run.ports.lineages.write(lineage.with_key(gone), *([row.put()] if row else []))


def erase(run: LineageRun, hash: str) -> None:
    """DELETE; where its answer is lost, a read that finds nothing. Raises `OutcomeUnknown` when it is still there."""
    try:
        run.account.keys.delete(hash)
    except NotFound:
        return
    except OutcomeUnknown:
        try:
            run.account.keys.get(hash)
        except NotFound:
            return
        raise
