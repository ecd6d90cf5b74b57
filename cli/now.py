"""What a policy would do to the account as it is now. Reads only.

The rules are the functions' own: `key_planning` says whose key is due, `key_rotation` what it would make and what it
would refuse, `governor.keys.caps` the limits, `key_retirement` what differs from the policy, `byok_failover` where
failover would not work. It supposes a stack that was deployed a moment ago: no lineage is known, and no cause holds a
key. What the workloads' secrets hold is not read, so a key is found by its name, or by the name that the policy says it
adopts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal, cast

from byok_failover import gaps, inventory
from cli.account import Account, Part
from cli.importing.naming import CONVENTION
from cli.replay.stage import Lists
from governor.account.workspaces import meant
from governor.keys.attachments import Attachments
from governor.keys.caps import caps_of, split
from governor.keys.causes import Causes
from governor.keys.lineage import Lineage, LineageKey
from governor.policy import Policy, Workload, lineage_name
from key_planning.decide import plan
from key_retirement.drifting import differences
from key_retirement.ports import LineageRun, Place
from key_rotation.decide import Facts, affords, decide, former, guardrail
from spend_meter.subjects import Subjects

if TYPE_CHECKING:
    from management_api import ApiKey, Guardrail, OpenRouter

Kind = Literal["blocked", "gap", "drift", "adopt", "create", "cap", "watched", "off_convention", "unclaimed"]
ORDER: tuple[Kind, ...] = (
    "blocked", "gap", "drift", "adopt", "create", "cap", "off_convention", "unclaimed", "watched",
)  # fmt: skip
"""What a person must look at first."""
NEEDS_A_PERSON: frozenset[Kind] = frozenset({"blocked", "gap", "drift", "off_convention"})
NEEDED: tuple[Part, ...] = ("keys", "guardrails", "assignments")
"""The parts of the account without which nothing can be said of a workload."""


@dataclass(frozen=True)
class Finding:
    """One thing that the policy would do, or that keeps it from doing it. `rule`: the function's own name for it."""

    kind: Kind
    subject: str
    text: str
    rule: str = ""


def now(policy: Policy, account: Account, client: "OpenRouter | None", at: datetime) -> list[Finding]:
    """All findings, those first that a person must look at. `client`: asked for BYOK credentials, where the policy
    decides about any; None leaves that out. Raises what the client raises."""
    found = [*_workloads(policy, account, at), *_unclaimed(policy, account)]
    if policy.byok and client:
        found += _gaps(policy, client)
    return sorted(found, key=lambda one: (ORDER.index(one.kind), one.subject, one.text))


def _workloads(policy: Policy, account: Account, at: datetime) -> Iterator[Finding]:
    for workload in policy.workloads:
        places = meant(workload.workspace, account.workspaces)
        unread = [part for part in NEEDED if not all(account.has_read(part, place.id) for place in places)]
        if unread:
            text = f"{' and '.join(unread)} of its workspace could not be read: what would be done is not known"
            yield Finding("blocked", workload.name, text, "unread")
            continue
        if len(places) == 1:
            keys = _keys(policy, account, workload, places[0].id)
            yield from _drifts(workload, account, keys, places[0].id, at)
        else:
            keys = []
        if workload.rotation:
            yield from _rotation(policy, workload, account, keys, at)
        elif len(places) != 1:
            text = f"the account has {len(places)} workspaces called {workload.workspace}; fix workloads[].workspace"
            yield Finding("blocked", workload.name, text, "workspace_missing" if not places else "workspace_ambiguous")
        elif not keys:
            text = f"no key of workspace {workload.workspace} bears its name; nothing is watched as {workload.name}"
            yield Finding("blocked", workload.name, text, "no_key")
        else:
            names = ", ".join(key.name for key in keys)
            yield Finding("watched", workload.name, f"{names}: watched, never rotated (no `rotation`)", "no_rotation")


def _keys(policy: Policy, account: Account, workload: Workload, place: str) -> "list[ApiKey]":
    """The workload's, as on the first day: by the name, or by the one that the policy says it adopts."""
    return [key for key in account.keys if key.workspace_id == place and policy.lineage_of(key.name) == workload.name]


