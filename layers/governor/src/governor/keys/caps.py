"""How a workload's cap is shared by the keys of its lineage, so that together they never spend more. Pure; USD.

OpenRouter holds a key's limit against the absolute counter of the key's period. So the sum over the lineage of
max(limit, counted) is what can be spent in that period at the most, however the spending goes: whoever keeps that sum
within the cap, lowering first and raising after, needs no other guard. A guardrail's budget counts for each key apart,
which would hand a new key a fresh one: it is a second cap on the same sum.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from governor.keys.lineage import Limit, LineageKey
from governor.policy import Key

if TYPE_CHECKING:
    from management_api import ApiKey, Guardrail

Role = Literal["current", "draining", "resting", "retired", "disabled"]
"""`draining`: replaced, and used. `resting`: replaced and not used lately, but whoever has it cached still may.
`retired`: nobody may, enabled or not. `disabled`: cannot spend, but what it spent counts."""
RESTING = 0.1
"""The part of what is left that a resting key keeps: enough to be seen in use, upon which it drains."""
_LENGTH = {"daily": 1, "weekly": 2, "monthly": 3, None: 4}
CENT = 0.01
NOTHING = 0.000001
"""The least limit there is: OpenRouter does not say what a limit of 0 means."""


@dataclass(frozen=True)
class Cap:
    """At most `limit_usd` in each `period` (`daily`, `weekly`, `monthly`, None: ever), all keys together."""

    limit_usd: float
    period: str | None
    include_byok: bool = False


@dataclass(frozen=True)
class Split:
    """The limits for the time in which several keys share: `lowered` first, each read back, then the new one's."""

    lowered: Mapping[str, Limit]
    new: Limit


def caps_of(key: Key, guard: "Guardrail | None") -> list[Cap]:
    """What a workload's lineage may spend: the policy's cap, and its guardrail's budget, which counts for each key."""
    found = [Cap(key.limit_usd, key.limit_reset, key.include_byok_in_limit)] if key.limit_usd else []
    if guard and guard.limit_usd:
        found.append(Cap(guard.limit_usd, guard.reset_interval, guard.include_byok_in_budgets))
    return found


def is_lower(now: float | None, limit: Limit | None) -> bool:
    """Whether the limit leaves less than the one that a key has now (USD; None: none)."""
    return limit is not None and limit.limit_usd is not None and (now is None or limit.limit_usd < now)


def split(caps: Sequence[Cap], keys: Sequence["ApiKey"], deleted: Sequence[LineageKey], now: datetime) -> Split:
    """Half of what is left for the keys that there are, half for the one that is to be made.

    `caps`: the workload's own first. `keys`: the lineage's. A disabled one keeps what it has counted and no more: it
    may be restored at any time, and then must not bring a cap of its own along.
    """
    if not caps:
        return Split({}, Limit(None, None))
    if not keys and not _matters(caps, keys, deleted, now):
        return Split({}, Limit(caps[0].limit_usd, caps[0].period))
    reset = _longest(caps)
    left = _left(caps, keys, deleted, now)
    live = [key for key in keys if not key.disabled]
    half = left / 2 if live else left
    lowered = {key.hash: _allow(key, half / len(live), reset) for key in live}
    lowered |= {key.hash: _allow(key, 0.0, reset) for key in keys if key.disabled and _has_room(key, reset)}
    return Split(lowered, Limit(max(half, NOTHING), reset))


def used_up(
    caps: Sequence[Cap], keys: Sequence["ApiKey"], deleted: Sequence[LineageKey], now: datetime
) -> tuple[Cap, float] | None:
    """The first cap that is never reset and of which less than a cent is left, with what the lineage has spent of it.

    A key under such a cap could spend nothing, today or later. One that is reset gives it its share then.
    """
    for cap in caps:
        spent = _spent(cap, keys, deleted, now)
        if period_start(cap.period, now) is None and cap.limit_usd - spent < CENT:
            return cap, spent
    return None


def balance(
    caps: Sequence[Cap],
    keys: Mapping[str, "ApiKey"],
    roles: Mapping[str, Role],
    deleted: Sequence[LineageKey],
    now: datetime,
) -> dict[str, Limit]:
    """The limits that differ from what the keys have: those to lower first, then those to raise.

    Of what is left, a key still used has half and a resting one a tenth; a retired one has nothing, and the current one
    the rest. Shares that are still ample stay as they are. The current key alone has the whole cap again, in the
    policy's own period.
    """
    if not caps:
        return {}
    current = next((keys[hash] for hash, role in roles.items() if role == "current" and hash in keys), None)
    rest = [key for hash, key in keys.items() if current is None or hash != current.hash]
    if current and not _matters(caps, rest, deleted, now):
        return _changes(keys, {current.hash: Limit(caps[0].limit_usd, caps[0].period)})
    reset, left = _longest(caps), _left(caps, list(keys.values()), deleted, now)
    shares: dict[str, float] = {}
    for kept, part in (("draining", 0.5), ("resting", RESTING)):
        those = [hash for hash, role in roles.items() if role == kept and hash in keys]
        shares |= {hash: left * part / len(those) for hash in those}
    if current:
        shares[current.hash] = left - sum(shares.values())
    if _ample(caps, keys, shares, roles, reset, deleted, now):
        return {}
    return _changes(keys, {hash: _allow(key, shares.get(hash, 0.0), reset) for hash, key in keys.items()})


