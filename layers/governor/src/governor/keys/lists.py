"""Lists of key hashes at OpenRouter: the allowlists of BYOK credentials, and the filters of destinations.

A list is replaced whole, with no way to compare first, so each change is read, modified, written and read back; an
update that somebody else's overwrote is made again.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
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


type Lists = Mapping[str, Collection[str]]
"""The hashes that each list names, by the id of what holds it; none for one that lets every key pass."""


def lists_of(account: Account, workspace_id: str) -> tuple[Lists, Lists]:
    """The allowlists, and the filters."""
    return (
        {one.id: one.allowed_api_key_hashes or () for one in account.byok.list(workspace_id=workspace_id)},
        {one.id: one.api_key_hashes or () for one in account.destinations.list(workspace_id)},
    )


def naming(lists: Lists, hash: str) -> frozenset[str]:
    return frozenset(id for id, hashes in lists.items() if hash in hashes)


type Change = Callable[[list[str]], list[str]]


def change_credential(account: Account, id: str, change: Change) -> None:
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


def change_destination(account: Account, id: str, change: Change) -> None:
    for _ in range(_TRIES):
        hashes = account.destinations.get(id).api_key_hashes
        if hashes is None or change(hashes) == hashes:
            return
        wanted = change(hashes)
        _written(
            account, wanted, lambda hashes: account.destinations.update(id, DestinationPatch(api_key_hashes=hashes))
        )
    raise LostUpdate(f"the filter of destination {id} does not keep a change: somebody else writes it too")


def with_(hashes: list[str], hash: str) -> list[str]:
    return hashes if hash in hashes else [*hashes, hash]


def without(hashes: list[str], gone: Collection[str], what: str) -> list[str]:
    left = [one for one in hashes if one not in gone]
    if hashes and not left:
        named = ", ".join(f"{one[:12]}…" for one in hashes)
        raise LastEntry(f"{what} names no other key than {named}: name another there, or lift the list")
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


def allowlist(account: Account, id: str) -> Collection[str]:
    """The hashes that the credential names; none for one that is gone or lets every key pass."""
    try:
        return account.byok.get(id).allowed_api_key_hashes or ()
    except NotFound:
        return ()


def filter_(account: Account, id: str) -> Collection[str]:
    try:
        return account.destinations.get(id).api_key_hashes or ()
    except NotFound:
        return ()
