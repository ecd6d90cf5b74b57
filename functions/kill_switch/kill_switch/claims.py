"""Whether OpenRouter's own counters confirm a claim (promise 2). Pure; money in USD.

A trigger may be forged, mistaken or late. The counters of a live read decide: what it says was spent must fit in them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, assert_never

from governor.events.evidence import BudgetReached, Exposed, KeyReading, Runaway
from governor.policy import Key

if TYPE_CHECKING:
    from management_api import ApiKey, Guardrail

Period = Literal["daily", "weekly", "monthly", "lifetime"]
CENT, SHARE = 0.01, 0.001
"""How far a claim may pass a counter, in USD and as a share of it: the meter keeps its minutes in 32-bit floats.

What is no more than a cent is not a claim at all."""
EARLIER = timedelta(minutes=15)
"""A window's spend is what was first seen in it: a run read late, or after a gap, counts what came before."""
CLOCK = timedelta(minutes=2)
"""OpenRouter's clock may be this far ahead of ours: near midnight its daily counters may have been reset already."""


@dataclass(frozen=True)
class Ordered:
    """A human's order to disable, as the decision says that was read. It claims nothing that counters could deny."""

    by: str


@dataclass(frozen=True)
class Guard:
    """A guardrail that a budget's claim names, and the keys that OpenRouter's lists assign to it now.

    A list may be answered in part, or empty, with 200: that a hash is not among them proves nothing.
    """

    guardrail: "Guardrail"
    hashes: frozenset[str]


def contradiction(
    claim: Runaway | Exposed | BudgetReached | Ordered,
    keys: Sequence["ApiKey"],
    now: datetime,
    *,
    counts_byok: Callable[["ApiKey"], bool],
    disable_at: float | None = None,
    guard: Guard | None = None,
    cap: Key | None = None,
) -> str | None:
    """How the account's counters contradict the claim, as a sentence for a person; None when they bear it out."""
    match claim:
        case Exposed():
            return None  # that a key lives is all a read can tell of a leak
        case Ordered():
            return None
        case Runaway():
            return _runaway(claim, keys, now, counts_byok)
        case BudgetReached():
            return _budget(claim, keys, disable_at, guard, cap)
        case _:
            assert_never(claim)


def unconfirmed(
    claim: Runaway | Exposed | BudgetReached | Ordered, keys: Sequence["ApiKey"], guard: Guard | None
) -> str | None:
    """What the claim rests on and no answer of OpenRouter's shows, as a sentence for a person; None for nothing.

    The counters have been asked before. An assignment that is not listed may have been taken away, or left out.
    """
    if guard is None or not isinstance(claim, BudgetReached):
        return None
    named = [key for key in keys if key.hash in _named(claim)]
    if any(key.hash in guard.hashes for key in named):
        return None
    names = ", ".join(key.name for key in named)
    return f"no list of OpenRouter's assigns {names} to guardrail {guard.guardrail.name} now"


def _named(claim: BudgetReached) -> set[str]:
    return {reading.hash for reading in claim.keys} | {claim.scope_id}


def covering(since: datetime, now: datetime) -> Period:
    """The shortest of OpenRouter's periods that holds all that was spent from `since` until `now`."""
    since, now = since.astimezone(UTC) - EARLIER, now.astimezone(UTC) + CLOCK
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if day <= since:
        return "daily"
    if day - timedelta(days=day.weekday()) <= since:
        return "weekly"
    return "monthly" if day.replace(day=1) <= since else "lifetime"


def spent(key: "ApiKey", period: str | None, byok: bool) -> float:
    """What the key's counter of `period` shows; a period unknown to us never resets."""
    match period:
        case "daily":
            return key.usage_daily + (key.byok_usage_daily if byok else 0.0)
        case "weekly":
            return key.usage_weekly + (key.byok_usage_weekly if byok else 0.0)
        case "monthly":
            return key.usage_monthly + (key.byok_usage_monthly if byok else 0.0)
        case _:
            return key.usage + (key.byok_usage if byok else 0.0)


def _fits(claimed: float, shown: float) -> bool:
    return claimed <= shown * (1 + SHARE) + CENT


