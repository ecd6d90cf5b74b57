"""Caps for workloads whose keys have none: new ones, and those that the policy declares already. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from cli.account import Account
from cli.caps import DAYS, LEAST_DAYS, Period, ProposedCap, Spend, propose
from cli.daily import DailySpend
from cli.importing.naming import workload_of
from cli.importing.proposal import NewWorkload, is_live
from cli.output import usd
from governor.policy import Policy
from management_api import ApiKey

WORDS = {"daily": "a day", "weekly": "seven days", "monthly": "a month"}


@dataclass(frozen=True)
class Uncapped:
    """A workload of which no key has a limit, or a guardrail with a budget. `keys`: all of its lineage: what they spent
    together counts against the workload's cap."""

    name: str
    keys: tuple[ApiKey, ...]
    is_declared: bool


@dataclass(frozen=True)
class CapProposal:
    """`cap` is None where none can be proposed; then `why` says so."""

    workload: str
    is_declared: bool
    cap: ProposedCap | None
    why: str = ""


def uncapped(
    account: Account, policy: Policy | None, mapping: Mapping[str, str], new: Iterable[NewWorkload]
) -> list[Uncapped]:
    """Workloads without a cap of any kind, that have a live key."""
    # A reset without a limit is somebody's half of a cap: theirs to finish.
    unlimited = (one for one in (policy.workloads if policy else ()) if one.key.limit_usd is None)
    declared = {one.name for one in unlimited if one.key.limit_reset is None}
    wanted = declared | {one.name for one in new if one.limit_usd is None}
    lineages: dict[str, list[ApiKey]] = {}
    for key in account.keys:
        name = workload_of(key.name, mapping, policy)
        if name in wanted and name is not None:
            lineages.setdefault(name, []).append(key)
    found = []
    for name, keys in sorted(lineages.items()):
        live = [key for key in keys if is_live(key, account.begun)]
        if live and not any(_is_capped(key, account) for key in live):
            found.append(Uncapped(name, tuple(keys), name in declared))
    return found


def _is_capped(key: ApiKey, account: Account) -> bool:
    guardrail = account.guardrail_by_id.get(account.guardrail_of_key.get(key.hash, ""))
    return key.limit is not None or (guardrail is not None and guardrail.limit_usd is not None)


def cap_proposals(
    workloads: Sequence[Uncapped], spend: DailySpend, today: date, *, period: Period, margin: float
) -> list[CapProposal]:
    """A cap for each workload, from what its keys spent."""
    return [_proposed(one, spend, today, period, margin) for one in workloads]


def _proposed(one: Uncapped, spend: DailySpend, today: date, period: Period, margin: float) -> CapProposal:
    if any(key.hash in spend.unread for key in one.keys):
        return CapProposal(one.name, one.is_declared, None, "what it spent could not be read")
    since = max(today - timedelta(days=DAYS), min(key.created_at.date() for key in one.keys))
    together = Spend(_summed(spend.credits, one.keys), _summed(spend.byok, one.keys), since, today)
    includes = any(key.include_byok_in_limit for key in one.keys)
    cap = propose(together, period=period, margin=margin, include_byok=includes)
    why = "" if cap else f"it is known for {together.days} days; {LEAST_DAYS} are needed"
    return CapProposal(one.name, one.is_declared, cap, why)


def _summed(spend: Mapping[str, Mapping[date, float]], keys: Iterable[ApiKey]) -> dict[date, float]:
    total: dict[date, float] = {}
    for key in keys:
        for day, amount in spend.get(key.hash, {}).items():
            total[day] = total.get(day, 0.0) + amount
    return total


def with_caps(workloads: Sequence[NewWorkload], proposals: Iterable[CapProposal]) -> list[NewWorkload]:
    """The new workloads with the caps that are proposed for them."""
    caps = {one.workload: one.cap for one in proposals if one.cap and not one.is_declared}
    return [_capped(one, caps[one.name]) if one.name in caps else one for one in workloads]


def _capped(one: NewWorkload, cap: ProposedCap) -> NewWorkload:
    note = f"proposed: {WORDS[cap.period]} brought {usd(cap.most_usd)} at the most"
    return replace(one, limit_usd=cap.limit_usd, limit_reset=cap.period, include_byok=cap.include_byok, note=note)


def fields_of(proposals: Iterable[CapProposal], policy: Policy | None) -> dict[str, dict[str, Any]]:
    """What to add to the `key` of workloads that are declared already. What is written there stays as it is."""
    fields: dict[str, dict[str, Any]] = {}
    for one in proposals:
        declared = policy.workload(one.workload) if policy else None
        if one.cap and declared:
            fields[one.workload] = {"limit_usd": one.cap.limit_usd, "limit_reset": one.cap.period}
            if one.cap.include_byok and "include_byok_in_limit" not in declared.key.model_fields_set:
                fields[one.workload]["include_byok_in_limit"] = True
    return fields