def nothing_more(caps: Sequence[Cap], key: "ApiKey") -> Limit:
    """The limit that leaves a key nothing to spend beside what it has counted."""
    return _allow(key, 0.0, _longest(caps))


def counted(key: "ApiKey", period: str | None, byok: bool) -> float:
    """What the key's counter of the period shows, BYOK included where it counts."""
    suffix = {"daily": "_daily", "weekly": "_weekly", "monthly": "_monthly"}.get(period or "", "")
    usage = float(getattr(key, f"usage{suffix}"))
    return usage + float(getattr(key, f"byok_usage{suffix}")) if byok else usage


def spent_by_period(key: "ApiKey", byok: bool) -> dict[str, float]:
    """What the key has spent in each of its present periods and in its life, in USD, as `LineageKey.spent` keeps it."""
    spent = {period: counted(key, period, byok) for period in ("daily", "weekly", "monthly")}
    return {**spent, "lifetime": counted(key, None, byok)}


def period_start(period: str | None, now: datetime) -> datetime | None:
    """When OpenRouter's present period began: UTC midnight, Monday's, the month's first; None for a limit for ever."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match period:
        case "daily":
            return day
        case "weekly":
            return day - timedelta(days=day.weekday())
        case "monthly":
            return day.replace(day=1)
        case _:
            return None


def _left(caps: Sequence[Cap], keys: Sequence["ApiKey"], deleted: Sequence[LineageKey], now: datetime) -> float:
    return max(0.0, min(cap.limit_usd - _spent(cap, keys, deleted, now) for cap in caps))


def _spent(cap: Cap, keys: Sequence["ApiKey"], deleted: Sequence[LineageKey], now: datetime) -> float:
    start = period_start(cap.period, now)
    gone = sum(
        key.spent.get(cap.period or "lifetime", 0.0)
        for key in deleted
        if key.spent and (start is None or (key.spent_at or key.since) >= start)
    )
    return gone + sum(counted(key, cap.period, cap.include_byok) for key in keys)


def _matters(caps: Sequence[Cap], keys: Sequence["ApiKey"], deleted: Sequence[LineageKey], now: datetime) -> bool:
    """Whether other keys than the current can still spend of a cap, or have done so in its period."""
    return any(not key.disabled for key in keys) or any(_spent(cap, keys, deleted, now) > 0 for cap in caps)


def _longest(caps: Sequence[Cap]) -> str | None:
    """No counter that a share is held against may reset before the last cap's period does."""
    return max((cap.period for cap in caps), key=lambda period: _LENGTH[period])


def _has_room(key: "ApiKey", reset: str | None) -> bool:
    return key.limit is None or key.limit > counted(key, reset, key.include_byok_in_limit) + NOTHING


def _allow(key: "ApiKey", share: float, reset: str | None) -> Limit:
    return Limit(max(counted(key, reset, key.include_byok_in_limit) + share, NOTHING), reset)


def _ample(
    caps: Sequence[Cap],
    keys: Mapping[str, "ApiKey"],
    shares: Mapping[str, float],
    roles: Mapping[str, Role],
    reset: str | None,
    deleted: Sequence[LineageKey],
    now: datetime,
) -> bool:
    """Whether the limits as they are keep within the caps and leave every key its share, or as much of it as keeps
    runs from moving limits after every request: half, as long as two keys spend."""
    enough = 0.5 if "draining" in roles.values() else 0.8 if "resting" in roles.values() else 0.99
    room = 0.0
    for hash, key in keys.items():
        if key.disabled:
            continue
        if key.limit is None or key.limit_reset != reset:
            return False
        free = max(0.0, key.limit - counted(key, reset, key.include_byok_in_limit))
        if free < shares.get(hash, 0.0) * enough or (roles.get(hash) == "retired" and free > NOTHING):
            return False
        room += free
    return room <= _left(caps, list(keys.values()), deleted, now) * (1 + 1e-9) + NOTHING * len(keys)


def _changes(keys: Mapping[str, "ApiKey"], targets: Mapping[str, Limit]) -> dict[str, Limit]:
    changed = {
        hash: limit for hash, limit in targets.items() if Limit(keys[hash].limit, keys[hash].limit_reset) != limit
    }
    return dict(sorted(changed.items(), key=lambda one: _raises(keys[one[0]], one[1])))


def _raises(key: "ApiKey", limit: Limit) -> bool:
    return limit.limit_usd is None or (key.limit is not None and limit.limit_usd > key.limit)