def _runaway(
    claim: Runaway, keys: Sequence["ApiKey"], now: datetime, counts_byok: Callable[["ApiKey"], bool]
) -> str | None:
    if claim.spent_usd <= CENT:
        return "the event claims no spend"
    by_hash = {key.hash: key for key in keys}
    pairs = [(reading, by_hash[reading.hash]) for reading in claim.keys if reading.hash in by_hash]
    if not pairs:
        return "no key that the event names is among the subject's keys"
    period = covering(claim.observed_at - timedelta(minutes=claim.window_minutes), now)
    for reading, key in pairs:
        fault = _key(reading, key, period, counts_byok(key))
        if fault:
            return fault
    shown = sum(spent(key, period, counts_byok(key)) for key in keys)
    if not _fits(claim.spent_usd, shown):
        return f"${claim.spent_usd:,.2f} is said to be spent, the subject's {period} counters show ${shown:,.2f}"
    return None


def _key(reading: KeyReading, key: "ApiKey", period: Period, byok: bool) -> str | None:
    counter = spent(key, "lifetime", byok)
    if not _fits(reading.counted_usd, counter):
        return f"{key.name} is said to have spent ${reading.counted_usd:,.2f} in its life, it shows ${counter:,.2f}"
    if reading.window_start_usd is None:
        return None
    window, shown = reading.counted_usd - reading.window_start_usd, spent(key, period, byok)
    if not _fits(window, shown):
        return f"{key.name} is said to have spent ${window:,.2f} just now, its {period} counter shows ${shown:,.2f}"
    return None


def _budget(
    claim: BudgetReached, keys: Sequence["ApiKey"], disable_at: float | None, guard: Guard | None, cap: Key | None
) -> str | None:
    if claim.scope == "workload":
        return _cap(keys, disable_at, cap)
    if claim.scope == "guardrail" and guard is None:
        return "the guardrail that the event names is gone"
    if guard and cap and cap.guardrail in (guard.guardrail.id, guard.guardrail.name):
        return _shared_guard(keys, disable_at, guard)
    named = [key for key in keys if key.hash in _named(claim)]
    if guard:
        # While no list assigns any of them, the counters are asked of each; `unconfirmed` says what is missing.
        named = [key for key in named if key.hash in guard.hashes] or named
    shares = [(_share_of_limit(key) if guard is None else _share_of_guard(key, guard), key) for key in named]
    known = [(share, key) for share, key in shares if share is not None]
    if not known:
        return "no key of the subject has this budget now"
    share, key = max(known, key=lambda pair: pair[0])
    if disable_at is not None and share < disable_at - SHARE:
        return f"{key.name} is at {share:.0%} of its {claim.scope.replace('_', ' ')} now, below {disable_at:.0%}"
    return None


def _cap(keys: Sequence["ApiKey"], disable_at: float | None, cap: Key | None) -> str | None:
    """A workload's cap counts over all its keys: while one replaces another, each holds a share of it."""
    if cap is None or not cap.limit_usd:
        return "the policy gives the workload no cap"
    share = sum(spent(key, cap.limit_reset, cap.include_byok_in_limit) for key in keys) / cap.limit_usd
    if disable_at is not None and share < disable_at - SHARE:
        return f"its keys are at {share:.0%} of the workload's cap now, below {disable_at:.0%}"
    return None


def _shared_guard(keys: Sequence["ApiKey"], disable_at: float | None, guard: Guard) -> str | None:
    """The budget of the guardrail that the policy names for a workload counts over all its keys, as its cap does."""
    rule = guard.guardrail
    # While no list assigns any key, all of them are counted; `unconfirmed` says what is missing.
    if not rule.limit_usd or (guard.hashes and not any(key.hash in guard.hashes for key in keys)):
        return "no key of the subject has this budget now"
    share = sum(spent(key, rule.reset_interval, rule.include_byok_in_budgets) for key in keys) / rule.limit_usd
    if disable_at is not None and share < disable_at - SHARE:
        return f"its keys are at {share:.0%} of the guardrail's budget now, below {disable_at:.0%}"
    return None


def _share_of_limit(key: "ApiKey") -> float | None:
    if not key.limit:
        return None
    if key.limit_remaining is not None and key.limit_remaining > 0:
        return (key.limit - key.limit_remaining) / key.limit
    # `limit_remaining` stops at nothing; the period's counter tells how far past the limit the last request went.
    counter = spent(key, key.limit_reset, key.include_byok_in_limit)
    return (counter if key.limit_remaining is None else max(key.limit, counter)) / key.limit


def _share_of_guard(key: "ApiKey", guard: Guard) -> float | None:
    rule = guard.guardrail
    if not rule.limit_usd:
        return None
    return spent(key, rule.reset_interval, rule.include_byok_in_budgets) / rule.limit_usd
