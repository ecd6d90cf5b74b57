"""Finds keys that bear a workload's tag and that no row knows: a POST whose answer, and plaintext, was lost."""

from typing import TYPE_CHECKING

from governor.attachments import NOTHING
from governor.completion import held, released
from governor.events import DetailType, Event, event_id
from governor.evidence import Drift, KeyRef, Retired
from governor.lineage import Lineage
from governor.policy import ROTATION_TAG
from governor.secret_versions import Stage
from governor.settling import settle
from key_retirement.decide import orphan
from key_retirement.ports import Tending
from key_retirement.retiring import erase

if TYPE_CHECKING:
    from management_api import ApiKey

STAGES: tuple[Stage, ...] = ("AWSCURRENT", "AWSPENDING", "AWSPREVIOUS")


def remove_orphans(tending: Tending, lineage: Lineage) -> None:
    """Disables each at one beat, deletes it at a later one; tells of those that are used, and leaves them."""
    name = tending.workload.name
    known = {key.hash for key in lineage.keys}
    found = [
        key
        for key in tending.place.keys.values()
        if key.name.startswith(f"{name}{ROTATION_TAG}") and key.hash not in known
    ]
    if not found:
        return
    kept = _in_secret(tending)
    for key in found:
        causes = tending.ports.causes.causes(name)
        disabled_at = (key.updated_at or key.created_at) if causes.known(key.hash) and key.disabled else None
        referenced = key.hash in kept or tending.attachments(key.hash) != NOTHING
        decision = orphan(key, referenced, disabled_at, tending.now)
        match decision.action:
            case "tell":
                tending.ports.bus.publish([_in_use(tending, key)])
            case "disable":
                row = held(causes, name, [key.hash], f"orphan {key.hash}", tending.now)
                tending.ports.causes.write(row)
                settle(tending.account, tending.ports.causes, name, [key.hash])
            case "delete":
                erase(tending, key.hash)
                tending.ports.bus.publish([_removed(tending, key)])
                gone = released(causes, key.hash)
                if gone:
                    tending.ports.causes.write(gone)


def _in_secret(tending: Tending) -> set[str]:
    secret = tending.workload.secret or ""
    values = [tending.ports.secrets.value(secret, stage=stage) for stage in STAGES]
    return {value.hash for value in values if value}


def _removed(tending: Tending, key: "ApiKey") -> Event:
    kind, name = DetailType.ORPHAN_REMOVED, tending.workload.name
    evidence = Retired(
        name=name,
        workspace_id=tending.place.id,
        key=KeyRef(hash=key.hash, name=key.name),
        created_at=key.created_at,
        disabled_at=key.updated_at,
    )
    reason = f"{key.name} was removed: its creation was answered to nobody, and it was never used."
    return Event(kind, event_id(kind, key.hash), name, tending.now, reason, evidence.model_dump(mode="json"))


def _in_use(tending: Tending, key: "ApiKey") -> Event:
    kind, name = DetailType.KEY_DRIFTED, tending.workload.name
    evidence = Drift(
        name=name, field="orphan_in_use", policy="no such key", live=key.name, key=KeyRef(hash=key.hash, name=key.name)
    )
    reason = (
        f"{key.name} bears {name}'s tag, Governor did not hand it out, and somebody uses it: find out who made it, "
        f"then delete it in OpenRouter."
    )
    id = event_id(kind, key.hash, "orphan_in_use", f"{tending.now:%Y-%m-%d}")
    return Event(kind, id, name, tending.now, reason, evidence.model_dump(mode="json"))
