"""From lifetime counters to spend: what each key has spent since its last reading, and nothing else counted as that.

A key met for the first time, a counter that shrank or leapt (`doubts.py`), a key that vanished, returned or moved to
another workspace, and a workspace that could not be read: none becomes spend, and none a silent zero. Pure.

A key is remembered as 72 packed bytes: 10,000 of them are compared, carried and stored every minute, and most have not
moved since the last run.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from struct import Struct
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from spend_meter.doubts import ROUNDING, Counters, Doubt, Growth, growth
from spend_meter.periods import Period, moment_of, starts_at

if TYPE_CHECKING:
    from management_api import ApiKey

_PACKED = Struct("<2dI6dI")
PACKED_SIZE = _PACKED.size
_AT_REST = Struct("<2dI")
_MOVED, _MOVED_AT = Struct("<I"), PACKED_SIZE - 4

type Packed = bytes
type Known = Mapping[str, Mapping[str, Packed]]
"""Workspace id to key hash to what was last read of the key."""


class Seen(NamedTuple):
    """A key as last read. `gone`: the minute it was missed first, or 0. `moved`: the minute when it last differed."""

    usage: float
    byok_usage: float
    gone: int
    daily: float
    weekly: float
    monthly: float
    byok_daily: float
    byok_weekly: float
    byok_monthly: float
    moved: int

    def pack(self) -> Packed:
        return _PACKED.pack(*self)

    @classmethod
    def unpack(cls, packed: Packed) -> "Seen":
        return cls(*_PACKED.unpack(packed))

    def spent(self, period: Period, byok: bool, now_minute: int) -> float:
        """USD spent in the period around `now_minute`; a counter of a period that is over counts for nothing."""
        start = starts_at(period, moment_of(now_minute))
        if start is None:
            return self.usage + (self.byok_usage if byok else 0.0)
        if moment_of(self.moved) < start:
            return 0.0
        own, brought = {
            "daily": (self.daily, self.byok_daily),
            "weekly": (self.weekly, self.byok_weekly),
            "monthly": (self.monthly, self.byok_monthly),
        }[period]
        return own + (brought if byok else 0.0)


class Move(NamedTuple):
    """A key that spent `spent` USD over the last `span` minutes; None: its counters are in doubt, which tells nothing.

    `still_since`: the minute since which it was known not to have spent.
    """

    key: "ApiKey"
    workspace_id: str
    spent: float | None
    span: int
    still_since: int


@dataclass(frozen=True)
class Metered:
    """`known`: what to compare the next reading with. `departed`: lifetime (usage, BYOK) of keys forgotten just now.

    `doubts`: key hash to what is not believed of it yet.
    """

    known: Known
    moves: Sequence[Move]
    departed: Mapping[str, tuple[float, float]]
    doubts: Mapping[str, Doubt]

    @property
    def unsettled(self) -> AbstractSet[str]:
        """The keys whose present counters decide nothing."""
        return {hash for hash, doubt in self.doubts.items() if doubt.unsettled}


def meter(
    known: Known,
    listed: Mapping[str, Sequence["ApiKey"] | None],
    minute: int,
    read_at: Mapping[str, int],
    counts_byok: Callable[["ApiKey"], bool],
    doubts: Mapping[str, Doubt],
    unreadable: Mapping[str, AbstractSet[str]] = MappingProxyType({}),
) -> Metered:
    """Compares a reading with the last one, and with what was in doubt then.

    `unreadable`: workspace id to the hashes of keys that its list holds and that cannot be read: they are as they were
    read last, and what they spend meanwhile is told when they are read again.

    `listed`: every workspace that exists; None for one that could not be read. A workspace absent from it was deleted,
    and its keys are gone. `read_at`: the minute of each workspace's last complete reading; a key made since then has
    spent since then all that it ever spent.
    """
    at_rest = _AT_REST.pack
    present, wholly = _each_once(listed)
    after: dict[str, Mapping[str, Packed]] = {}
    moves: list[Move] = []
    departed: dict[str, tuple[float, float]] = {}
    doubted = dict(doubts)
    for workspace_id in {**known, **present}:
        before = known.get(workspace_id, {})
        keys = present.get(workspace_id, {})
        if keys is None:
            moved_away = before.keys() & wholly
            after[workspace_id] = _without(before, moved_away) if moved_away else before
            continue
        seen = dict(before)
        since = read_at.get(workspace_id, 0)
        for hash, key in keys.items():
            packed = before.get(hash)
            # Nine in ten keys end here: there is no cheaper way to see that nothing happened.
            if packed and hash not in doubted and packed.startswith(at_rest(key.usage, key.byok_usage, 0)):
                continue
            packed = packed or last_seen(known, hash)
            grown = _grown(key, packed, doubted.pop(hash, None), minute, since)
            if grown and grown.doubt:
                doubted[hash] = grown.doubt
            move = _moved(key, workspace_id, packed, grown, since, counts_byok)
            if move:
                moves.append(move)
            seen[hash] = _kept(key, packed, grown, minute)
        missing = before.keys() - keys.keys()
        if workspace_id in unreadable:
            doubted |= _hidden(seen, missing & unreadable[workspace_id], doubted, minute, since)
            missing &= wholly
        if missing:
            lost = _miss(seen, missing, wholly, minute)
            if lost != (0.0, 0.0):
                departed[workspace_id] = lost
        after[workspace_id] = seen
    kept = {place: keys for place, keys in after.items() if keys or place in listed}
    return Metered(kept, moves, departed, doubted)


def _hidden(
    seen: Mapping[str, Packed], hashes: AbstractSet[str], doubts: Mapping[str, Doubt], minute: int, read_at: int
) -> dict[str, Doubt]:
    """Keys that cannot be read are in doubt from their last good reading on."""
    found = {}
    for hash in hashes - doubts.keys():
        usage, byok_usage, gone = _AT_REST.unpack_from(seen[hash])
        found[hash] = Doubt("fell", usage, byok_usage, gone or read_at or minute - 1)
    return found


def _miss(
    seen: dict[str, Packed], missing: AbstractSet[str], wholly: AbstractSet[str], minute: int
) -> tuple[float, float]:
    """Marks keys that are no longer listed, and forgets them when the month of their last usage is over.

    Returns the lifetime (usage, BYOK usage) of those forgotten.
    """
    month = starts_at("monthly", moment_of(minute))
    usage = byok_usage = 0.0
    for hash in missing:
        lost = Seen.unpack(seen[hash])
        if hash in wholly:
            del seen[hash]
        elif not lost.gone:
            seen[hash] = lost._replace(gone=minute).pack()
        elif month and moment_of(lost.gone) < month:
            usage, byok_usage = usage + lost.usage, byok_usage + lost.byok_usage
            del seen[hash]
    return usage, byok_usage


def _grown(key: "ApiKey", before: Packed | None, doubt: Doubt | None, minute: int, read_at: int) -> Growth | None:
    """What the key has spent since its last reading; None for one met for the first time."""
    now = Counters(key.usage, key.byok_usage)
    if before is not None:
        usage, byok_usage, gone = _AT_REST.unpack_from(before)
        return growth(now, Counters(usage, byok_usage), doubt, minute, gone or read_at or minute - 1)
    if read_at and key.created_at >= moment_of(read_at):
        return growth(now, Counters(0.0, 0.0), doubt, minute, read_at)
    return None


def _moved(
    key: "ApiKey",
    workspace_id: str,
    before: Packed | None,
    grown: Growth | None,
    read_at: int,
    counts_byok: Callable[["ApiKey"], bool],
) -> Move | None:
    if grown is None:
        return None
    still_since = _MOVED.unpack_from(before, _MOVED_AT)[0] if before else read_at
    if grown.spent is None:
        return Move(key, workspace_id, None, grown.span, still_since)
    own, brought = grown.spent
    spent = own + (brought if brought > 0 and counts_byok(key) else 0.0)
    return Move(key, workspace_id, spent, grown.span, still_since) if spent > ROUNDING else None


def _kept(key: "ApiKey", before: Packed | None, grown: Growth | None, minute: int) -> Packed:
    """What the next reading is compared with: this one, unless it is not believed."""
    if grown and grown.base != (key.usage, key.byok_usage):
        seen = Seen.unpack(before) if before else Seen(0.0, 0.0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, minute)
        return seen._replace(usage=grown.base.usage, byok_usage=grown.base.byok_usage, gone=0).pack()
    return _PACKED.pack(
        key.usage,
        key.byok_usage,
        0,
        key.usage_daily,
        key.usage_weekly,
        key.usage_monthly,
        key.byok_usage_daily,
        key.byok_usage_weekly,
        key.byok_usage_monthly,
        minute,
    )


def last_seen(known: Known, hash: str) -> Packed | None:
    """The key where it was last seen: one that moved to another workspace keeps its counters."""
    return next((keys[hash] for keys in known.values() if hash in keys), None)


def _without(keys: Mapping[str, Packed], gone: set[str]) -> dict[str, Packed]:
    return {hash: packed for hash, packed in keys.items() if hash not in gone}


def _each_once(
    listed: Mapping[str, Sequence["ApiKey"] | None],
) -> tuple[dict[str, dict[str, "ApiKey"] | None], AbstractSet[str]]:
    """The listing by hash, and all hashes in it. A key that is there twice has the highest counters read of it."""
    by_hash = {place: None if keys is None else _highest(keys) for place, keys in listed.items()}
    known = [keys for keys in by_hash.values() if keys is not None]
    best: dict[str, ApiKey] = {}
    for keys in known:
        best.update(keys)
    if len(best) == sum(map(len, known)):
        return by_hash, best.keys()
    for keys in known:
        for hash, key in keys.items():
            if (key.usage, key.byok_usage) > (best[hash].usage, best[hash].byok_usage):
                best[hash] = key
    highest = {
        place: None if keys is None else {hash: key for hash, key in keys.items() if best[hash] is key}
        for place, keys in by_hash.items()
    }
    return highest, best.keys()


def _highest(keys: Sequence["ApiKey"]) -> dict[str, "ApiKey"]:
    by_hash = {key.hash: key for key in keys}
    if len(by_hash) < len(keys):
        for key in keys:
            if (key.usage, key.byok_usage) > (by_hash[key.hash].usage, by_hash[key.hash].byok_usage):
                by_hash[key.hash] = key
    return by_hash
