"""Which budgets there are, and where each one stands in this reading: a key's own (or its workload's, whose keys
share it), its guardrail's (shared by them as well), its creator's and its workspace's. The account's credits:
`credits.py`. Pure. A little over 300 lines: one function for each kind of budget.

A budget of a workspace that could not be read, or of a key whose counters are in doubt (`unsettled`), is not in the
list: its standing is unknown.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING

from spend_meter.budgets import ROUNDING, Budget
from spend_meter.counters import Known, Packed, Seen, last_seen
from spend_meter.list_gaps import cautious
from spend_meter.periods import Period, period_of
from spend_meter.state import Guard, Layers, Place

if TYPE_CHECKING:
    from governor.policy import Workload
    from management_api import ApiKey
    from spend_meter.subjects import Subjects


def key_budgets(
    listed: Mapping[str, Sequence["ApiKey"] | None],
    layers: Layers,
    subjects: "Subjects",
    remembered: Mapping[str, object],
    unsettled: AbstractSet[str],
) -> Iterator[Budget]:
    """Keys' own limits and their guardrails', of keys that have reached a threshold or are remembered to have.

    Most keys are neither, at ten thousand of them; they are passed over as early as can be.
    """
    concerned = {identity.split("|")[index] for identity in remembered for index in (1, 2)}
    guards, assignments = layers.guards, layers.assignments
    lowest = subjects.lowest_threshold
    if lowest is None:
        return
    lowest -= ROUNDING
    for workspace_id, keys in listed.items():
        default_id = layers.defaults.get(workspace_id, "")
        default = guards.get(default_id)
        for key in keys or ():
            hash = key.hash
            if unsettled and hash in unsettled:
                continue
            limit = key.limit
            guard_id = assignments.get(hash)
            guard = guards.get(guard_id) if guard_id else None
            if limit and (_spent_of_limit(key, limit) >= limit * lowest or hash in concerned):
                yield from _key_limit(key, limit, workspace_id, subjects, guard)
            if guard and guard_id and not subjects.guarded(hash, guard_id, guard):
                spent = counter(key, period_of(guard.reset_interval), guard.byok)
                if spent >= guard.limit_usd * lowest or hash in concerned:
                    yield cautious(_guardrail(key, guard_id, guard, spent, workspace_id, subjects), layers)
            if default and default_id != guard_id:
                spent = counter(key, period_of(default.reset_interval), default.byok)
                if spent >= default.limit_usd * lowest or hash in concerned:
                    # Nobody assigned it to this key, so nobody asked that the key be disabled by it: it only alerts.
                    yield replace(_guardrail(key, default_id, default, spent, workspace_id, subjects), disable_at=None)


def workload_budgets(
    listed: Mapping[str, Sequence["ApiKey"] | None],
    subjects: "Subjects",
    known: Known,
    minute: int,
    unsettled: AbstractSet[str],
) -> Iterator[Budget]:
    """The caps of declared workloads: while one key replaces another, each holds a share of the cap.

    A key of the lineage that no list shows counts with what was last read of it: unknown is not zero.
    """
    spent: dict[tuple[str, str], float] = {}
    met: dict[tuple[str, str], set[str]] = {}
    if not subjects.capped:
        return
    for workspace_id, keys in listed.items():
        for key in keys or ():
            place = subjects.place_of(key, workspace_id)
            workload = subjects.capped.get(place)
            if workload:
                spent[place] = spent.get(place, 0.0) + _spent_of_cap(key, workload)
                met.setdefault(place, set()).add(key.hash)
    for place in (one for one in spent if not met[one] & unsettled):
        workload = subjects.capped[place]
        period, byok = period_of(workload.key.limit_reset), workload.key.include_byok_in_limit
        missing = _unlisted(subjects.hashes_of(workload.name) - met[place], known, period, byok, minute)
        yield _workload_cap(workload, spent[place] + missing, place[0], subjects)


def lineage_guards(
    listed: Mapping[str, Sequence["ApiKey"] | None],
    layers: Layers,
    subjects: "Subjects",
    known: Known,
    minute: int,
    unsettled: AbstractSet[str],
) -> Iterator[Budget]:
    """The budgets of guardrails that the policy names for a workload: over all keys of its lineage.

    OpenRouter counts such a budget for each key apart. Governor shares it among the keys of a lineage, so that a
    rotation hands out no fresh one: the sum is what people mean by it. A key that no list shows counts as in a cap.
    """
    guards: dict[tuple[str, str], Guard] = {}
    for hash, guard_id in layers.assignments.items():
        guard = layers.guards.get(guard_id)
        name = subjects.guarded(hash, guard_id, guard) if guard else None
        if guard and name:
            guards[name, guard_id] = guard
    if not guards:
        return
    guarded = {hash: name for name, _ in guards for hash in subjects.hashes_of(name)}
    found: dict[str, list[tuple[ApiKey, str]]] = {}
    for workspace_id, keys in listed.items():
        for key in keys or ():
            if key.hash in guarded:
                found.setdefault(guarded[key.hash], []).append((key, workspace_id))
    for (name, guard_id), guard in guards.items():
        own = found.get(name, [])
        hashes = {key.hash for key, _ in own}
        if not own or hashes & unsettled:
            continue
        period = period_of(guard.reset_interval)
        spent = sum(counter(key, period, guard.byok) for key, _ in own)
        spent += _unlisted(subjects.hashes_of(name) - hashes, known, period, guard.byok, minute)
        key, workspace_id = own[0]
        budget = _guardrail(key, guard_id, guard, spent, workspace_id, subjects)
        yield replace(cautious(budget, layers), subject=name, hash="")


def _unlisted(hashes: AbstractSet[str], known: Known, period: Period, byok: bool, minute: int) -> float:
    """USD that keys which no list shows had spent in the period when they were last read."""
    seen = [Seen.unpack(packed) for hash in hashes if (packed := last_seen(known, hash))]
    return sum(one.spent(period, byok, minute) for one in seen)


def member_budgets(
    listed: Mapping[str, Sequence["ApiKey"] | None], layers: Layers, subjects: "Subjects", unsettled: AbstractSet[str]
) -> Iterator[Budget]:
    """The budgets of members' guardrails, which count all the keys that a member created, of every workspace.

    What a member spent otherwise, in the chatroom or with a key that is gone, OpenRouter counts as well and no key
    shows: the true figure may be higher. Nobody asked that a member's keys be disabled by it: it only alerts.
    """
    budgets = {user: layers.guards[id] for user, id in layers.members.items() if id in layers.guards}
    if not budgets or any(keys is None for keys in listed.values()):
        return
    spent = dict.fromkeys(budgets, 0.0)
    unknown: set[str] = set()
    for keys in listed.values():
        for key in keys or ():
            user = key.creator_user_id
            if user in budgets:
                guard = budgets[user]
                spent[user] += counter(key, period_of(guard.reset_interval), guard.byok)
                if key.hash in unsettled:
                    unknown.add(user)
    for user in budgets.keys() - unknown:
        yield Budget(
            scope="member",
            scope_id=user,
            scope_name=budgets[user].name,
            subject=user,
            period=period_of(budgets[user].reset_interval),
            spent=spent[user],
            limit=budgets[user].limit_usd,
            alert_at=subjects.defaults.budget.alert_at,
        )


def workspace_budgets(
    listed: Mapping[str, Sequence["ApiKey"] | None],
    layers: Layers,
    known: Known,
    places: Mapping[str, Place],
    minute: int,
    subjects: "Subjects",
    unsettled: AbstractSet[str],
) -> Iterator[Budget]:
    """Each workspace's budgets: what its keys have spent in the period, those that vanished meanwhile included."""
    for workspace_id, caps in layers.caps.items():
        keys = listed.get(workspace_id)
        if keys is None or (unsettled and any(key.hash in unsettled for key in keys)):
            continue
        gone = _gone(known.get(workspace_id, {}), keys)
        name = layers.workspaces.get(workspace_id, (workspace_id, ""))[0]
        for interval, limit in caps.limits.items():
            if limit <= 0:
                continue
            period = period_of(interval)
            spent = sum(map(COUNTER[period], keys))
            if caps.byok:
                spent += sum(map(BYOK_COUNTER[period], keys))
            spent += sum(seen.spent(period, caps.byok, minute) for seen in gone)
            if period == "lifetime":
                usage, byok = places[workspace_id].departed if workspace_id in places else (0.0, 0.0)
                spent += usage + (byok if caps.byok else 0.0)
            yield Budget(
                scope="workspace",
                scope_id=workspace_id,
                scope_name=name,
                subject=workspace_id,
                period=period,
                spent=spent,
                limit=limit,
                alert_at=subjects.defaults.budget.alert_at,
            )


