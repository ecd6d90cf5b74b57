"""What changes seldom and is read every few minutes: workspaces, guardrails, their assignments, workspaces' budgets.

A part that fails stays as it was read last. What a list leaves out is held for a while (`list_gaps.py`).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from management_api import ApiKey, Listing, OpenRouter, OpenRouterError, Workspace
from spend_meter import list_gaps
from spend_meter.state import Caps, Guard, Layers

LAYERS_EVERY = 5
"""Minutes after which workspaces, guardrails, their assignments and the workspaces' budgets are read again."""


@dataclass(frozen=True)
class _Found[Value]:
    """A list as it was answered. `gone`: entries of which it says itself that they bind nobody any more."""

    entries: Mapping[str, Value]
    unreadable: Sequence[str] = ()
    gone: frozenset[str] = frozenset()


def with_workspaces(
    layers: Layers, found: Listing[Workspace], there: Mapping[str, tuple[str, str]], minute: int
) -> Layers:
    """The layers with the workspaces that exist: `found` in the list, or `there` though the list leaves them out."""
    listed = {one.id for one in found.items}
    unlisted = {id: guard for id, guard in layers.defaults.items() if id in there and id not in listed}
    return replace(
        layers,
        workspaces=there,
        defaults=unlisted | {one.id: one.default_guardrail_id for one in found.items if one.default_guardrail_id},
        read_at={**layers.read_at, "workspaces": minute},
        odd=list_gaps.noted(layers.odd, list_gaps.WORKSPACES, list_gaps.oddity(listed, found.unreadable, 0), minute),
    )


def without_workspaces(layers: Layers, failure: OpenRouterError, minute: int) -> Layers:
    """The layers as they are, the list of workspaces being unread. An answer that cannot be read is news; one that did
    not come is told of the workspaces that are not read either."""
    if failure.status is None or not 200 <= failure.status < 300:
        return layers
    what = f"UnreadableEntry: {why(failure)}"
    return replace(layers, odd=list_gaps.noted(layers.odd, list_gaps.WORKSPACES, what, minute))


def with_odd_keys(layers: Layers, workspace_id: str, read: int, unreadable: Sequence[str], minute: int) -> Layers:
    """The layers that know of keys of the workspace that cannot be read; the same ones where there are none."""
    name = f"{list_gaps.KEYS_OF} {workspace_id}"
    if not unreadable and name not in layers.odd:
        return layers
    what = list_gaps.oddity(range(read), unreadable, 0)
    return replace(layers, odd=list_gaps.noted(layers.odd, name, what, minute))


def read_layers(
    client: OpenRouter,
    layers: Layers,
    minute: int,
    concurrency: int,
    failures: list[OpenRouterError],
    listed: Mapping[str, Sequence[ApiKey] | None],
) -> Layers:
    """Guardrails, assignments and budgets, side by side; `layers` as it is where they are not due or cannot be read.

    `listed`: the keys of this reading. Members' guardrails matter only where some key is a member's.
    """
    if not is_due(layers, "layers", minute):
        return layers
    keys = [key for some in listed.values() for key in some or ()]
    creators = {key.creator_user_id for key in keys if key.creator_user_id}
    with ThreadPoolExecutor(concurrency, thread_name_prefix="layers") as pool:
        guards = [pool.submit(asked, partial(_guards, client, id), failures) for id in layers.workspaces]
        assignments = pool.submit(asked, partial(_assignments, client), failures)
        caps = {id: pool.submit(asked, partial(_caps, client, id), failures) for id in layers.workspaces}
        members = pool.submit(asked, partial(_members, client), failures) if creators else None
    # A part that failed is asked again at the next turn, not at the next run: a plan without workspace budgets answers
    # with an error for ever, and must not double the calls.
    taking = _Taking(layers, minute)
    after = replace(
        layers,
        guards=taking.part(list_gaps.GUARDRAILS, layers.guards, _together(guards)),
        assignments=taking.part(
            list_gaps.KEYS, layers.assignments, assignments.result(), lambda: {key.hash for key in keys}
        ),
        members=taking.part(list_gaps.MEMBERS, layers.members, members.result() if members else None, lambda: creators),
        caps={id: cap for id, future in caps.items() if (cap := taking.caps(id, future.result()))},
        read_at={**layers.read_at, "layers": minute},
    )
    return replace(after, missing=taking.missing, odd=taking.standing(set(layers.workspaces)))


