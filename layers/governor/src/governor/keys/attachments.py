"""What points at a key's hash, and so must follow a rotation: its guardrail, BYOK allowlists, observability filters.

What follows from the member who created the key (their guardrail and its budget, `allowed_user_ids` of BYOK
credentials) points at no hash: it holds for every key that names them as its creator.

Lists are as long as the account: each function says which it reads, and reads none twice. Every function may be run
again at any time.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from governor.keys.lists import (
    Account,
    LastEntry,
    Lists,
    LostUpdate,
    allowlist,
    change_credential,
    change_destination,
    filter_,
    lists_of,
    naming,
    with_,
    without,
)
from management_api import OpenRouterError, OutcomeUnknown

BYOK, DESTINATION = "byok:", "destination:"
"""Before the ids, in a lineage's row."""
AT_ONCE = 100
"""Keys in one request to a guardrail: OpenRouter states no limit of its own, and an allowlist's is as much."""


@dataclass(frozen=True)
class Attachments:
    """What points at one key: the guardrail's id, and the ids of credentials and destinations whose lists name it."""

    guardrail_id: str | None = None
    byok: frozenset[str] = field(default_factory=frozenset)
    destinations: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def noted(cls, names: Collection[str]) -> "Attachments":
        """From what a lineage's row keeps of a key: `byok:<id>` and `destination:<id>`."""
        return cls(None, _after(BYOK, names), _after(DESTINATION, names))

    def names(self) -> tuple[str, ...]:
        """What a lineage's row keeps."""
        return tuple(
            sorted([*(f"{BYOK}{id}" for id in self.byok), *(f"{DESTINATION}{id}" for id in self.destinations)])
        )


NOTHING = Attachments()


def guardrails_of(account: Account, hashes: Collection[str], expected: str | None) -> dict[str, str]:
    """The guardrail's id of each of the keys that has one.

    The list of the guardrail where they should be comes first; the account's whole list, which is longer by all other
    keys, is read only for what that one does not name.
    """
    if expected:
        there = {one.key_hash for one in account.guardrails.assigned(expected)}
        if there.issuperset(hashes):
            return dict.fromkeys(hashes, expected)
    return {one.key_hash: one.guardrail_id for one in account.guardrails.assignments() if one.key_hash in hashes}


def guardrail_of_member(account: Account, user_id: str) -> str | None:
    """The id of the guardrail that the member, and so every key that they created, is under."""
    found = account.guardrails.member_assignments()
    return next((one.guardrail_id for one in found if one.user_id == user_id), None)


def read(account: Account, workspace_id: str, assigned: Mapping[str, str]) -> dict[str, Attachments]:
    """What points at each key now, by hash; a key that nothing points at is left out. Two lists.

    `assigned`: the guardrail's id of each key that has one, as just read.
    """
    byok, destinations = lists_of(account, workspace_id)
    named = {hash for lists in (byok, destinations) for hashes in lists.values() for hash in hashes}
    return {
        hash: Attachments(assigned.get(hash), naming(byok, hash), naming(destinations, hash))
        for hash in named | set(assigned)
    }


def attach(
    account: Account,
    workspace_id: str,
    hash: str,
    *,
    like: str | None,
    guardrail_id: str | None,
    known: Attachments = NOTHING,
    listed: Callable[[], tuple[Lists, Lists]] | None = None,
) -> Attachments:
    """Assigns the guardrail, and puts `hash` into every list that names `like`; what names both now. Two lists, where
    there is a `like`: those of `listed` where somebody has read them already.

    `known`: what has named `like` before. An answer that leaves some of it out proves nothing: that is asked for by id.
    Raises `AllowlistFull`, `LostUpdate`, and `OutcomeUnknown` when the assignment's answer was lost and a read after it
    does not show it. What OpenRouter did answer is proven by whoever reads the attachments next, as testSecret does.
    """
    if guardrail_id:
        _assign(account, guardrail_id, hash)
    if like is None:
        return NOTHING
    byok, destinations = listed() if listed else lists_of(account, workspace_id)
    left_out = _left_out(account, like, known, byok, destinations)
    follows = Attachments(
        guardrail_id, naming(byok, like) | left_out.byok, naming(destinations, like) | left_out.destinations
    )
    has = Attachments(None, naming(byok, hash), naming(destinations, hash))
    include(account, hash, Attachments(None, follows.byok - has.byok, follows.destinations - has.destinations))
    return follows


