"""Puts the former key back into the secret when somebody deleted the current one in its overlap.

Only where the policy says `key.drift: repair`, and only a key that is in overlap: it is enabled, in every list, and
has been used until lately. One in quarantine was disabled, and comes back only when a person asks for it. The label
moves before the events go out, and the row comes last: a death in between does the same again under the same ids.

What `Rotation Rolled Back` then says:
 1. `current_gone`  the current key was deleted by hand, and the former one is back in the secret
"""

from governor.events import DetailType, Event, event_id
from governor.events.evidence import KeyRef, Rotated
from governor.keys.lineage import Lineage, LineageKey
from governor.keys.succession import rolled_back
from governor.secrets.versions import SecretMissing
from key_retirement.drifting import gone
from key_retirement.ports import LineageRun
from key_retirement.rollback import Refused, move_label, prove, version_of

BY = "governor"


def take_back(run: LineageRun, lineage: Lineage) -> Lineage:
    """The lineage with its former key as the current one, or as it was where that must not or cannot be.

    Tells `Rotation Rolled Back`, and `Key Drifted`, by which key planning rotates at once. Idempotent. Raises
    `LedgerConflict`.
    """
    lost, former = lineage.current, _former(run, lineage)
    if lost is None or lost.hash in run.place.keys or former is None or lineage.rotation:
        return lineage
    if run.workload.key.drift != "repair" or run.ports.causes.causes(lineage.workload).standing():
        return lineage
    try:
        secret = run.ports.secrets.describe(run.workload.secret or "")
        version = version_of(run, secret, former)
        prove(run, secret.arn, version, former)
    except (Refused, SecretMissing) as refusal:
        run.ports.log.warning(
            "the former key cannot be taken back", extra={"workload": lineage.workload, "error": f"{refusal}"}
        )
        return lineage
    move_label(run, secret, version)
    run.ports.bus.publish([_told(run, lost, former), gone(run, lost, former)])
    return run.ports.lineages.write(rolled_back(lineage, former.hash, run.rules.overlap, run.now))


def _former(run: LineageRun, lineage: Lineage) -> LineageKey | None:
    """The key that was replaced last, as long as it is enabled. `until` after `since`: it was in use once."""
    found = [
        key
        for key in lineage.keys
        if key.state == "overlap" and not key.exposed and key.until and key.until > key.since
        if (live := run.place.keys.get(key.hash)) and not live.disabled
    ]
    return max(found, key=lambda key: key.since, default=None)


def _told(run: LineageRun, lost: LineageKey, former: LineageKey) -> Event:
    kind, name = DetailType.ROTATION_ROLLED_BACK, run.workload.name
    evidence = Rotated(
        name=name,
        workspace_id=run.place.id,
        secret=run.workload.secret or "",
        why="asked",
        rule="current_gone",
        new=KeyRef(hash=former.hash, name=former.name),
        old=KeyRef(hash=lost.hash, name=lost.name),
        requested_by=BY,
    )
    reason = (
        f"Somebody deleted {lost.name}, the current key of {name}, in OpenRouter. Governor put the former key "
        f"{former.name} back into secret {run.workload.secret}, and asks for a new key."
    )
    id = event_id(kind, lost.hash, "current_gone")
    return Event(kind, id, name, run.now, reason, evidence.model_dump(mode="json"))
