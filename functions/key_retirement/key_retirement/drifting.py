"""The current key as the policy wants it, against the key as OpenRouter has it: what differs is told once, and mended
where `key.drift` is `repair`.

A limit is Governor's own when it is one of the last two that it set (`LineageKey.given`): any other was set by a
person, and is theirs to explain before Governor writes over it. Told first, then noted in the row, then mended by what
tends the lineage anyway; a death in between tells again under the same id.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from governor.events import DetailType, Event, event_id
from governor.events.evidence import Drift, KeyRef
from governor.keys.attachments import attach, guardrails_of
from governor.keys.caps import Cap, caps_of
from governor.keys.lineage import Attribution, Limit, Lineage, LineageKey
from governor.keys.rotation_end import key_ref
from governor.policy import NOBODY
from key_retirement.attached import fix, lost, noted
from key_retirement.balancing import guardrail, is_given, is_policy, is_settling, within
from key_retirement.difference import Difference
from key_retirement.ports import LineageRun
from management_api import KeyPatch, NotFound

if TYPE_CHECKING:
    from management_api import ApiKey


def is_urgent(run: LineageRun, lineage: Lineage) -> bool:
    """Whether the current key is gone, moved, left out of its list or renamed. `run` follows the lineage."""
    current = lineage.current
    if current is None:
        return False
    live = run.place.keys.get(current.hash)
    return live is None or any(where_and_what(run, current, live))


def check_replaced(run: LineageRun, lineage: Lineage) -> Lineage:
    """Tells what people changed of a key in overlap or quarantine: its name, its workspace. Its state stays.

    Idempotent. Raises `LedgerConflict`.
    """
    for key in lineage.keys:
        live = run.place.keys.get(key.hash)
        if key.state not in ("overlap", "quarantined") or live is None:
            continue
        found = [one for one in (*where_and_what(run, key, live), _enabled(run, key, live)) if one]
        _tell(run, key, found, repairs=False)
        after = replace(key, drifted={one.field: one.live for one in found} or None)
        if after != key:
            lineage = run.ports.lineages.write(lineage.with_key(after))
    return lineage


def check(run: LineageRun, lineage: Lineage) -> Lineage:
    """Tells what is new, and mends it where the policy says so. Idempotent. Raises `LedgerConflict`."""
    key = lineage.current
    if key is None or lineage.rotation or run.ports.causes.causes(lineage.workload).standing():
        return lineage
    found = differences(run, lineage, key)
    repairs = run.workload.key.drift == "repair"
    _tell(run, key, found, repairs)
    after = replace(key, drifted={one.field: one.live for one in found} or None, attached=noted(run, lineage, key))
    live = run.place.keys.get(key.hash)
    differs = any(one.field == "limit" for one in found)
    if live and (repairs or not differs) and not is_settling(key, run.now):
        # From here on it is the one limit that is Governor's own, and balancing may change it.
        after = replace(after, given=(Limit(live.limit, live.limit_reset),))
    if live and key.attribution is None:
        # A row from before this was noted: a rotation must know it even when the key is gone.
        after = replace(after, attribution=Attribution.of(live))
    if after != key:
        lineage = run.ports.lineages.write(lineage.with_key(after))
    if repairs:
        for one in found:
            _mend(run, key, one)
        fix(run, after, found)
    return lineage


def gone(run: LineageRun, lost: LineageKey, former: LineageKey) -> Event:
    """Key Drifted: somebody deleted the current key, and `former` is in the secret again."""
    sentence = f"{lost.name} was deleted in OpenRouter; {run.workload.name} works with {former.name} again."
    fix = "Governor put the former key back, and asks for a rotation."
    return _told(run, lost, Difference("hash", "a live key", "deleted", sentence, fix), repairs=True)


def _tell(run: LineageRun, key: LineageKey, found: Sequence[Difference], repairs: bool) -> None:
    for one in found:
        if (key.drifted or {}).get(one.field) != one.live:
            run.ports.bus.publish([_told(run, key, one, repairs)])


def differences(run: LineageRun, lineage: Lineage, key: LineageKey) -> list[Difference]:
    """How the lineage's current key differs from the policy. Reads the account, through no port of `run`."""
    live = run.place.keys.get(key.hash)
    if live is None:
        return [_deleted(run, lineage, key)]
    found = [
        *where_and_what(run, key, live),
        _disabled(live),
        _limit(run, lineage, key, live),
        _byok(run, live),
        _guardrail(run, live),
        _creator(run, live),
        *lost(run, lineage, key),
    ]
    return [one for one in found if one]


