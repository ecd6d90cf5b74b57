"""The lists that name a workload's current key: BYOK allowlists and observability filters.

The policy does not declare them. What a key has been in since it was the current one, and what the key before it is in
during the overlap, is what it should be in; a list that it is taken off by hand is told once. A list that an answer
leaves out proves nothing: each is asked for by its id before anything is said.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from governor.keys.attachments import BYOK, DESTINATION, Attachments, include
from governor.keys.lineage import Lineage, LineageKey
from key_retirement.difference import Difference
from key_retirement.ports import LineageRun
from management_api import NotFound

if TYPE_CHECKING:
    from management_api import ByokKey, Destination

ALLOWLIST, FILTER = "allowed_api_key_hashes", "api_key_hashes"
"""OpenRouter's names of the two."""


def noted(run: LineageRun, lineage: Lineage, key: LineageKey) -> tuple[str, ...] | None:
    """All lists that the key is in now, or should be in: what the row keeps. None for a key that is gone."""
    if key.hash not in run.place.keys:
        return key.attached
    return tuple(sorted(_present(run, key.hash) | _wanted(run, lineage, key)))


def lost(run: LineageRun, lineage: Lineage, key: LineageKey) -> list[Difference]:
    """What the key was taken off, as one difference for each kind of list. One GET for each list in question."""
    missing = sorted(_wanted(run, lineage, key) - _present(run, key.hash))
    name, found = run.workload.name, []
    credentials = [one for id in missing if id.startswith(BYOK) and (one := _credential(run, key.hash, id))]
    if credentials:
        names = ", ".join(f"{one.provider} {one.name or one.id}".strip() for one in credentials)
        sentence = (
            f"{key.name} was taken off the allowlist of {names} by hand. {name}'s requests no longer go through your "
            f"own provider key there: they are paid with OpenRouter credits, or refused. Put the key back on the list; "
            f"if it is meant, do nothing."
        )
        found.append(Difference(ALLOWLIST, "named", f"not named by {names}", sentence, "Governor puts it back."))
    filters = [to for id in missing if id.startswith(DESTINATION) and (to := _filter(run, key.hash, id))]
    if filters:
        names = ", ".join(to.name or to.id for to in filters)
        sentence = (
            f"{key.name} was taken off the filter of destination {names} by hand: {name}'s requests are not sent there "
            f"any more. Put the key back on the list; if it is meant, do nothing."
        )
        found.append(Difference(FILTER, "named", f"not named by {names}", sentence, "Governor puts it back."))
    return found


def fix(run: LineageRun, key: LineageKey, found: Sequence[Difference]) -> None:
    """Puts the key back into every list that the row knows, where one was found missing. Idempotent."""
    if not any(one.field in (ALLOWLIST, FILTER) for one in found):
        return
    missing = set(key.attached or ()) - _present(run, key.hash)
    byok = [id for id in missing if id.startswith(BYOK) and _credential(run, key.hash, id)]
    filters = [id for id in missing if id.startswith(DESTINATION) and _filter(run, key.hash, id)]
    into = Attachments(
        None,
        frozenset(id.removeprefix(BYOK) for id in byok),
        frozenset(id.removeprefix(DESTINATION) for id in filters),
    )
    include(run.account, key.hash, into)


def _present(run: LineageRun, hash: str) -> set[str]:
    has = run.attachments(hash)
    return {f"{BYOK}{id}" for id in has.byok} | {f"{DESTINATION}{id}" for id in has.destinations}


def _wanted(run: LineageRun, lineage: Lineage, key: LineageKey) -> set[str]:
    """`until` after `since`: the former key was in use once, so that testSecret held the new key against it."""
    former = [
        one.hash
        for one in lineage.keys
        if one.state == "overlap" and not one.exposed and one.until and one.until > one.since
    ]
    wanted = set(key.attached or ())
    for hash in former:
        wanted |= _present(run, hash)
    return wanted


def _credential(run: LineageRun, hash: str, id: str) -> "ByokKey | None":
    """The credential, if it is there and its allowlist does not name the key."""
    try:
        found = run.account.byok.get(id.removeprefix(BYOK))
    except NotFound:
        return None
    return found if found.allowed_api_key_hashes is not None and hash not in found.allowed_api_key_hashes else None


def _filter(run: LineageRun, hash: str, id: str) -> "Destination | None":
    try:
        found = run.account.destinations.get(id.removeprefix(DESTINATION))
    except NotFound:
        return None
    return found if found.api_key_hashes is not None and hash not in found.api_key_hashes else None
