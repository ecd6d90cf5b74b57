"""The end of a rotation: the ledger says which key is current, and the bus tells of it.

`key_rotation` comes here at its last step; `key_retirement` for a rotation whose last words were lost; both tell the
same under the same id.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from governor.clock import Clock
from governor.events import DetailType, Event, Publisher, event_id
from governor.events.evidence import KeyRef, Rotated
from governor.keys.bulk_order import order_of
from governor.keys.causes import CauseStore
from governor.keys.lineage import Lineage, LineageKey, Lineages
from governor.keys.succession import completed, held, settled_leak
from governor.ledger import LedgerConflict, Put
from governor.policy import Rotation, Workload
from governor.secrets.versions import SecretVersions, WorkloadSecret

BY_HAND = Rotation(every=timedelta(days=365))
"""Of a workload without `rotation`, rotated by hand: overlap, drain and quarantine as a declared one's defaults."""


@dataclass(frozen=True)
class Finishing:
    """What the end of a rotation needs. `secret`: the secret's ARN."""

    workload: Workload
    secret: str
    secrets: SecretVersions
    lineages: Lineages
    causes: CauseStore
    bus: Publisher
    clock: Clock

    @property
    def rules(self) -> Rotation:
        return self.workload.rotation or BY_HAND

    def record(self, token: str, value: WorkloadSecret) -> Lineage:
        """Writes which key the version `token` holds. Idempotent. Raises `LedgerConflict`."""
        lineage = self.lineages.get(self.workload.name)
        rotation = lineage.rotation
        if rotation is None or rotation.token != token:
            raise LedgerConflict(f"the rotation of {self.workload.name} changed hands meanwhile")
        if rotation.hash == value.hash:
            return lineage
        now = self.clock()
        life = self.workload.key.expires_in
        expires_at = (value.rotated_at or now) + life if life else None
        key = LineageKey(
            value.hash, value.name, "pending", now, token, expires_at=expires_at, attribution=rotation.attribution
        )
        claim = lineage.limits_claim
        if claim and claim.by == token:
            claim = None  # the new key has its share, and the row knows it
        rotation = replace(rotation, hash=value.hash)
        return self.lineages.write(replace(lineage.with_key(key), rotation=rotation, limits_claim=claim))

    def complete(self, lineage: Lineage) -> Lineage:
        """Tells that the rotation in hand is over, and writes it, with the leak that it settles.

        The event goes out first: a death in between repeats it under the same id, and never loses it. Raises
        `LedgerConflict`.
        """
        rotation = lineage.rotation
        if rotation is None:
            return lineage
        if not rotation.hash:
            # The process died between the secret and the row; the secret tells which key it was.
            value = self.secrets.value(self.secret, rotation.token)
            if value:
                lineage = self.record(rotation.token, value)
        now = self.clock()
        causes = self.causes.causes(self.workload.name)
        leak = settled_leak(causes, now) if rotation.why == "exposed" else None
        leaked = leak.hashes if leak else ()
        after = completed(lineage, self.rules.overlap, self.rules.quarantine, now, leaked)
        self.bus.publish([_rotated(self.workload, lineage, after, rotation.token, rotation.why, now)])
        beside: Sequence[Put] = ()
        if leak:
            beside = (leak.put(), held(causes, self.workload.name, leaked, rotation.token, now).put())
        return self.lineages.write(after, *beside)


def key_ref(key: LineageKey | None) -> KeyRef | None:
    return KeyRef(hash=key.hash, name=key.name) if key else None


def _rotated(workload: Workload, before: Lineage, after: Lineage, token: str, why: str, now: datetime) -> Event:
    old = after.key(before.current.hash) if before.current else None
    overlaps = old is not None and old.state == "overlap"
    new = key_ref(after.current)
    evidence = Rotated(
        name=workload.name,
        secret=workload.secret or "",
        why=why,
        new=new,
        old=key_ref(old),
        overlap_until=old.until if old and overlaps else None,
        order=order_of(before.asked.by) if before.asked else "",
    )
    fate = ""
    if old:
        fate = f" {old.name} works on until it has been quiet." if overlaps else f" {old.name} stays disabled."
    reason = f"{workload.name} has a new key, {new.name if new else 'unknown'}, in secret {workload.secret}.{fate}"
    id = event_id(DetailType.KEY_ROTATED, token)
    return Event(DetailType.KEY_ROTATED, id, workload.name, now, reason, evidence.model_dump(mode="json"))