COUNTER: Mapping[Period, Callable[["ApiKey"], float]] = {
    "daily": attrgetter("usage_daily"),
    "weekly": attrgetter("usage_weekly"),
    "monthly": attrgetter("usage_monthly"),
    "lifetime": attrgetter("usage"),
}
BYOK_COUNTER: Mapping[Period, Callable[["ApiKey"], float]] = {
    "daily": attrgetter("byok_usage_daily"),
    "weekly": attrgetter("byok_usage_weekly"),
    "monthly": attrgetter("byok_usage_monthly"),
    "lifetime": attrgetter("byok_usage"),
}


def counter(key: "ApiKey", period: Period, byok: bool) -> float:
    """What the key has spent in its present period, in USD."""
    return COUNTER[period](key) + (BYOK_COUNTER[period](key) if byok else 0.0)


def _gone(known: Mapping[str, Packed], keys: Sequence["ApiKey"]) -> list[Seen]:
    """Keys remembered that are no longer listed; all that is listed is remembered."""
    if len(known) == len(keys):
        return []
    own = {key.hash for key in keys}
    return [Seen.unpack(packed) for hash, packed in known.items() if hash not in own]


def still_there(identity: str, hashes: set[str], workspace_ids: set[str], subjects: "Subjects") -> bool:
    """Whether the budget remembered under `identity` can still come back."""
    scope, scope_id, hash, _ = identity.split("|")
    match scope:
        case "key_limit":
            return scope_id in hashes
        case "guardrail":
            return hash in hashes or subjects.workload(hash) is not None
        case "workspace":
            return scope_id in workspace_ids
        case "workload":
            return subjects.workload(scope_id) is not None
        case "credits":
            return False  # an earlier version remembered credits as a share of what was bought
        case _:
            return True


