"""What points at a key's hash, and so must follow a rotation: its guardrail, BYOK allowlists, observability filters.

What follows from the member who created the key (their guardrail and its budget, `allowed_user_ids` of BYOK
credentials) points at no hash: it holds for every key that names them as its creator.

A list is replaced whole, with no way to compare first, so each change is read, modified, written and read back; an
update that somebody else's overwrote is made again. Lists are as long as the account: each function says which it
reads, and reads none twice. Every function may be run again at any time.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol

from management_api import ByokPatch, DestinationPatch, NotFound, OutcomeUnknown, Rejected

if TYPE_CHECKING:
    from management_api import ApiKey, ByokKey, Destination, KeyAssignment, MemberAssignment

MAX_ALLOWED = 100
"""Hashes in one `allowed_api_key_hashes` (OpenRouter's limit)."""
_TRIES = 4


class AllowlistFull(Exception):
    """A credential's allowlist has no room for one more key: take dead or needless hashes out of it."""


class LastEntry(Exception):
    """A key is the only one in a list, and an empty list is refused: name another key there, or lift the list."""


class LostUpdate(Exception):
    """Somebody else keeps changing the same list; try again later."""


class Byok(Protocol):
    def list(self, *, workspace_id: str | None = None) -> "list[ByokKey]": ...
    def get(self, id: str) -> "ByokKey": ...
    def update(self, id: str, patch: ByokPatch) -> "ByokKey": ...


class Guardrails(Protocol):
    def assignments(self) -> "list[KeyAssignment]": ...
    def assigned(self, id: str) -> "list[KeyAssignment]": ...
    def member_assignments(self) -> "list[MemberAssignment]": ...
    def assign(self, id: str, hashes: Sequence[str]) -> None: ...
    def unassign(self, id: str, hashes: Sequence[str]) -> None: ...


class Destinations(Protocol):
    def list(self, workspace_id: str | None = None) -> "list[Destination]": ...
    def get(self, id: str) -> "Destination": ...
    def update(self, id: str, patch: DestinationPatch) -> "Destination": ...


class Keys(Protocol):
    def get(self, hash: str) -> "ApiKey": ...


class Account(Protocol):
    """The part of an account that points at keys. Every call raises from `management_api.errors`."""

    @property
    def keys(self) -> Keys: ...
    @property
    def byok(self) -> Byok: ...
    @property
    def guardrails(self) -> Guardrails: ...
    @property
    def destinations(self) -> Destinations: ...


@dataclass(frozen=True)
class Attachments:
    """What points at one key: the guardrail's id, and the ids of credentials and destinations whose lists name it."""

    guardrail_id: str | None = None
    byok: frozenset[str] = field(default_factory=frozenset)
    destinations: frozenset[str] = field(default_factory=frozenset)


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
    byok, destinations = _lists(account, workspace_id)
    named = {hash for lists in (byok, destinations) for hashes in lists.values() for hash in hashes}
    return {
        hash: Attachments(assigned.get(hash), _naming(byok, hash), _naming(destinations, hash))
        for hash in named | set(assigned)
    }


def attach(account: Account, workspace_id: str, hash: str, *, like: str | None, guardrail_id: str | None) -> None:
    """Assigns the guardrail, and puts `hash` into every list that names `like`. Two lists, where there is a `like`.

    Raises `AllowlistFull`, `LostUpdate`, and `OutcomeUnknown` when the assignment's answer was lost and a read after it
    does not show it. What OpenRouter did answer is proven by whoever reads the attachments next, as testSecret does.
    """
    if guardrail_id:
        _assign(account, guardrail_id, hash)
    if like is None:
        return
    byok, destinations = _lists(account, workspace_id)
    for id in sorted(_naming(byok, like) - _naming(byok, hash)):
        _change_credential(account, id, partial(_with, hash=hash))
    for id in sorted(_naming(destinations, like) - _naming(destinations, hash)):
        _change_destination(account, id, partial(_with, hash=hash))


def include(account: Account, hash: str, into: Attachments) -> None:
    """Puts the key into each list of `into` that names keys and does not name this one. Raises as `attach`."""
    for id in sorted(into.byok):
        _change_credential(account, id, partial(_with, hash=hash))
    for id in sorted(into.destinations):
        _change_destination(account, id, partial(_with, hash=hash))


def detach(account: Account, hash: str, has: Attachments) -> None:
    """Takes the key out of every list of `has`, and from its guardrail. Reads no list but one whose answer was lost.

    Raises `LastEntry` for a list that names no other key, `LostUpdate`, `OutcomeUnknown`.
    """
    for id in sorted(has.byok):
        _change_credential(account, id, partial(_without, hash=hash, what=f"the allowlist of credential {id}"))
    for id in sorted(has.destinations):
        _change_destination(account, id, partial(_without, hash=hash, what=f"the filter of destination {id}"))
    if has.guardrail_id:
        _unassign(account, has.guardrail_id, hash)


def _assign(account: Account, id: str, hash: str) -> None:
    try:
        account.guardrails.assign(id, [hash])
    except OutcomeUnknown:
        if not _is_assigned(account, id, hash):
            raise


def _unassign(account: Account, id: str, hash: str) -> None:
    try:
        account.guardrails.unassign(id, [hash])
    except OutcomeUnknown:
        if _is_assigned(account, id, hash):
            raise


def _is_assigned(account: Account, id: str, hash: str) -> bool:
    return any(one.key_hash == hash for one in account.guardrails.assigned(id))


type Lists = Mapping[str, Collection[str]]
"""The hashes that each list names, by the id of what holds it; none for one that lets every key pass."""


def _lists(account: Account, workspace_id: str) -> tuple[Lists, Lists]:
    """The allowlists, and the filters."""
    return (
        {one.id: one.allowed_api_key_hashes or () for one in account.byok.list(workspace_id=workspace_id)},
        {one.id: one.api_key_hashes or () for one in account.destinations.list(workspace_id)},
    )


def _naming(lists: Lists, hash: str) -> frozenset[str]:
    return frozenset(id for id, hashes in lists.items() if hash in hashes)


type Change = Callable[[list[str]], list[str]]


def _change_credential(account: Account, id: str, change: Change) -> None:
    for _ in range(_TRIES):
        credential = account.byok.get(id)
        hashes = credential.allowed_api_key_hashes
        if hashes is None or change(hashes) == hashes:
            return
        wanted = change(hashes)
        if len(wanted) > MAX_ALLOWED:
            raise AllowlistFull(
                f"credential {credential.name or id} ({credential.provider}) allows {len(hashes)} keys, and "
                f"{MAX_ALLOWED} is OpenRouter's limit: take hashes of dead keys out of its allowlist"
            )
        _written(account, wanted, lambda hashes: account.byok.update(id, ByokPatch(allowed_api_key_hashes=hashes)))
    raise LostUpdate(f"the allowlist of credential {id} does not keep a change: somebody else writes it too")


def _change_destination(account: Account, id: str, change: Change) -> None:
    for _ in range(_TRIES):
        hashes = account.destinations.get(id).api_key_hashes
        if hashes is None or change(hashes) == hashes:
            return
        wanted = change(hashes)
        _written(
            account, wanted, lambda hashes: account.destinations.update(id, DestinationPatch(api_key_hashes=hashes))
        )
    raise LostUpdate(f"the filter of destination {id} does not keep a change: somebody else writes it too")


def _with(hashes: list[str], hash: str) -> list[str]:
    return hashes if hash in hashes else [*hashes, hash]


def _without(hashes: list[str], hash: str, what: str) -> list[str]:
    if hash not in hashes:
        return hashes
    left = [one for one in hashes if one != hash]
    if not left:
        raise LastEntry(f"{what} names no other key than {hash[:12]}…: name another there, or lift the list")
    return left


def _written(account: Account, hashes: list[str], write: Callable[[list[str]], object]) -> None:
    """Writes the list. One that names a key which somebody deleted is refused whole: then the dead hashes are left out.

    A GET for each hash of a list that was refused, at most `MAX_ALLOWED`. Raises `LastEntry` when no live key is left,
    and the refusal when no hash of the list is dead.
    """
    try:
        _tolerated(partial(write, hashes))
    except Rejected:
        live = [hash for hash in hashes if _lives(account, hash)]
        if live == hashes:
            raise
        if not live:
            raise LastEntry(
                f"a list names deleted keys only ({', '.join(hash[:12] for hash in hashes)}…): name a live key there, "
                f"or lift the list"
            ) from None
        _tolerated(partial(write, live))


def _lives(account: Account, hash: str) -> bool:
    try:
        account.keys.get(hash)
    except NotFound:
        return False
    return True


def _tolerated(write: Callable[[], object]) -> None:
    """A write whose lost answer is found out by the read that follows it."""
    try:
        write()
    except OutcomeUnknown:
        return
