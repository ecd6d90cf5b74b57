"""The events of a rotation."""

from datetime import datetime

from governor.events import DetailType, Event, event_id
from governor.events.evidence import Rotated
from governor.keys.bulk_order import order_of
from governor.keys.lineage import Lineage, LineageKey
from governor.keys.rotation_end import key_ref
from governor.policy import Workload

_WHY = {
    "provision": "it had none",
    "due": "it was due",
    "expiry": "the old one expires soon",
    "asked": "a person or Secrets Manager's schedule asked",
    "exposed": "the old one leaked",
}


def started(workload: Workload, workspace_id: str, lineage: Lineage, now: datetime) -> Event:
    """Rotation Started: once for each token."""
    rotation = lineage.rotation
    assert rotation
    evidence = Rotated(
        name=workload.name,
        workspace_id=workspace_id,
        secret=workload.secret or "",
        why=rotation.why,
        old=key_ref(lineage.current),
        order=order_of(lineage.asked.by) if lineage.asked else "",
    )
    adopted = lineage.current if rotation.why == "provision" else None
    why = f"Governor made none yet, and takes {adopted.name} over" if adopted else _WHY[rotation.why]
    reason = f"{workload.name} gets a new key: {why}.{_misnamed(workload, lineage.current)}"
    return _event(DetailType.ROTATION_STARTED, rotation.token, workload, reason, evidence, now)


def _misnamed(workload: Workload, old: LineageKey | None) -> str:
    """Of a key made by hand, which has no rotation's token."""
    if old is None or old.token or old.name in (workload.name, workload.key.adopts):
        return ""
    return (
        f" Its present key is called {old.name}, not {workload.key.adopts or workload.name}: somebody renamed it. "
        f"Governor found it by secret {workload.secret}, which holds it."
    )


def failed(workload: Workload, lineage: Lineage, token: str, step: str, rule: str, reason: str, now: datetime) -> Event:
    """Rotation Failed: once for each token, step and rule."""
    evidence = Rotated(
        name=workload.name,
        secret=workload.secret or "",
        why=lineage.rotation.why if lineage.rotation else "asked",
        step=step,
        rule=rule,
        old=key_ref(lineage.current),
    )
    id = event_id(DetailType.ROTATION_FAILED, token, step, rule)
    return Event(DetailType.ROTATION_FAILED, id, workload.name, now, reason, evidence.model_dump(mode="json"))


def not_ours(secret: str, token: str, step: str, reason: str, now: datetime) -> Event:
    """Rotation Failed of a secret that no workload names, once for each token, whichever step asks:

    1. `foreign_secret`  no workload of the policy names it: it is not touched
    """
    kind = DetailType.ROTATION_FAILED
    evidence = Rotated(name=secret, secret=secret, why="asked", step=step, rule="foreign_secret")
    id = event_id(kind, token, "foreign_secret")
    return Event(kind, id, secret, now, reason, evidence.model_dump(mode="json"))


def _event(kind: DetailType, token: str, workload: Workload, reason: str, evidence: Rotated, now: datetime) -> Event:
    return Event(kind, event_id(kind, token), workload.name, now, reason, evidence.model_dump(mode="json"))
