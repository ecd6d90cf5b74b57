"""What the kill switch does and why. Pure: facts and `now` in, a decision out.

To disable, in this order; the first rule that applies decides:
 1. `in_hand`          this very event has been acted on: finish what was begun, or tell the same again
 2. `stale`            older than 15 minutes, or from the future; an exposed key stays exposed, so never for one
 3. `superseded`       older than a human's restore of the same cause
 4. `not_found`        no list has such a key, and OpenRouter knows none by the hashes that are known
 5. `not_borne_out`    the account's own counters contradict the event (promise 2)
 6. `unconfirmed`      the counters bear it out, but no list shows that the guardrail still governs the key
 7. `not_entitled`, `mode_off`, `alert_mode`   whoever orders it may not (`disable_by`); or the policy wants no
                       key disabled: the last tells what would have been done
 8. `tier_zero`        needs a human (promise 9)
 9. `already_disabled` no key is live; a new cause is recorded all the same, so that lifting the old one revives nothing
10. `foreign`          no key is live, and it was not Governor that disabled them
11. `once_a_day`, `account_leash`   the rate limit of automatic disables (promise 9); what is disabled already is not
                       counted again
12. `disable`
A human who may order it, and an approver who reports a leak, are whom 2, 7, 8 and 11 would ask: those do not bind.

To restore:
 1. `in_hand`           as above
 2. `by_event`          the policy believes signed clicks only, not who an event says has asked
 3. `not_an_approver`   the policy's approvers only
 4. `not_ours`          `foreign` and `rotation` are not lifted here
 5. `not_standing`      nothing to lift
 6. `newer_cause`       keys were disabled since the request was made: it was about something else (promise 10)
 7. `other_cause_stands` the cause is lifted, the keys stay disabled until the last one is
 8. `restore`
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from governor.events import Event
from governor.events.evidence import Cause
from governor.keys.causes import CauseRow, Causes, union
from governor.policy import Limits
from kill_switch.leaks import nothing_left, out_of_service
from kill_switch.store import RecentDisables

if TYPE_CHECKING:
    from management_api import ApiKey

Action = Literal["disable", "record", "repeat", "withhold"]
"""`record`: note the cause, or replaced keys that leaked; touch no key. `repeat`: publish again what was told of it."""
RestoreAction = Literal["restore", "lift", "repeat", "refuse"]
"""`lift`: the cause only; the keys stay disabled for another."""

STALE = timedelta(minutes=15)
AHEAD = timedelta(minutes=5)
"""How far in the future an event may be dated: clocks differ, but a date to come would outlive every restore."""
ONCE_IN = 3
"""Automatic disables across the account in 15 minutes; one more, and the kill switch stops."""
UNLIFTABLE: frozenset[Cause] = frozenset({"foreign", "rotation"})


@dataclass(frozen=True)
class Facts:
    """All that bears on a disable. `contradiction`: how the account's counters contradict the event, if they do.

    `unconfirmed`: what the event rests on and the account does not show; a list may have left it out.
    `ordered_by`: the human who asks for it, empty when none does. `entitled`: those who may, None for any full member.
    """

    event: Event
    cause: Cause
    name: str
    tier: int
    limits: Limits
    keys: Sequence["ApiKey"]
    contradiction: str | None = None
    unconfirmed: str | None = None
    ordered_by: str = ""
    entitled: Sequence[str] | None = None
    causes: Causes = field(default_factory=Causes)
    recent_disables: RecentDisables = field(default_factory=RecentDisables)


@dataclass(frozen=True)
class Decision:
    """`hashes`: the keys that the cause holds from now on. `is_counted`: a disable that counts against the rate limit.

    `leaked`: keys that a rotation has disabled already, and that never come back from now on.
    """

    action: Action
    rule: str
    reason: str
    hashes: tuple[str, ...] = ()
    is_counted: bool = False
    leaked: tuple[str, ...] = ()


def is_live(key: "ApiKey", now: datetime) -> bool:
    """Whether the key can spend."""
    return not key.disabled and (key.expires_at is None or key.expires_at > now)


def decide(facts: Facts, now: datetime) -> Decision:
    """Whether to disable, by the rules above."""
    row = facts.causes.get(facts.cause)
    live = [key.hash for key in facts.keys if is_live(key, now) and _is_meant(facts, key)]
    if row and row.is_active and row.trigger == facts.event.id:
        if row.status == "disabled" and not live:
            return Decision("repeat", "in_hand", "this event has been acted on", row.hashes)
        return _disable(facts, live, spends=False)
    return (
        _late(facts, row, now)
        or _unfounded(facts)
        or _not_wanted(facts, live)
        or _within_rate_limit(facts, row, live, now)
    )


def _is_meant(facts: Facts, key: "ApiKey") -> bool:
    """A leak is of the key that the event names, or of all there were by then: a key made since has not leaked."""
    if facts.cause != "exposed":
        return True
    named = {one.hash for one in facts.keys} & {facts.event.subject}
    return key.created_at <= facts.event.occurred_at and (not named or key.hash in named)


def _late(facts: Facts, row: CauseRow | None, now: datetime) -> Decision | None:
    occurred = facts.event.occurred_at
    if facts.cause != "exposed" and not facts.ordered_by and now - occurred > STALE:
        age = int((now - occurred).total_seconds() // 60)
        return Decision("withhold", "stale", f"The event is {age} minutes old; {facts.name} may be well by now.")
    if occurred - now > AHEAD:
        return Decision("withhold", "stale", f"The event is dated in the future; no disable of {facts.name} by it.")
    if row and row.lifted_at and occurred <= row.lifted_at:
        reason = f"{row.lifted_by} lifted the {facts.cause} cause of {facts.name} after this event."
        return Decision("withhold", "superseded", reason)
    return None


def _unfounded(facts: Facts) -> Decision | None:
    name = facts.name
    if not facts.keys:
        reason = f"OpenRouter, asked twice, lists no key of {name} where the policy places it, and knows none by hash."
        return Decision("withhold", "not_found", reason)
    if facts.contradiction:
        return Decision("withhold", "not_borne_out", f"OpenRouter contradicts the event: {facts.contradiction}.")
    if facts.unconfirmed:
        doubt = f"{facts.unconfirmed}: whether the budget holds for {name} is not known."
        return Decision("withhold", "unconfirmed", f"The counters bear the event out, but {doubt}")
    return None


def _not_wanted(facts: Facts, live: Sequence[str]) -> Decision | None:
    if facts.ordered_by:
        why = f"The policy does not let {facts.ordered_by} disable {facts.name} by hand (approvals.disable_by)."
        allowed = facts.entitled is None or facts.ordered_by in facts.entitled
        return None if allowed else Decision("withhold", "not_entitled", why)
    match facts.cause:
        case "runaway":
            mode = facts.limits.runaway.mode
        case "exposed":
            mode = facts.limits.exposed.mode
        case _:
            mode = "off" if facts.limits.budget.disable_at is None else "disable"
    if mode == "off":
        return Decision("withhold", "mode_off", f"The policy does not want {facts.name} disabled for {facts.cause}.")
    if mode == "alert":
        would = "a human would be asked (tier 0)" if facts.tier == 0 else f"{_keys(len(live))} would be disabled now"
        return Decision("withhold", "alert_mode", f"Dry run for {facts.name}: in mode disable, {would}. {_why(facts)}")
    if facts.tier == 0:
        return Decision("withhold", "tier_zero", f"{facts.name} is tier 0: a human must decide.")
    return None


def _within_rate_limit(facts: Facts, row: CauseRow | None, live: Sequence[str], now: datetime) -> Decision:
    standing = facts.causes.standing()
    if not live:
        return _nothing_live(facts, row, now)
    if facts.ordered_by:
        return _disable(facts, live, spends=False)
    if not standing and facts.recent_disables.today:
        return Decision(
            "withhold", "once_a_day", f"{facts.name} was disabled automatically once today (UTC): a human must decide."
        )
    if not standing and len(facts.recent_disables.recent) >= ONCE_IN:
        names = ", ".join(sorted({whose[:40] for _, whose in facts.recent_disables.recent}))
        return Decision(
            "withhold",
            "account_leash",
            f"{len(facts.recent_disables.recent)} automatic disables in 15 minutes ({names}): the kill switch has "
            f"stopped. {facts.name} is live and needs a human now.",
        )
    return _disable(facts, live, spends=not standing)


def _nothing_live(facts: Facts, row: CauseRow | None, now: datetime) -> Decision:
    if row and row.status == "disabling":
        return _disable(facts, (), spends=False)
    held, leaked = _held(facts), out_of_service(_meant(facts), facts.causes)
    meant = [key for key in facts.keys if _is_meant(facts, key)]
    if not held and any(key.disabled and not facts.causes.known(key.hash) for key in meant):
        whole = len(meant) == len(facts.keys)
        what = facts.name if whole else ", ".join(key.name for key in meant)
        reason = f"Somebody else has disabled {what}; it is left as it is{', for good: it leaked' if leaked else ''}."
        return Decision("record" if leaked else "withhold", "foreign", reason, leaked=leaked)
    if (row and row.is_active) or not held:
        reason = nothing_left(facts.name, _meant(facts), [key.name for key in facts.keys if is_live(key, now)], leaked)
        return Decision("record" if leaked else "withhold", "already_disabled", reason, leaked=leaked)
    others = ", ".join(sorted(other.cause for other in facts.causes.standing())) or "a cause being lifted"
    return Decision(
        "record",
        "already_disabled",
        f"{facts.name} is disabled already ({others}); {facts.cause} now holds it too, and must be lifted as well.",
        held,
        leaked=leaked,
    )


def _meant(facts: Facts) -> list["ApiKey"]:
    """The keys that a report of a leak is about; none for another cause."""
    return [key for key in facts.keys if _is_meant(facts, key)] if facts.cause == "exposed" else []


def _disable(facts: Facts, live: Sequence[str], *, spends: bool) -> Decision:
    whole = "every leaked key" if facts.cause == "exposed" else "every live key"
    reason = f"Disabled {whole} of {facts.name}: {_why(facts)}"
    return Decision(
        "disable", "disable", reason, union(live, _held(facts)), spends, out_of_service(_meant(facts), facts.causes)
    )


def _held(facts: Facts) -> tuple[str, ...]:
    ours = facts.causes.ours()
    return union(key.hash for key in facts.keys if key.disabled and key.hash in ours)


def _why(facts: Facts) -> str:
    if facts.cause == "exposed":
        # Anybody may have sent the report: its words are quoted, and not given as Governor's own.
        said = f": “{facts.event.reason}”" if facts.event.reason else "."
        return f"an event says that it leaked{said}"
    # The meter's reason opens with the name, which stands in the sentence already.
    return facts.event.reason.removeprefix(f"{facts.name}: ") or f"it was reported as {facts.cause}."


def _keys(count: int) -> str:
    return {0: "no key, for none is live,", 1: "1 key"}.get(count, f"{count} keys")
