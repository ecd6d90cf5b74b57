"""What a list leaves out and the meter remembers is asked for by itself, before it counts as gone (promise 3).

OpenRouter may answer a list in part, with 200; keys that seem to vanish would end incidents, and arm budgets again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from governor.account.workspaces import is_gone
from management_api import ApiKey, Deadline, NotFound, OpenRouter, OpenRouterError, Rejected
from spend_meter.counters import Known, Seen
from spend_meter.sweep_reading import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from management_api import Listing, Workspace

ASKED = 10
"""Keys of a workspace that are asked for in one run. Of more that vanish together these stand for all."""


def confirmed(openrouter: OpenRouter, reading: Reading, known: Known, seconds_left: "Callable[[], float]") -> Reading:
    """The reading with each key that its list left out and that OpenRouter has.

    A workspace is unknown where a key could not be asked for, or where more keys are missing than can be asked for and
    one of those lives. Asks nothing unless a key vanished since the last run, and then once for each. Raises
    `AuthenticationFailed`.
    """
    client = openrouter.within(Deadline(seconds_left))
    anywhere: set[str] | None = None
    listed: dict[str, Sequence[ApiKey] | None] = dict(reading.listed)
    errors = dict(reading.errors)
    failed = reading.failed_calls
    for workspace_id, keys in reading.listed.items():
        before = known.get(workspace_id, {})
        # Where an entry of the list cannot be read, what is missing may be that one: it stays as it was read last.
        if keys is None or workspace_id in reading.unreadable or before.keys() <= {key.hash for key in keys}:
            continue
        if anywhere is None:
            anywhere = {key.hash for some in reading.listed.values() for key in some or ()}
        missing = [hash for hash in before if hash not in anywhere and not Seen.unpack(before[hash]).gone]
        try:
            alive = _alive(client, missing[:ASKED], workspace_id)
        except OpenRouterError as error:
            if error.status == 401:
                raise
            listed[workspace_id], errors[workspace_id] = None, f"{type(error).__name__}: {error}"
            failed += 1
            continue
        if alive and len(missing) > ASKED:
            listed[workspace_id] = None
            errors[workspace_id] = (
                f"PartialList: the list of keys leaves out {len(missing)} keys of which OpenRouter has at least "
                f"{len(alive)}"
            )
        elif alive:
            listed[workspace_id] = [*keys, *alive]
    return replace(reading, listed=listed, errors=errors, failed_calls=failed)


def _alive(client: OpenRouter, hashes: Sequence[str], workspace_id: str) -> list[ApiKey]:
    """Those that OpenRouter has in this workspace; one that was moved is in another's list, now or at the next run."""
    found = []
    for hash in hashes:
        try:
            key = client.keys.get(hash)
        except NotFound:
            continue
        if key.workspace_id == workspace_id:
            found.append(key)
    return found


def workspaces_of(
    openrouter: OpenRouter, before: Mapping[str, tuple[str, str]], found: "Listing[Workspace]"
) -> dict[str, tuple[str, str]]:
    """The workspaces that were found, and each that is missing among them but answers for itself.

    While an entry of the list cannot be read none is missing: it may be that one. Raises from `management_api.errors`:
    then the list that was read last stands.
    """
    after = {one.id: (one.name, one.slug) for one in found.items}
    if found.unreadable:
        return {**before, **after}
    for id in before.keys() - after.keys():
        try:
            one = openrouter.workspaces.get(id)
        except NotFound:
            continue
        after[id] = (one.name, one.slug)
    return after


def deleted(client: OpenRouter, refused: Mapping[str, OpenRouterError]) -> frozenset[str]:
    """Those of the workspaces that OpenRouter has no more, though they were listed minutes ago.

    `refused`: workspace id to why its keys could not be listed. Of those that were rejected at most `ASKED` are asked
    for in one run; a workspace that cannot be asked for stays. Raises `AuthenticationFailed` for a 401.
    """
    rejected = [id for id, error in refused.items() if isinstance(error, Rejected)]
    found = set()
    for id in rejected[:ASKED]:
        try:
            if is_gone(client.workspaces, id):
                found.add(id)
        except OpenRouterError as error:
            if error.status == 401:
                raise
    return frozenset(found)