def include(account: Account, hash: str, into: Attachments) -> None:
    """Puts the key into each list of `into` that names keys and does not name this one. Raises as `attach`."""
    for id in sorted(into.byok):
        change_credential(account, id, partial(with_, hash=hash))
    for id in sorted(into.destinations):
        change_destination(account, id, partial(with_, hash=hash))


def missing(account: Account, hash: str, like: str, known: Attachments, listed: tuple[Lists, Lists]) -> list[str]:
    """The ids of lists that name `like` and not `hash`. `listed`: the allowlists and the filters, as read.

    What that leaves out of `known` is asked for by its id.
    """
    byok, destinations = listed
    wanted = Attachments(None, naming(byok, like), naming(destinations, like))
    has = Attachments(None, naming(byok, hash), naming(destinations, hash))
    ids = (wanted.byok - has.byok) | (wanted.destinations - has.destinations)
    unseen = (
        *((id, allowlist(account, id)) for id in known.byok - wanted.byok - has.byok),
        *((id, filter_(account, id)) for id in known.destinations - wanted.destinations - has.destinations),
    )
    return sorted(ids | {id for id, hashes in unseen if like in hashes and hash not in hashes})


def detach(account: Account, has: Mapping[str, Attachments]) -> list[Exception]:
    """Takes each key out of every list that names it, and from its guardrail: one change a list however many keys, and
    one request for a hundred keys of a guardrail. Reads no list but one whose answer was lost.

    One list's failure spares no other. What failed: `LastEntry` of a list that names no other key, `LostUpdate`,
    `OutcomeUnknown`, or what the call raised.
    """
    failed: list[Exception] = []
    for id, hashes in _by(has, lambda one: one.byok):
        change = partial(without, gone=hashes, what=f"the allowlist of credential {id}")
        _tried(partial(change_credential, account, id, change), failed)
    for id, hashes in _by(has, lambda one: one.destinations):
        change = partial(without, gone=hashes, what=f"the filter of destination {id}")
        _tried(partial(change_destination, account, id, change), failed)
    for id, hashes in _by(has, lambda one: (one.guardrail_id,) if one.guardrail_id else ()):
        for start in range(0, len(hashes), AT_ONCE):
            _tried(partial(_unassign, account, id, hashes[start : start + AT_ONCE]), failed)
    return failed


def _by(has: Mapping[str, Attachments], ids: Callable[[Attachments], Collection[str]]) -> list[tuple[str, list[str]]]:
    """What names any of the keys, with the keys that it names."""
    found: dict[str, list[str]] = {}
    for hash, one in has.items():
        for id in ids(one):
            found.setdefault(id, []).append(hash)
    return sorted(found.items())


def _tried(change: Callable[[], object], failed: list[Exception]) -> None:
    try:
        change()
    except (OpenRouterError, LastEntry, LostUpdate) as error:
        failed.append(error)


def _assign(account: Account, id: str, hash: str) -> None:
    try:
        account.guardrails.assign(id, [hash])
    except OutcomeUnknown:
        if hash not in _assigned(account, id):
            raise


def _unassign(account: Account, id: str, hashes: Sequence[str]) -> None:
    try:
        account.guardrails.unassign(id, hashes)
    except OutcomeUnknown:
        if _assigned(account, id).intersection(hashes):
            raise


def _assigned(account: Account, id: str) -> set[str]:
    return {one.key_hash for one in account.guardrails.assigned(id)}


def _left_out(account: Account, like: str, known: Attachments, byok: Lists, destinations: Lists) -> Attachments:
    """Of `known`, what the lists leave out and what still names `like`: one GET each."""
    return Attachments(
        None,
        frozenset(id for id in known.byok - byok.keys() if like in allowlist(account, id)),
        frozenset(id for id in known.destinations - destinations.keys() if like in filter_(account, id)),
    )


def _after(prefix: str, names: Collection[str]) -> frozenset[str]:
    return frozenset(name.removeprefix(prefix) for name in names if name.startswith(prefix))