def _key_limit(
    key: "ApiKey", limit: float, workspace_id: str, subjects: "Subjects", guard: Guard | None
) -> Iterator[Budget]:
    subject = subjects.of(key, workspace_id)
    if subjects.has_shared_limit(key, workspace_id, guard):
        return
    rules = subjects.limits(subject).budget
    yield Budget(
        scope="key_limit",
        scope_id=key.hash,
        scope_name=key.name,
        subject=subject,
        period=period_of(key.limit_reset),
        spent=_spent_of_limit(key, limit),
        limit=limit,
        alert_at=rules.alert_at,
        disable_at=rules.disable_at,
        hash=key.hash,
        workspace_id=workspace_id,
    )


def _workload_cap(workload: "Workload", spent: float, workspace_id: str, subjects: "Subjects") -> Budget:
    rules = subjects.limits(workload.name).budget
    return Budget(
        scope="workload",
        scope_id=workload.name,
        scope_name=workload.name,
        subject=workload.name,
        period=period_of(workload.key.limit_reset),
        spent=spent,
        limit=workload.key.limit_usd or 0.0,
        alert_at=rules.alert_at,
        disable_at=rules.disable_at,
        workspace_id=workspace_id,
    )


def _spent_of_cap(key: "ApiKey", workload: "Workload") -> float:
    return counter(key, period_of(workload.key.limit_reset), workload.key.include_byok_in_limit)


def _guardrail(
    key: "ApiKey", guard_id: str, guard: Guard, spent: float, workspace_id: str, subjects: "Subjects"
) -> Budget:
    subject = subjects.of(key, workspace_id)
    rules = subjects.limits(subject).budget
    return Budget(
        scope="guardrail",
        scope_id=guard_id,
        scope_name=guard.name,
        subject=subject,
        period=period_of(guard.reset_interval),
        spent=spent,
        limit=guard.limit_usd,
        alert_at=rules.alert_at,
        disable_at=rules.disable_at,
        hash=key.hash,
        workspace_id=workspace_id,
    )


def _spent_of_limit(key: "ApiKey", limit: float) -> float:
    remaining = key.limit_remaining
    if remaining is not None and remaining > 0:
        return limit - remaining
    # `limit_remaining` stops at nothing; the period's counter tells how far past the limit the last request went.
    counted = counter(key, period_of(key.limit_reset), key.include_byok_in_limit)
    return counted if remaining is None else max(limit, counted)