def _deleted(run: LineageRun, lineage: Lineage, key: LineageKey) -> Difference:
    name = run.workload.name
    kept = [one for one in lineage.keys if one.state in ("overlap", "quarantined") and not one.exposed]
    former = max((one for one in kept if one.hash in run.place.keys), key=lambda one: one.since, default=None)
    sentence = f"{key.name} was deleted in OpenRouter, and {name} has no other key: rotate it now."
    if former:
        works = "is disabled but kept" if run.place.keys[former.hash].disabled else "still works"
        sentence = (
            f"{key.name} was deleted in OpenRouter, and the secret holds a dead key. The former key {former.name} "
            f"{works}: roll {name} back to it, or rotate {name} now."
        )
    return Difference("hash", "a live key", "deleted", sentence, "Governor asks for a rotation.", former)


def where_and_what(run: LineageRun, key: LineageKey, live: "ApiKey") -> "tuple[Difference | None, ...]":
    """What people changed of a key that Governor follows by its hash: the workspace it is in, and its name."""
    return _place(run, live), _list(run, live), _name_of(key, live)


def _enabled(run: LineageRun, key: LineageKey, live: "ApiKey") -> Difference | None:
    if key.state != "quarantined" or live.disabled:
        return None
    name = run.workload.name
    again = "it leaked, and never comes back" if key.exposed else f"to use it again, roll {name} back instead"
    sentence = (
        f"Somebody enabled {live.name}, which Governor had disabled since {name} has another key. Governor disables it "
        f"again, and its quarantine begins anew; {again}."
    )
    return Difference("disabled", "disabled", f"enabled, in quarantine since {key.since:%Y-%m-%d %H:%M}", sentence)


def _place(run: LineageRun, live: "ApiKey") -> Difference | None:
    if live.workspace_id == run.place.id:
        return None
    workspace = run.workload.workspace
    sentence = (
        f"{live.name} was moved to another workspace. Governor goes on with it there; BYOK credentials and presets of "
        f"{workspace} do not serve it: move it back, or fix workloads[].workspace."
    )
    return Difference("workspace_id", workspace, live.workspace_id, sentence)


def _list(run: LineageRun, live: "ApiKey") -> Difference | None:
    if live.hash not in run.place.unlisted or live.workspace_id != run.place.id:
        return None
    workspace = run.workload.workspace
    sentence = (
        f"OpenRouter's list of keys of workspace {workspace} leaves {live.name} out, and OpenRouter still has the key. "
        f"Governor goes by the key itself and changed nothing. If this is told again, ask OpenRouter's support."
    )
    return Difference("list", "in the list", "left out", sentence)


def _name_of(key: LineageKey, live: "ApiKey") -> Difference | None:
    if live.name == key.name:
        return None
    sentence = (
        f"{key.name} was renamed to {live.name}. Governor follows it by its hash and protects it as before, but "
        f"OpenRouter's analytics and other people's rules know it by its name."
    )
    return Difference("name", key.name, live.name, sentence, "Governor names it back.")


def _disabled(live: "ApiKey") -> Difference | None:
    if not live.disabled:
        return None
    sentence = f"Somebody else has disabled {live.name}: it is theirs to enable."
    return Difference("disabled", "enabled", "disabled", sentence)


def _limit(run: LineageRun, lineage: Lineage, key: LineageKey, live: "ApiKey") -> Difference | None:
    caps = caps_of(run.workload.key, guardrail(run))
    if lineage.allowance is not None and key.given_at is not None:
        return None if is_given(key, live) or is_settling(key, run.now) else _not_the_allowance(caps, key, live)
    if not caps or is_policy(caps, live) or (is_given(key, live) if key.given else within(caps, live)):
        return None
    wanted, has = _usd(caps[0].limit_usd, caps[0].period), _usd(live.limit, live.limit_reset)
    sentence = f"The limit of {live.name} was changed by hand to {has}; the policy's cap is {wanted}."
    return Difference("limit", wanted, has, sentence, "Governor sets it back.")


