"""How much a key may spend until Governor has looked again: `key.allowance` of the policy. Pure; USD.

OpenRouter holds a key to its limit in the request's path, whether Governor lives or not. So the limit of a key is kept
at what it has spent plus what its own habit may need while nobody looks, and never above its share of the caps
(`governor.keys.caps`): a loop of any rate then costs at most that. The meter says what the habit may need (`Needs`),
since it knows the habit; `key_retirement` sets the limit, since it sets them all, one at a time (decision 27).

A limit moves only when less than the need is left of it, or much more: see `granted`.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from governor.keys.caps import CENT, Split, counted
from governor.keys.lineage import Limit

if TYPE_CHECKING:
    from management_api import ApiKey

GRANTED = 1.2
"""Needs that a limit leaves when it is set: at a steady pace it is set again after a fifth of a need was spent."""
MOST = 1.35
"""Needs that a limit may leave. More is left by a reset of its period, or by a habit that has shrunk."""
FRESH = timedelta(minutes=15)
"""How old the meter's word on needs may be. An older one raises no limit: the meter does not look."""


class BadNeeds(Exception):
    """The stored needs are not what this module writes; the message says where."""


@dataclass(frozen=True)
class Need:
    """What the habit of a workload's keys may spend in the time that its allowance covers, in USD; of each key.

    `renew`: whether limits may be raised for it; not while the workload is suspected or confirmed as a runaway. `due`:
    a limit of its keys may have to move.
    """

    usd: float
    renew: bool = True
    due: bool = False


@dataclass(frozen=True)
class Needs:
    """The needs by workload as of the meter's reading at `minute` (whole minutes since 1970).

    A workload that is not among them has too short a history for an allowance.
    """

    minute: int
    by_workload: Mapping[str, Need] = field(default_factory=dict)

    def is_fresh(self, now: datetime) -> bool:
        """Whether the meter has looked lately. One whose clock is far ahead of ours has not."""
        return abs(now - datetime.fromtimestamp(self.minute * 60, UTC)) <= FRESH

    def encode(self) -> bytes:
        needs = {name: [one.usd, one.renew, one.due] for name, one in self.by_workload.items()}
        return json.dumps({"version": 1, "minute": self.minute, "needs": needs}, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """Raises `BadNeeds`."""
        try:
            found: dict[str, Any] = json.loads(content)
            needs = {
                name: Need(float(usd), renew is True, due is True) for name, (usd, renew, due) in found["needs"].items()
            }
            minute = int(found["minute"])
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise BadNeeds(f"the stored needs cannot be read: {type(error).__name__}") from None
        bad = [name for name, need in needs.items() if not math.isfinite(need.usd) or need.usd <= 0]
        if bad:
            raise BadNeeds(f"the stored needs hold no amount for {bad[0]}")
        return cls(minute, needs)


def granted(key: "ApiKey", share: Limit, need: Need) -> Limit:
    """The limit that the key is to have: what it has now where that will do, else its allowance within `share`.

    `share`: what the caps leave to this key. What OpenRouter counts against the limit counts here: BYOK inference
    where the key's own setting says so, in the period of the share.
    """
    ceiling, spent = share.limit_usd, counted(key, share.limit_reset, key.include_byok_in_limit)
    if key.limit is not None and key.limit_reset == share.limit_reset and is_within(key.limit, ceiling):
        left = key.limit - spent
        if left <= MOST * need.usd and (left >= need.usd or not need.renew):
            return Limit(key.limit, key.limit_reset)
    target = math.ceil((spent + GRANTED * need.usd) / CENT) * CENT
    return Limit(round(target if ceiling is None else min(target, ceiling), 6), share.limit_reset)


def is_within(limit_usd: float, ceiling: float | None) -> bool:
    """Whether a limit is no more than the ceiling, as far as anybody can tell."""
    return ceiling is None or limit_usd <= ceiling + CENT / 2


def within_allowance(shares: Mapping[str, Limit], keys: Mapping[str, "ApiKey"], need: Need | None) -> dict[str, Limit]:
    """The limits to set, those to lower first, once each share is held to the key's allowance.

    `shares`: the limits that the caps would have set, of those `keys` that they would move. Each key of a lineage has
    an allowance of its own, since nobody knows which of them the traffic takes: their sum stays within the caps, since
    no limit is ever above its share. None: there is no allowance.
    """
    if need is None:
        return dict(shares)
    moved: dict[str, Limit] = {}
    for hash, key in keys.items():
        share = shares.get(hash, Limit(key.limit, key.limit_reset))
        limit = granted(key, share, need)
        if limit != Limit(key.limit, key.limit_reset):
            moved[hash] = limit
    return dict(sorted(moved.items(), key=lambda one: _raises(keys[one[0]], one[1])))


def held(both: Split, keys: Sequence["ApiKey"], need_usd: float | None) -> Split:
    """How a rotation shares the caps, each key's part held to the allowance that the lineage had last. None: none.

    The new key has an allowance of its own from the first request on; the former keeps what it has, or less.
    """
    if need_usd is None:
        return both
    need = Need(need_usd, renew=False)
    own = {key.hash: key for key in keys}
    lowered = {hash: granted(own[hash], limit, need) for hash, limit in both.lowered.items()}
    usd = GRANTED * need_usd
    new = usd if both.new.limit_usd is None else min(both.new.limit_usd, usd)
    return Split(lowered, Limit(new, both.new.limit_reset))


def needs_a_look(key: "ApiKey", cap_usd: float, need: Need) -> bool:
    """Whether the limit of a lineage's only enabled key is one that `granted` would move. `cap_usd`: the policy's."""
    if key.limit is None:
        return True
    left = key.limit - counted(key, key.limit_reset, key.include_byok_in_limit)
    return left > MOST * need.usd or (need.renew and left < need.usd and key.limit < cap_usd - CENT / 2)


def has_run_out(key: "ApiKey", cap_usd: float) -> bool:
    """Whether OpenRouter refuses the key's requests although its limit is below the policy's cap: it is spent."""
    if key.disabled or key.limit is None or key.limit >= cap_usd - CENT / 2:
        return False
    return key.limit - counted(key, key.limit_reset, key.include_byok_in_limit) <= 0


def _raises(key: "ApiKey", limit: Limit) -> bool:
    return limit.limit_usd is None or (key.limit is not None and limit.limit_usd > key.limit)
