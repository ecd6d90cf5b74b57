"""The current key as the policy wants it, against the key as OpenRouter has it: what differs is told once, and mended
where `key.drift` is `repair`.

A limit is Governor's own when it is one of the last two that it set (`LineageKey.given`): any other was set by a
person, and is theirs to explain before Governor writes over it. Told first, then noted in the row, then mended by what
tends the lineage anyway; a death in between tells again under the same id.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from governor.attachments import attach
from governor.caps import caps_of
from governor.events import DetailType, Event, event_id
from governor.evidence import Drift, KeyRef
from governor.lineage import Attribution, Limit, Lineage, LineageKey
from governor.policy import NOBODY
from key_retirement.balancing import guardrail, is_given, is_policy, within
from key_retirement.ports import Tending
from management_api import KeyPatch, NotFound

if TYPE_CHECKING:
    from management_api import ApiKey


@dataclass(frozen=True)
class Difference:
    """`field` as OpenRouter names it. `fix`: what Governor does where it may repair, empty when only a person can."""

    field: str
    policy: str
    live: str
    sentence: str
    fix: str = ""


def check(tending: Tending, lineage: Lineage) -> Lineage:
    """Tells what is new, and mends it where the policy says so. Idempotent. Raises `LedgerConflict`."""
    key = lineage.current
    if key is None or lineage.rotation or tending.ports.causes.causes(lineage.workload).standing():
        return lineage
    found = list(_differences(tending, key))
    repairs = tending.workload.key.drift == "repair"
    for one in found:
        if (key.drifted or {}).get(one.field) != one.live:
            tending.ports.bus.publish([_told(tending, key, one, repairs)])
    after = replace(key, drifted={one.field: one.live for one in found} or None)
    live = tending.place.keys.get(key.hash)
    differs = any(one.field == "limit" for one in found)
    if live and (repairs or not differs):
        # From here on it is the one limit that is Governor's own, and balancing may change it.
        after = replace(after, given=(Limit(live.limit, live.limit_reset),))
    if live and key.attribution is None:
        # A row from before this was noted: a rotation must know it even when the key is gone.
        after = replace(after, attribution=Attribution.of(live))
    if after != key:
        lineage = tending.ports.lineages.write(lineage.with_key(after))
    if repairs:
        for one in found:
            _mend(tending, key, one)
    return lineage


def _differences(tending: Tending, key: LineageKey) -> "list[Difference]":
    live = tending.place.keys.get(key.hash)
    if live is None:
        return [_elsewhere(tending, key)]
    found = [_disabled(live), _limit(tending, key, live), _byok(tending, live), _guardrail(tending, live)]
    return [one for one in [*found, _creator(tending, live)] if one]


def _elsewhere(tending: Tending, key: LineageKey) -> Difference:
    workspace = tending.workload.workspace
    try:
        live = tending.account.keys.get(key.hash)
    except NotFound:
        sentence = f"{key.name} was deleted, and {tending.workload.name} has no other: rotate it now."
        return Difference("hash", "a live key", "deleted", sentence, "Governor asks for a rotation.")
    sentence = f"{key.name} was moved to another workspace: move it back to {workspace}, or mend workloads[].workspace."
    return Difference("workspace_id", workspace, live.workspace_id, sentence)


def _disabled(live: "ApiKey") -> Difference | None:
    if not live.disabled:
        return None
    sentence = f"Somebody else has disabled {live.name}: it is theirs to enable."
    return Difference("disabled", "enabled", "disabled", sentence)


def _limit(tending: Tending, key: LineageKey, live: "ApiKey") -> Difference | None:
    caps = caps_of(tending.workload.key, guardrail(tending))
    if not caps or is_policy(caps, live) or (is_given(key, live) if key.given else within(caps, live)):
        return None
    wanted, has = _usd(caps[0].limit_usd, caps[0].period), _usd(live.limit, live.limit_reset)
    sentence = f"The limit of {live.name} was changed by hand to {has}; the policy's cap is {wanted}."
    return Difference("limit", wanted, has, sentence, "Governor sets it back.")


def _byok(tending: Tending, live: "ApiKey") -> Difference | None:
    wanted = tending.workload.key.include_byok_in_limit
    if not tending.workload.key.limit_usd or live.include_byok_in_limit == wanted:
        return None
    sentence = f"BYOK spend {'does not count' if wanted else 'counts'} against the limit of {live.name}."
    fix = "Governor sets it back."
    return Difference("include_byok_in_limit", str(wanted).lower(), str(not wanted).lower(), sentence, fix)


def _guardrail(tending: Tending, live: "ApiKey") -> Difference | None:
    name, guard = tending.workload.key.guardrail, guardrail(tending)
    if name is None:
        return None
    if guard is None:
        sentence = (
            f"Workspace {tending.workload.workspace} has no guardrail {name} any more: make it, or mend the policy."
        )
        return Difference("guardrail", name, "none", sentence)
    has = tending.attachments(live.hash).guardrail_id
    if has == guard.id:
        return None
    sentence = f"{live.name} is not under guardrail {name}."
    return Difference("guardrail", name, _name(tending, has), sentence, "Governor assigns it.")


def _creator(tending: Tending, live: "ApiKey") -> Difference | None:
    wanted, has = tending.workload.key.creator_user_id, live.creator_user_id or NOBODY
    if wanted in (None, has):
        return None
    sentence = f"The creator of {live.name} is {has}, not {wanted}: a key's creator cannot be changed, rotate it."
    return Difference("creator_user_id", wanted, has, sentence)


def _mend(tending: Tending, key: LineageKey, one: Difference) -> None:
    """What balancing does not do. Each is absolute: the same again is no harm.

    A key that is gone is replaced: `key_planning` hears of it by the event.
    """
    if one.field == "include_byok_in_limit":
        tending.account.keys.update(key.hash, KeyPatch(include_byok_in_limit=one.policy == "true"))
    elif one.field == "guardrail" and one.fix:
        guard = guardrail(tending)
        attach(tending.account, tending.place.id, key.hash, like=None, guardrail_id=guard.id if guard else None)


def _told(tending: Tending, key: LineageKey, one: Difference, repairs: bool) -> Event:
    kind, name = DetailType.KEY_DRIFTED, tending.workload.name
    evidence = Drift(
        name=name,
        field=one.field,
        policy=one.policy,
        live=one.live,
        key=KeyRef(hash=key.hash, name=key.name),
        repair=one.fix if repairs else "",
    )
    id = event_id(kind, key.hash, one.field, one.live, f"{tending.now:%Y-%m-%d}")
    return Event(kind, id, name, tending.now, one.sentence, evidence.model_dump(mode="json"))


def _usd(limit: float | None, reset: str | None) -> str:
    return "none" if limit is None else f"${limit:,.2f} {reset or 'for ever'}"


def _name(tending: Tending, id: str | None) -> str:
    return next((one.name for one in tending.place.guardrails if one.id == id), id or "none")