def _not_the_allowance(caps: Sequence[Cap], key: LineageKey, live: "ApiKey") -> Difference:
    """Even the policy's cap: who sets that by hand wants the allowance out of the way."""
    last = key.given[-1]
    given, has = _usd(last.limit_usd, last.limit_reset), _usd(live.limit, live.limit_reset)
    sentence = (
        f"The limit of {live.name} was changed by hand to {has}; its allowance was {given}, under a cap of "
        f"{_usd(caps[0].limit_usd, caps[0].period)}. Its allowance is not renewed until the limit is {given} again, or "
        f"the key is replaced."
    )
    return Difference("limit", given, has, sentence, "Governor sets it back.")


def _byok(run: LineageRun, live: "ApiKey") -> Difference | None:
    wanted = run.workload.key.include_byok_in_limit
    if not run.workload.key.limit_usd or live.include_byok_in_limit == wanted:
        return None
    sentence = f"BYOK spend {'does not count' if wanted else 'counts'} against the limit of {live.name}."
    fix = "Governor sets it back."
    return Difference("include_byok_in_limit", str(wanted).lower(), str(not wanted).lower(), sentence, fix)


def _guardrail(run: LineageRun, live: "ApiKey") -> Difference | None:
    name, guard = run.workload.key.guardrail, guardrail(run)
    if name is None:
        return None
    has = run.attachments(live.hash).guardrail_id
    if guard is None and has and _is_named(run, has, name):
        return None  # the list of guardrails left it out; OpenRouter still has it, and it still governs the key
    if guard is None:
        sentence = f"Workspace {run.workload.workspace} has no guardrail {name} any more: make it, or fix the policy."
        return Difference("guardrail", name, "none", sentence)
    if has == guard.id or guardrails_of(run.account, [live.hash], guard.id).get(live.hash) == guard.id:
        return None  # asked of the guardrail itself where the account's list leaves the key out
    sentence = f"{live.name} is not under guardrail {name}."
    return Difference("guardrail", name, _name(run, has), sentence, "Governor assigns it.")


def _creator(run: LineageRun, live: "ApiKey") -> Difference | None:
    wanted, has = run.workload.key.creator_user_id, live.creator_user_id or NOBODY
    if wanted in (None, has):
        return None
    sentence = f"The creator of {live.name} is {has}, not {wanted}: a key's creator cannot be changed, rotate it."
    return Difference("creator_user_id", wanted, has, sentence)


def _is_named(run: LineageRun, id: str, name: str) -> bool:
    try:
        return name in (id, run.account.guardrails.get(id).name)
    except NotFound:
        return False


def _mend(run: LineageRun, key: LineageKey, one: Difference) -> None:
    """What balancing does not do. Each is absolute: the same again is no harm.

    A key that is gone is replaced: `key_planning` hears of it by the event.
    """
    if one.field == "name":
        run.account.keys.update(key.hash, KeyPatch(name=key.name))
    elif one.field == "include_byok_in_limit":
        run.account.keys.update(key.hash, KeyPatch(include_byok_in_limit=one.policy == "true"))
    elif one.field == "guardrail" and one.fix:
        guard = guardrail(run)
        attach(run.account, run.place.id, key.hash, like=None, guardrail_id=guard.id if guard else None)


def _told(run: LineageRun, key: LineageKey, one: Difference, repairs: bool) -> Event:
    kind, name = DetailType.KEY_DRIFTED, run.workload.name
    evidence = Drift(
        name=name,
        field=one.field,
        policy=one.policy,
        live=one.live,
        key=KeyRef(hash=key.hash, name=key.name),
        repair=one.fix if repairs else "",
        former=key_ref(one.former),
    )
    id = event_id(kind, key.hash, one.field, one.live, f"{run.now:%Y-%m-%d}")
    return Event(kind, id, name, run.now, one.sentence, evidence.model_dump(mode="json"))


def _usd(limit: float | None, reset: str | None) -> str:
    return "none" if limit is None else f"${limit:,.2f} {reset or 'for ever'}"


def _name(run: LineageRun, id: str | None) -> str:
    return next((one.name for one in run.place.guardrails if one.id == id), id or "none")