class _Taking:
    """Takes one list after another over, and notes what each leaves out and what is odd about it."""

    def __init__(self, layers: Layers, minute: int) -> None:
        self._layers, self._minute = layers, minute
        self.missing: dict[str, int] = {}
        self._odd = dict(layers.odd)

    def part[Value](
        self,
        name: str,
        before: Mapping[str, Value],
        found: _Found[Value] | None,
        matter: Callable[[], Collection[str]] | None = None,
    ) -> Mapping[str, Value]:
        """What the list is taken to hold. `found` None: it could not be read. `matter`: the entries that bind
        somebody; an emptied list is odd only if it had some."""
        if found is None:
            prefix = list_gaps.entry(name, "")
            self.missing |= {one: since for one, since in self._layers.missing.items() if one.startswith(prefix)}
            return before
        kept, missing = list_gaps.hold(
            name,
            before,
            found.entries,
            self._layers.missing,
            self._minute,
            partial=bool(found.unreadable),
            gone=found.gone,
        )
        self.missing |= missing
        lost = kept.keys() - found.entries.keys()
        if lost and matter:
            lost &= set(matter())
        what = list_gaps.oddity({*found.entries, *found.gone}, found.unreadable, len(lost))
        self._odd = list_gaps.noted(self._odd, name, what, self._minute)
        return kept

    def caps(self, workspace_id: str, found: tuple[_Found[float], bool] | None) -> Caps | None:
        before = self._layers.caps.get(workspace_id)
        limits, byok = found or (None, False)
        taken = self.part(f"{list_gaps.BUDGETS} {workspace_id}", before.limits if before else {}, limits)
        if limits is None:
            return before
        return Caps(taken, before.byok if before and not limits.entries else byok)

    def standing(self, workspace_ids: Collection[str]) -> dict[str, tuple[int, str]]:
        """The odd lists, without those of workspaces that are gone."""
        return {name: one for name, one in self._odd.items() if list_gaps.workspace_of(name) in (None, *workspace_ids)}


def why(error: OpenRouterError) -> str:
    """The error as an event tells it: docs/operations.md goes by the class."""
    return f"{type(error).__name__}: {error}"


def is_due(layers: Layers, part: str, minute: int) -> bool:
    return minute >= layers.read_at.get(part, 0) + LAYERS_EVERY


def asked[Answer](call: Callable[[], Answer], failures: list[OpenRouterError]) -> Answer | None:
    """The answer, or None with the failure noted. A refused credential is no mere failure, and is raised."""
    try:
        return call()
    except OpenRouterError as error:
        if error.status == 401:
            raise
        failures.append(error)
        return None


def _together(lists: Sequence["Future[_Found[Guard] | None]"]) -> _Found[Guard] | None:
    """The guardrails of all workspaces; None where one's could not be read."""
    entries: dict[str, Guard] = {}
    unreadable: list[str] = []
    gone: set[str] = set()
    for future in lists:
        found = future.result()
        if found is None:
            return None
        entries |= found.entries
        unreadable += found.unreadable
        gone |= found.gone
    return _Found(entries, unreadable, frozenset(gone))


def _guards(client: OpenRouter, workspace_id: str) -> _Found[Guard]:
    listing = client.guardrails.each(workspace_id)
    guards = {
        one.id: Guard(one.name, one.limit_usd, one.reset_interval, one.include_byok_in_budgets)
        for one in listing.items
        if one.limit_usd
    }
    return _Found(guards, listing.unreadable, frozenset(one.id for one in listing.items if not one.limit_usd))


def _assignments(client: OpenRouter) -> _Found[str]:
    listing = client.guardrails.each_assignment()
    return _Found({one.key_hash: one.guardrail_id for one in listing.items}, listing.unreadable)


def _members(client: OpenRouter) -> _Found[str]:
    listing = client.guardrails.each_member_assignment()
    return _Found({one.user_id: one.guardrail_id for one in listing.items}, listing.unreadable)


def _caps(client: OpenRouter, workspace_id: str) -> tuple[_Found[float], bool]:
    listing, byok = client.workspaces.each_budget(workspace_id)
    limits = {one.reset_interval or "lifetime": one.limit_usd for one in listing.items}
    return _Found(limits, listing.unreadable), bool(byok)
