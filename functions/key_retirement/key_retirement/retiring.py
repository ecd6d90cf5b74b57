"""Takes a replaced key out of service: disabled first, out of every list (`leaving`), and only after its quarantine
deleted.

The intent (state and cause) is one write before the first PATCH; what the key spent is written before the DELETE that
would take it away; the event goes out before the row that says it is over.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from governor.attachments import NOTHING, detach
from governor.caps import caps_of, is_lower, nothing_more
from governor.causes import Causes
from governor.completion import held, released
from governor.events import DetailType, Event, event_id
from governor.evidence import KeyRef, Retired
from governor.lineage import Limit, Lineage, LineageKey
from governor.remembered import remembered, spent_of, unnoted
from governor.settling import settle
from key_retirement.balancing import guardrail, is_given
from key_retirement.ports import Tending
from management_api import KeyPatch, NotFound, OutcomeUnknown

if TYPE_CHECKING:
    from management_api import ApiKey


def retire(tending: Tending, lineage: Lineage, key: LineageKey) -> tuple[Tending, Lineage]:
    """Disables the key and takes what it could still spend from it; its quarantine begins. Idempotent.

    Every list that names it is left with the beat's others, at its end. Gives the lineage back as it now stands, and
    the beat's reading with the key as it was read after that.
    """
    causes = tending.ports.causes.causes(lineage.workload)
    until = tending.now + tending.rules.quarantine
    limit = _spent_out(tending, lineage, key)
    quarantined = replace(key, state="quarantined", since=tending.now, until=until)
    if limit:
        live = tending.place.keys[key.hash]
        quarantined = replace(quarantined, given=(Limit(live.limit, live.limit_reset), limit))
    row = held(causes, lineage.workload, [key.hash], f"retire {key.hash}", tending.now)
    lineage = tending.ports.lineages.write(lineage.with_key(quarantined), row.put())
    after = _disabled(tending, quarantined, limit)
    tending.leaving.add(tending, key.hash)
    if after is None:
        return tending, lineage
    return tending.seeing(after), note_last_spend(tending, lineage, quarantined, after)


def _spent_out(tending: Tending, lineage: Lineage, key: LineageKey) -> Limit | None:
    """The limit that leaves the key nothing to spend; None where no cap is, or the limit is not Governor's to set now.

    To set it with the disabling spares two requests, and takes nothing from anybody: the key is disabled.
    """
    live, caps = tending.place.keys.get(key.hash), caps_of(tending.workload.key, guardrail(tending))
    claim = lineage.limits_claim
    if live is None or not caps or (claim and tending.ports.clock() < claim.until):
        return None
    if not is_given(key, live) and tending.workload.key.drift != "repair":
        return None
    byok = tending.workload.key.include_byok_in_limit
    limit = nothing_more(caps, remembered(live, key, byok, tending.now, unnoted(caps)))
    return limit if is_lower(live.limit, limit) else None


def _disabled(tending: Tending, key: LineageKey, limit: Limit | None) -> "ApiKey | None":
    """The key, disabled; None where it is gone.

    OpenRouter's answer to the PATCH will do when it shows what was asked, and the key as quiet as the list showed it:
    then nothing rests on a later read. Else, and where the causes have changed meanwhile, it is settled as any other.
    """
    seen, book, name = tending.place.keys.get(key.hash), tending.ports.causes, tending.workload.name
    patch = KeyPatch(disabled=True)
    if limit:
        patch = KeyPatch(disabled=True, limit=limit.limit_usd, limit_reset=limit.limit_reset)
    try:
        after = tending.account.keys.update(key.hash, patch)
    except NotFound:
        return None
    except OutcomeUnknown:
        after = None
    if after and seen and after.disabled and _counters(after) == _counters(seen):
        has = limit is None or (after.limit, after.limit_reset) == (limit.limit_usd, limit.limit_reset)
        if has and book.causes(name).holds(key.hash):
            return after
    return settle(tending.account, book, name, [key.hash]).keys.get(key.hash)


def _counters(key: "ApiKey") -> tuple[object, ...]:
    return key.usage, key.byok_usage, key.last_used_at


def mark_leaked(tending: Tending, lineage: Lineage) -> Lineage:
    """The lineage that knows which replaced keys were reported as leaked: none of them comes back. Idempotent.

    The kill switch notes the report with the causes, since this row is not its own. Raises `LedgerConflict`.
    """
    replaced = [key for key in lineage.keys if key.state in ("overlap", "quarantined") and not key.exposed]
    causes = tending.ports.causes.causes(lineage.workload) if replaced else Causes()
    leaked = [key for key in replaced if causes.leaked(key.hash)]
    for key in leaked:
        lineage = lineage.with_key(replace(key, exposed=True))
    return tending.ports.lineages.write(lineage) if leaked else lineage


def keep_out(tending: Tending, key: LineageKey) -> "ApiKey | None":
    """The key is disabled and nothing that this beat saw points at it, whoever changed that. Idempotent.

    Returns the key as it was read after that; None where it is gone. What the beat did not see, or could not take away,
    the next one sees.
    """
    seen = tending.place.keys.get(key.hash)
    live = [key.hash] if seen and not seen.disabled else []
    settled = settle(tending.account, tending.ports.causes, tending.workload.name, [key.hash], live)
    failed = detach(tending.account, {key.hash: tending.attachments(key.hash)})
    if failed:
        raise failed[0]
    return settled.keys.get(key.hash)


def is_noted(key: LineageKey) -> bool:
    """Whether the row knows what the key spent until it was disabled."""
    return key.spent_at is not None and key.spent_at >= key.since


def note_last_spend(tending: Tending, lineage: Lineage, key: LineageKey, live: "ApiKey") -> Lineage:
    """The row that knows what the key spent, from a reading of the key itself after it was disabled. The workspace's
    list may have shown less, and the current key would be given the difference once more (promise 6).
    """
    spent = spent_of(live, key, tending.workload.key.include_byok_in_limit, tending.now)
    if key.spent == spent and is_noted(key):
        return lineage
    return tending.ports.lineages.write(lineage.with_key(replace(key, spent=spent, spent_at=tending.now)))


def delete(tending: Tending, lineage: Lineage, key: LineageKey, live: "ApiKey | None") -> Lineage:
    """Deletes a key whose quarantine is over, or that is gone already, out of every list, and tells. Idempotent."""
    if tending.attachments(key.hash) != NOTHING or (live and not live.disabled):
        keep_out(tending, key)
    if live:
        lineage = note_last_spend(tending, lineage, key, live)
        key = lineage.key(key.hash) or key
        erase(tending, key.hash)
    told = Retired(
        name=key.name,
        workspace_id=tending.place.id,
        key=KeyRef(hash=key.hash, name=key.name),
        created_at=live.created_at if live else None,
        disabled_at=key.since if key.state == "quarantined" else None,
        order=key.order,
    )
    reason = f"{key.name} was deleted: {tending.workload.name} has not used it since it was replaced."
    if live is None:
        reason = f"{key.name} is gone from OpenRouter: somebody deleted it, or Governor did and could not say so."
    kind = DetailType.KEY_RETIRED
    event = Event(
        kind, event_id(kind, key.hash), tending.workload.name, tending.now, reason, told.model_dump(mode="json")
    )
    tending.ports.bus.publish([event])
    gone = replace(key, state="deleted", since=tending.now, until=None)
    row = released(tending.ports.causes.causes(lineage.workload), key.hash)
    return tending.ports.lineages.write(lineage.with_key(gone), *([row.put()] if row else []))


def erase(tending: Tending, hash: str) -> None:
    """DELETE; where its answer is lost, a read that finds nothing. Raises `OutcomeUnknown` when it is still there."""
    try:
        tending.account.keys.delete(hash)
    except NotFound:
        return
    except OutcomeUnknown:
        try:
            tending.account.keys.get(hash)
        except NotFound:
            return
        raise
