"""Finds keys that bear a workload's tag and that no row knows: a POST whose answer, and plaintext, was lost."""

from typing import TYPE_CHECKING

from governor.events import DetailType, Event, event_id
from governor.events.evidence import Drift, KeyRef, Retired
from governor.keys.attachments import NOTHING
from governor.keys.lineage import Lineage
from governor.keys.reconcile import settle
from governor.keys.succession import held, released
from governor.policy import ROTATION_TAG
from governor.secrets.versions import Stage
from key_retirement.decide import orphan
from key_retirement.ports import LineageRun
from key_retirement.retiring import erase

if TYPE_CHECKING:
    from management_api import ApiKey

STAGES: tuple[Stage, ...] = ("AWSCURRENT", "AWSPENDING", "AWSPREVIOUS")


def remove_orphans(run: LineageRun, lineage: Lineage) -> None:
    """Disables each at one run, deletes it at a later one; tells of those that are used, and leaves them."""
    name = run.workload.name
    known = {key.hash for key in lineage.keys}
    found = [
        key for key in run.place.keys.values() if key.name.startswith(f"{name}{ROTATION_TAG}") and key.hash not in known
    ]
    if not found:
        return
    kept = _in_secret(run)
    for key in found:
        causes = run.ports.causes.causes(name)
        disabled_at = (key.updated_at or key.created_at) if causes.known(key.hash) and key.disabled else None
        referenced = key.hash in kept or run.attachments(key.hash) != NOTHING
        decision = orphan(key, referenced, disabled_at, run.now)
        match decision.action:
            case "tell":
                run.ports.bus.publish([_in_use(run, key)])
            case "disable":
                row = held(causes, name, [key.hash], f"orphan {key.hash}", run.now)
                run.ports.causes.write(row)
                settle(run.account, run.ports.causes, name, [key.hash])
            case "delete":
                erase(run, key.hash)
                run.ports.bus.publish([_removed(run, key)])
                gone = released(causes, key.hash)
                if gone:
                    run.ports.causes.write(gone)


def _in_secret(run: LineageRun) -> set[str]:
    secret = run.workload.secret or ""
    values = [run.ports.secrets.value(secret, stage=stage) for stage in STAGES]
    return {value.hash for value in values if value}


def _removed(run: LineageRun, key: "ApiKey") -> Event:
    kind, name = DetailType.ORPHAN_REMOVED, run.workload.name
    evidence = Retired(
        name=name,
        workspace_id=run.place.id,
        key=KeyRef(hash=key.hash, name=key.name),
        created_at=key.created_at,
        disabled_at=key.updated_at,
    )
    reason = f"{key.name} was removed: its creation was answered to nobody, and it was never used."
    return Event(kind, event_id(kind, key.hash), name, run.now, reason, evidence.model_dump(mode="json"))


def _in_use(run: LineageRun, key: "ApiKey") -> Event:
    kind, name = DetailType.KEY_DRIFTED, run.workload.name
    evidence = Drift(
        name=name, field="orphan_in_use", policy="no such key", live=key.name, key=KeyRef(hash=key.hash, name=key.name)
    )
    reason = (
        f"{key.name} bears {name}'s tag, Governor did not hand it out, and somebody uses it: find out who made it, "
        f"then delete it in OpenRouter."
    )
    id = event_id(kind, key.hash, "orphan_in_use", f"{run.now:%Y-%m-%d}")
    return Event(kind, id, name, run.now, reason, evidence.model_dump(mode="json"))
