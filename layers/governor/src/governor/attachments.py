"""What points at a key's hash, and so must follow a rotation: its guardrail, BYOK allowlists, observability filters.

A list is replaced whole, with no way to compare first, so each change is read, modified, written and read back; an
update that somebody else's overwrote is made again. Every method may be run again at any time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol

from management_api import ByokPatch, DestinationPatch, OutcomeUnknown

if TYPE_CHECKING:
    from management_api import ByokKey, Destination, KeyAssignment

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
    def assign(self, id: str, hashes: Sequence[str]) -> None: ...
    def unassign(self, id: str, hashes: Sequence[str]) -> None: ...


class Destinations(Protocol):
    def list(self, workspace_id: str | None = None) -> "list[Destination]": ...
    def get(self, id: str) -> "Destination": ...
    def update(self, id: str, patch: DestinationPatch) -> "Destination": ...


class Account(Protocol):
    """The part of an account that points at keys. Every call raises from `management_api.errors`."""

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


def read(account: Account, workspace_id: str, hash: str) -> Attachments:
    """What points at the key now."""
    assigned = (one.guardrail_id for one in account.guardrails.assignments() if one.key_hash == hash)
    return Attachments(
        next(assigned, None),
        frozenset(
            one.id for one in account.byok.list(workspace_id=workspace_id) if hash in (one.allowed_api_key_hashes or ())
        ),
        frozenset(one.id for one in account.destinations.list(workspace_id) if hash in (one.api_key_hashes or ())),
    )


def attach(
    account: Account, workspace_id: str, hash: str, *, like: str | None, guardrail_id: str | None
) -> Attachments:
    """Points everything at `hash` that points at `like`, and assigns the guardrail (`like`'s own where none is given).

    Raises `AllowlistFull`, `LostUpdate`, and `OutcomeUnknown` when a read after it does not show the guardrail.
    """
    has = read(account, workspace_id, hash)
    wanted = read(account, workspace_id, like) if like else Attachments()
    guardrail = guardrail_id or wanted.guardrail_id
    if guardrail and has.guardrail_id != guardrail:
        _tolerated(partial(account.guardrails.assign, guardrail, [hash]))
    for id in sorted(wanted.byok - has.byok):
        _change_credential(account, id, partial(_with, hash=hash))
    for id in sorted(wanted.destinations - has.destinations):
        _change_destination(account, id, partial(_with, hash=hash))
    after = read(account, workspace_id, hash)
    if guardrail and after.guardrail_id != guardrail:
        raise OutcomeUnknown(f"key {hash[:12]}… does not show the guardrail it was assigned")
    return after


def detach(account: Account, workspace_id: str, hash: str) -> Attachments:
    """Takes the key out of every list, and from its guardrail; what still points at it, which is nothing.

    Raises `LastEntry` for a list that names no other key, `LostUpdate`.
    """
    has = read(account, workspace_id, hash)
    for id in sorted(has.byok):
        _change_credential(account, id, partial(_without, hash=hash, what=f"the allowlist of credential {id}"))
    for id in sorted(has.destinations):
        _change_destination(account, id, partial(_without, hash=hash, what=f"the filter of destination {id}"))
    if has.guardrail_id:
        _tolerated(partial(account.guardrails.unassign, has.guardrail_id, [hash]))
    after = read(account, workspace_id, hash)
    if after.guardrail_id:
        raise OutcomeUnknown(f"key {hash[:12]}… still shows its guardrail")
    return after


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
        _tolerated(partial(account.byok.update, id, ByokPatch(allowed_api_key_hashes=wanted)))
    raise LostUpdate(f"the allowlist of credential {id} does not keep a change: somebody else writes it too")


def _change_destination(account: Account, id: str, change: Change) -> None:
    for _ in range(_TRIES):
        hashes = account.destinations.get(id).api_key_hashes
        if hashes is None or change(hashes) == hashes:
            return
        _tolerated(partial(account.destinations.update, id, DestinationPatch(api_key_hashes=change(hashes))))
    raise LostUpdate(f"the filter of destination {id} does not keep a change: somebody else writes it too")


def _with(hashes: list[str], hash: str) -> list[str]:
    return hashes if hash in hashes else [*hashes, hash]


def _without(hashes: list[str], hash: str, what: str) -> list[str]:
    left = [one for one in hashes if one != hash]
    if not left:
        raise LastEntry(f"{what} names no other key than {hash[:12]}…: name another there, or lift the list")
    return left


def _tolerated(write: Callable[[], object]) -> None:
    """A write whose lost answer is found out by the read that follows it."""
    try:
        write()
    except OutcomeUnknown:
        return
