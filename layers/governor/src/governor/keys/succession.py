"""How a lineage passes from one current key to the next. Pure: the row as it is and `now` in, as it shall be out.

`key_rotation` completes a rotation; `key_retirement` completes one whose last words were lost, abandons one that will
not end, and gives a former key back.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from governor.keys.bulk_order import order_of
from governor.keys.causes import CauseRow, Causes, union
from governor.keys.lineage import Lineage, LineageKey
from governor.ledger import ABSENT


def completed(
    lineage: Lineage, overlap: timedelta, quarantine: timedelta, now: datetime, leaked: Collection[str] = ()
) -> Lineage:
    """The rotation in hand is over: its pending key is current, and the former current key is in overlap.

    A `leaked` key has no overlap: it is disabled already, goes to quarantine, and never comes back.
    """
    rotation = lineage.rotation
    if rotation is None:
        return lineage
    order = order_of(lineage.asked.by) if lineage.asked else ""
    keys = []
    for key in lineage.keys:
        if key.hash == rotation.hash:
            keys.append(replace(key, state="current", since=now, until=None))
        elif key.hash in leaked and key.state != "deleted":
            until = now + quarantine
            keys.append(replace(key, state="quarantined", since=now, until=until, exposed=True, order=order))
        else:
            keys.append(replace(_drains(key, overlap, now), order=order) if key.state == "current" else key)
    return replace(lineage, keys=tuple(keys), rotation=None, asked=None)


def abandoned(lineage: Lineage, now: datetime) -> Lineage:
    """The rotation in hand will not end: its key, which nobody was given, is to be retired at once."""
    rotation = lineage.rotation
    if rotation is None:
        return lineage
    keys = tuple(
        replace(key, state="overlap", since=now, until=now) if key.hash == rotation.hash else key
        for key in lineage.keys
    )
    return replace(lineage, keys=keys, rotation=None)


def rolled_back(lineage: Lineage, hash: str, overlap: timedelta, now: datetime) -> Lineage:
    """The key `hash` is current again; the one that was is in overlap, as any key that is replaced."""
    keys = []
    for key in lineage.keys:
        if key.hash == hash:
            keys.append(replace(key, state="current", since=now, until=None, seen=None, told_at=None, order=""))
        else:
            keys.append(_drains(key, overlap, now) if key.state == "current" else key)
    return replace(lineage, keys=tuple(keys), asked=None)


def held(causes: Causes, workload: str, hashes: Collection[str], trigger: str, now: datetime) -> CauseRow:
    """The cause `rotation` with these keys added: the intent, to be committed before the first of them is disabled."""
    row = causes.get("rotation")
    before = row.hashes if row and row.is_active else ()
    return CauseRow(
        workload, "rotation", "disabling", trigger, union(before, hashes), now, version=row.version if row else ABSENT
    )


def released(causes: Causes, hash: str) -> CauseRow | None:
    """The cause `rotation` without this key, which is to live again; None when it does not hold it."""
    row = causes.get("rotation")
    if row is None or not row.is_active or hash not in row.hashes:
        return None
    return replace(row, hashes=tuple(one for one in row.hashes if one != hash))


def settled_leak(causes: Causes, now: datetime) -> CauseRow | None:
    """The cause `exposed`, lifted because every key it holds was replaced; its keys pass to the cause `rotation`."""
    row = causes.get("exposed")
    if row is None or not row.is_active:
        return None
    return replace(row, status="lifted", lifted_by="key_rotation", lifted_at=now)


def _drains(key: LineageKey, overlap: timedelta, now: datetime) -> LineageKey:
    return replace(key, state="overlap", since=now, until=now + overlap, seen=None, told_at=None)
