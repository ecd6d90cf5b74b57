"""What becomes of a key that was replaced, and why. Pure: facts and `now` in, a decision out.

Of a key in overlap; the first rule that applies decides:
 1. `gone`         OpenRouter has it no more: somebody deleted it
 2. `held`         a cause holds the lineage: whatever is quiet now is so because it is disabled; the drain waits
 3. `unread`       its use could not be read, which is not "unused" (promise 3)
 4. `overlap`      the overlap has not ended
 5. `copies`       it ended, and a copy of the secret still holds the old key: `Drain Blocked`, once a day, no deadline
 6. `quiet`        the key was not used for `rotation.quiet`: retire
 7. `federated`    still used, and by callers that cannot follow the secret: `Drain Blocked`, once a day, no deadline
 8. `deadline`     still used, but `rotation.drain_deadline` has passed: retire all the same
 9. `blocked`      still used: `Drain Blocked`, once a day
Whatever would retire it then has to pass the third list.

Of a key in quarantine:
 1. `gone`
 2. `enabled`      somebody enabled it by hand: it is disabled again, and its quarantine begins anew
 3. `quarantine`   not over yet
 4. `delete`       which has to pass the third list

Of a key about to be retired or deleted, by what the current key answered just now (`proving`):
 1. it works, or the key leaked: as decided
 2. `unproven`     the current key could not be asked: wait
 3. `held`         a cause holds the lineage, and the current key with it: wait
 4. `put_back`     the secret holds the very key again, which consumers then read: `Drain Blocked`, once a day
 5. `last_key`     the current key does not work, so this is the last one that may: `Drain Blocked`, once a day

Of a key that no row knows, though its name bears the tag of a workload:
 1. `young`        made less than an hour ago: its secret may be on its way
 2. `in_use`       it was used, or something points at it, or a secret holds it: told, never touched
 3. `disable`      first
 4. `waiting`      disabled for less than an hour
 5. `delete`
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from governor.keys.caps import Role
from governor.keys.lineage import LineageKey
from governor.keys.sighting import Sighting
from governor.policy import Rotation

if TYPE_CHECKING:
    from management_api import ApiKey

Proof = Literal["works", "dead", "unknown", "put_back"]
"""What the workload's current key answered when it was asked with its own plaintext. `put_back`: the secret does not
hold the current key, but the very one that is about to go."""
Action = Literal["wait", "retire", "tell", "delete", "forget", "disable"]

ORPHAN_AGE = timedelta(hours=1)
"""A rotation's step ends within minutes; after this no POST's answer is on its way any more."""
TOLD_EVERY = timedelta(days=1)


@dataclass(frozen=True)
class Decision:
    """`forced`: the key was still used."""

    action: Action
    rule: str
    forced: bool = False


def look(key: "ApiKey", counted_usd: float, before: Sighting | None, now: datetime) -> Sighting:
    """What is seen of a key now. It is quiet since its last use, as far as counters and `last_used_at` tell.

    `usage` misses free traffic and `last_used_at` does not; a counter that rose without it is use as well.
    """
    # The row keeps whole seconds, and OpenRouter tells milliseconds: as they are, the two would differ at every look.
    used_at = key.last_used_at.replace(microsecond=0) if key.last_used_at else None
    moved = before is not None and (counted_usd > before.counted_usd or used_at != before.last_used_at)
    if before is None:
        quiet = max(used_at, key.created_at) if used_at else key.created_at
    elif moved:
        quiet = used_at if used_at and used_at > before.at else now
    else:
        quiet = before.quiet_since or before.at
    return Sighting(now, counted_usd, used_at, quiet, before.first_usd if before else counted_usd)


def is_quiet(seen: Sighting | None, quiet: timedelta, now: datetime) -> bool:
    """Whether nobody has used the key for so long, as far as it was seen."""
    return seen is not None and seen.quiet_since is not None and now - seen.quiet_since >= quiet


def drain(
    key: LineageKey,
    live: "ApiKey | None",
    seen: Sighting | None,
    rules: Rotation,
    now: datetime,
    *,
    held: bool = False,
    behind: bool = False,
    federated: bool = False,
) -> Decision:
    """What to do with a key in overlap, by the first list. `behind`: a copy of the secret does not hold the new key.

    `federated`: a federation policy acts as it.
    """
    if live is None:
        return Decision("forget", "gone")
    if held:
        return Decision("wait", "held")
    if seen is None:
        return Decision("wait", "unread")
    until = key.until or key.since
    if now < until:
        return Decision("wait", "overlap")
    if behind:
        return _blocked(key, "copies", now)
    if is_quiet(seen, rules.quiet, now):
        return Decision("retire", "quiet")
    if federated:
        return _blocked(key, "federated", now)
    if now >= until + rules.drain_deadline:
        return Decision("retire", "deadline", forced=True)
    return _blocked(key, "blocked", now)


def _blocked(key: LineageKey, rule: str, now: datetime) -> Decision:
    is_told = key.told_at is not None and now - key.told_at < TOLD_EVERY
    return Decision("wait" if is_told else "tell", rule)


def quarantine(key: LineageKey, live: "ApiKey | None", now: datetime) -> Decision:
    """What to do with a key in quarantine, by the second list."""
    if live is None:
        return Decision("forget", "gone")
    if not live.disabled:
        return Decision("disable", "enabled")
    if now < (key.until or key.since):
        return Decision("wait", "quarantine")
    return Decision("delete", "delete")


def spared(decision: Decision, proof: Proof, key: LineageKey, now: datetime, *, held: bool = False) -> Decision:
    """The decision, or why it must wait, by the third list (promise 5). `held`: a cause holds the lineage."""
    if decision.action not in ("retire", "delete") or key.exposed or proof == "works":
        return decision
    if proof == "unknown":
        return Decision("wait", "unproven")
    return Decision("wait", "held") if held else _blocked(key, "put_back" if proof == "put_back" else "last_key", now)


def orphan(key: "ApiKey", referenced: bool, disabled_at: datetime | None, now: datetime) -> Decision:
    """What to do with a key that no row knows, by the third list."""
    if now - key.created_at < ORPHAN_AGE:
        return Decision("wait", "young")
    if referenced or key.last_used_at is not None or key.usage > 0 or key.byok_usage > 0:
        return Decision("tell", "in_use")
    if not key.disabled or disabled_at is None:
        return Decision("disable", "disable")
    if now - disabled_at < ORPHAN_AGE:
        return Decision("wait", "waiting")
    return Decision("delete", "delete")


def role(key: LineageKey, live: "ApiKey", rules: Rotation, now: datetime) -> Role:
    """Whose share of the cap a key of the lineage has."""
    if key.state in ("current", "pending"):
        return "current" if key.state == "current" else "draining"
    if live.disabled:
        return "disabled"
    if key.state != "overlap":
        return "retired"
    # A consumer that asks once in three hours, and keeps its secret for a day, must still be answered.
    return "resting" if is_quiet(key.seen, rules.quiet, now) else "draining"