def _rotation(
    policy: Policy, workload: Workload, account: Account, keys: "list[ApiKey]", at: datetime
) -> Iterator[Finding]:
    """What the first plan of the day, and the rotation that it asks for, would do."""
    name, lineage = workload.name, Lineage(workload.name)
    planned = plan(workload, lineage, Causes(), policy, at)
    if planned.why is None:
        yield Finding("watched", name, f"no key is made now ({planned.rule})", planned.rule)
        return
    facts = Facts(workload, account.workspaces, account.guardrails, keys, lineage, Causes(), account.guardrail_of_key)
    decision = decide(facts)
    caps = caps_of(workload.key, guardrail(workload, account.guardrails))
    if decision.action == "go":
        decision = affords(facts, caps, (), at)
    if decision.action != "go":
        yield Finding("blocked", name, decision.reason, decision.rule)
        return
    old = former(facts)
    made = f"a new key is made and put into {workload.secret}"
    if old is None:
        yield Finding("create", name, made, planned.rule)
    else:
        retired = f"{old.name} is adopted; {made}; {old.name} is disabled once it is quiet, and deleted later"
        yield Finding("adopt", name, retired, planned.rule)
    both = split(caps, keys, (), at)
    if both.new.limit_usd is not None:
        shared = [f"{_name(keys, hash)} {_usd(one.limit_usd, one.limit_reset)}" for hash, one in both.lowered.items()]
        text = f"the new key's limit {_usd(both.new.limit_usd, both.new.limit_reset)}"
        text += f", while {', '.join(shared)}: together they keep within {_usd(caps[0].limit_usd, caps[0].period)}"
        yield Finding("cap", name, text if shared else f"the new key's limit is {_usd(*_pair(both.new))}", "caps")


def _drifts(workload: Workload, account: Account, keys: "list[ApiKey]", place: str, at: datetime) -> Iterator[Finding]:
    """What of each live key is not as the policy says. A rotation makes the new key as the policy says."""
    read = Place(
        place,
        {key.hash: key for key in keys},
        _guardrails(account, workload),
        {hash: Attachments(id) for hash, id in account.guardrail_of_key.items()},
    )
    seen = cast("OpenRouter", SimpleNamespace(guardrails=Lists(account)))
    nothing: Any = None  # differences() uses no port
    run = LineageRun(nothing, seen, workload, read, at, lambda: 0.0)
    for key in keys:
        if key.expires_at and key.expires_at <= at:
            continue
        current = LineageKey(key.hash, key.name, "current", key.created_at)
        for one in differences(run, Lineage(workload.name, (current,)), current):
            text = f"{key.name}: {one.field} is {one.live}, the policy says {one.policy}"
            yield Finding("drift", workload.name, text, one.field)


def _unclaimed(policy: Policy, account: Account) -> Iterator[Finding]:
    subjects = Subjects(policy, {one.id: (one.name, one.slug) for one in account.workspaces})
    for key in account.keys:
        if subjects.of(key, key.workspace_id) != key.hash:
            continue
        where = account.workspace_name(key.workspace_id)
        claimed = policy.workload(policy.lineage_of(key.name))
        if claimed:
            text = f"bears the name of {claimed.name}, but is in workspace {where} and not in {claimed.workspace}"
            yield Finding("off_convention", key.name, text, "elsewhere")
        elif not CONVENTION.fullmatch(lineage_name(key.name)):
            text = f"workspace {where}: no workload claims it, and its name is off the convention"
            yield Finding("off_convention", key.name, text, "name")
        else:
            text = f"workspace {where}: no workload claims it; the policy's `defaults` hold for it"
            yield Finding("unclaimed", key.name, text, "defaults")


def _gaps(policy: Policy, client: "OpenRouter") -> Iterator[Finding]:
    found = inventory.read(client, policy, {}, {})
    for decision in inventory.decisions(policy):
        looked = gaps.look(decision, found)
        for one in looked.findings:
            yield Finding("gap", one.decision, f"{one.detail}. {one.todo}".strip(), one.rule)
        if looked.unknown is None:
            yield Finding("gap", decision.name, "could not be looked at: part of the account is unread", "unread")


def _guardrails(account: Account, workload: Workload) -> "tuple[Guardrail, ...]":
    """Those of the workload's workspace, as OpenRouter lists them."""
    places = {one.id for one in meant(workload.workspace, account.workspaces)}
    return tuple(one for one in account.guardrails if one.workspace_id is None or one.workspace_id in places)


def _pair(limit: Any) -> tuple[float | None, str | None]:
    return limit.limit_usd, limit.limit_reset


def _name(keys: "list[ApiKey]", hash: str) -> str:
    return next((key.name for key in keys if key.hash == hash), hash[:12])


def _usd(limit: float | None, reset: str | None) -> str:
    return "none" if limit is None else f"${limit:,.2f} {reset or 'for ever'}"
