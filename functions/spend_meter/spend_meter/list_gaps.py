"""What the lists beside the keys (guardrails, their assignments, budgets) leave out is not gone at once (promise 3).

OpenRouter may answer a list empty, in part, or with an entry that cannot be read. A budget that such an answer leaves
out would be judged no more, and nobody would be told. So what was there and is missing is held for an hour, and as long
as the list holds an entry that cannot be read. What is held is told of, and disables nothing. Pure.
"""

from collections.abc import Collection, Mapping, Sequence, Sized
from dataclasses import replace

from governor.events import DetailType, Event, event_id
from governor.events.evidence import Blind
from spend_meter.budgets import Budget
from spend_meter.periods import moment_of
from spend_meter.state import Layers

HELD = 60
"""Minutes for which an entry is held that its list leaves out. A list of an earlier moment is over by then."""
WORKSPACES, GUARDRAILS, KEYS, MEMBERS, BUDGETS, KEYS_OF = (
    "workspaces",
    "guardrails",
    "guardrail assignments of keys",
    "guardrail assignments of members",
    "budgets of workspace",
    "keys of workspace",
)
"""The lists by name; the last two are followed by a blank and the workspace's id."""


def entry(part: str, id: str) -> str:
    """The name under which `Layers.missing` knows an entry."""
    return f"{part} {id}"


def workspace_of(part: str) -> str | None:
    """The workspace whose list it is; None for one of the account."""
    of = next((of for of in (BUDGETS, KEYS_OF) if part.startswith(f"{of} ")), None)
    return part.removeprefix(f"{of} ") if of else None


def hold[Value](
    part: str,
    before: Mapping[str, Value],
    found: Mapping[str, Value],
    missing: Mapping[str, int],
    minute: int,
    *,
    partial: bool,
    gone: Collection[str] = (),
) -> tuple[dict[str, Value], dict[str, int]]:
    """What the list is taken to hold, and since when each entry that it leaves out is missing.

    `before`: as it was taken last. `partial`: it holds entries that cannot be read, so that none counts as gone.
    `gone`: those of which it says so itself.
    """
    kept, since = dict(found), {}
    for id, value in before.items():
        if id in found or id in gone:
            continue
        first = minute if partial else missing.get(entry(part, id), minute)
        if minute - first < HELD:
            kept[id] = value
            since[entry(part, id)] = first
    return kept, since


def oddity(found: Sized, unreadable: Sequence[str], held: int) -> str | None:
    """What is odd about a list, as an event tells it: docs/operations.md goes by the first word.

    `held`: how many entries that matter it leaves out and are held.
    """
    if unreadable:
        return f"UnreadableEntry: {len(unreadable)} of {len(found) + len(unreadable)} entries ({unreadable[0]})"
    return f"EmptyList: it had {held} entries" if held and not len(found) else None


def noted(odd: Mapping[str, tuple[int, str]], part: str, what: str | None, minute: int) -> dict[str, tuple[int, str]]:
    """The lists that are odd, and since when, after this one was read."""
    after = {name: since for name, since in odd.items() if name != part}
    return {**after, part: (odd[part][0] if part in odd else minute, what)} if what else after


def cautious(budget: Budget, layers: Layers) -> Budget:
    """The budget without what would disable, while its guardrail or its assignment is only held.

    The threshold that disables is told when the list shows it again, or never.
    """
    guard = entry(GUARDRAILS, budget.scope_id) in layers.missing
    if budget.disable_at is None or not (guard or entry(KEYS, budget.hash) in layers.missing):
        return budget
    below = [threshold for threshold in budget.alert_at if threshold < budget.disable_at]
    return replace(budget, alert_at=below, disable_at=None)


def news(before: Layers, after: Layers, minute: int) -> list[Event]:
    """Monitor Blind of each list that has become odd, and Monitor Recovered of each that is whole again.

    None follows where a list stayed empty until it was believed: the first message says so.
    """
    told = [
        _blind(part, since, what, after, minute) for part, (since, what) in after.odd.items() if part not in before.odd
    ]
    for part, (since, what) in before.odd.items():
        if part not in after.odd and _holds(after, part):
            told.append(_recovered(part, since, what, after, minute))
    return told


def _holds(layers: Layers, part: str) -> bool:
    """Whether the list has entries."""
    match part:
        case "workspaces":
            return bool(layers.workspaces)
        case "guardrails":
            return bool(layers.guards)
        case "guardrail assignments of keys":
            return bool(layers.assignments)
        case "guardrail assignments of members":
            return bool(layers.members)
        case _ if part.startswith(KEYS_OF):
            return workspace_of(part) in layers.workspaces
        case _:
            caps = layers.caps.get(workspace_of(part) or "")
            return bool(caps and caps.limits)


def _blind(part: str, since: int, what: str, layers: Layers, minute: int) -> Event:
    name = _name(part, layers)
    if what.startswith("EmptyList"):
        until = moment_of(since + HELD)
        reason = (
            f"OpenRouter's {name} came back empty. Governor goes on with what it read last: it alerts on these "
            f"budgets, and disables no key for them. If the list is still empty at {until:%H:%M} UTC, Governor takes "
            "it as it is and judges these budgets no more; no further message says so. If it is filled again, Monitor "
            "Recovered says so."
        )
    elif part.startswith(KEYS_OF):
        reason = (
            f"OpenRouter's {name} holds a key that cannot be read. All others are metered. Until it can be read, its "
            "spend is not metered and a runaway of it is not stopped; what it spends is counted once it is read again. "
            "Monitor Recovered follows."
        )
    else:
        reason = (
            f"OpenRouter's {name} holds what cannot be read. All other entries are taken over, and none is taken for "
            "gone while this lasts. What cannot be read is watched as it was last known, or not at all if it is new. "
            "Monitor Recovered follows."
        )
    return _event(DetailType.MONITOR_BLIND, part, since, name, what, reason, minute)


def _recovered(part: str, since: int, what: str, layers: Layers, minute: int) -> Event:
    name = _name(part, layers)
    reason = f"OpenRouter's {name} is as it should be again, {minute - since} min after that was told."
    return _event(DetailType.MONITOR_RECOVERED, part, since, name, what, reason, minute)


def _name(part: str, layers: Layers) -> str:
    id = workspace_of(part)
    if id is None:
        return f"list of {part}"
    return f"list of {part.removesuffix(id)}{layers.workspaces.get(id, (id, ''))[0]}"


def _event(kind: DetailType, part: str, since: int, name: str, what: str, reason: str, minute: int) -> Event:
    evidence = Blind(scope=part, name=name, kind="partial_list", last_reading_at=moment_of(since), error=what)
    id = event_id(kind, "list", part, since)
    return Event(kind, id, "account", moment_of(minute), reason, evidence.model_dump(mode="json"))
