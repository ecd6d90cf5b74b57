"""Lists, page after page in the calling thread."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from pydantic import ValidationError

from management_api._answers import Impossible, Unreadable, each_of, whole
from management_api._call import Call
from management_api._models._base import IDENTIFIER, ready
from management_api._models.keys import ApiKey, KeyAnswer, KeyPage
from management_api._paging import ListMoves, Walk
from management_api._transport import Transport
from management_api.errors import Unavailable


def list_all[Item](
    transport: Transport,
    path: str,
    parse: Callable[[bytes], list[Item]],
    *,
    ids: Mapping[str, str] | None = None,
    query: Mapping[str, str | None] | None = None,
    management: bool = True,
    page_size: int = 100,
    identity: Callable[[Item], str] = attrgetter("id"),
) -> list[Item]:
    """Every item of a list that takes `limit` and `offset`. Raises what the transport raises, or `Unavailable`."""
    given = {name: value for name, value in (query or {}).items() if value is not None}

    def page(offset: int) -> list[Item]:
        paging = {"limit": str(page_size), "offset": str(offset)}
        return transport.send(Call("GET", path, parse, ids=ids or {}, query={**given, **paging}, management=management))

    return _walked(Walk(identity, page_size), page, f"GET {path}")


@dataclass(frozen=True)
class Listing[Item]:
    """A list read entry by entry. `unreadable`: what is wrong with each entry that could not be read.

    With such an entry the list is partial: what it leaves out may be there all the same.
    """

    items: Sequence[Item]
    unreadable: Sequence[str] = ()

    @classmethod
    def of(cls, entries: Sequence[Item | Unreadable]) -> "Listing[Item]":
        return cls(
            [one for one in entries if not isinstance(one, Unreadable)],
            [one.why for one in entries if isinstance(one, Unreadable)],
        )


def list_each[Item](
    transport: Transport,
    path: str,
    parse: Callable[[bytes], list[Item | Unreadable]],
    *,
    ids: Mapping[str, str] | None = None,
    query: Mapping[str, str | None] | None = None,
    identity: Callable[[Item], str] = attrgetter("id"),
) -> Listing[Item]:
    """`list_all` in which an entry that cannot be read costs no other."""

    def either(entry: Item | Unreadable) -> str:
        return entry.identity if isinstance(entry, Unreadable) else identity(entry)

    return Listing.of(list_all(transport, path, parse, ids=ids, query=query, identity=either))


key_hash: Callable[[ApiKey], str] = attrgetter("hash")


def higher(first: ApiKey, second: ApiKey) -> ApiKey:
    """The later of two readings of one key. Its counters only grow, so whichever is higher was read later."""
    return first if (first.usage, first.byok_usage) > (second.usage, second.byok_usage) else second


def list_keys(transport: Transport, workspace_id: str) -> list[ApiKey]:
    """Every key of one workspace, page after page in the calling thread."""
    return _walked(Walk(key_hash, newest=higher), lambda offset: key_page(transport, workspace_id, offset), "GET /keys")


def _walked[Item](walk: Walk[Item], page: Callable[[int], list[Item]], request: str) -> list[Item]:
    while (offset := walk.ask()) is not None:
        try:
            walk.take(offset, page(offset))
        except ListMoves as moves:
            raise Unavailable(str(moves), request=request) from moves
    return walk.items()


def key_page(transport: Transport, workspace_id: str, offset: int) -> list[ApiKey]:
    """One page of a workspace's keys, disabled and expired ones included: OpenRouter hides both unless asked."""
    return transport.send(_page_call(workspace_id, offset, _keys))


def _page_call[Answered](workspace_id: str, offset: int, parse: Callable[[bytes], Answered]) -> Call[Answered]:
    query = {
        "workspace_id": workspace_id,
        "offset": str(offset),
        "include_disabled": "true",
        "include_expired": "true",
    }
    return Call("GET", "/keys", parse, query=query)


def key_page_each(transport: Transport, workspace_id: str, offset: int) -> list[ApiKey | Unreadable]:
    """`key_page` in which a key that cannot be read costs no other. The `identity` of such an entry is the key's hash
    where that can be read."""
    return transport.send(_page_call(workspace_id, offset, _each_key))


def either_hash(entry: ApiKey | Unreadable) -> str:
    return entry.identity if isinstance(entry, Unreadable) else entry.hash


def readable(first: ApiKey | Unreadable, second: ApiKey | Unreadable) -> ApiKey | Unreadable:
    """Of two readings of one key the one that can be read; of two such the higher."""
    if isinstance(first, Unreadable):
        return second
    return first if isinstance(second, Unreadable) else higher(first, second)


_page = whole(KeyPage)


def _keys(body: bytes) -> list[ApiKey]:
    return identified(_page(body).data)


def _each_key(body: bytes) -> list[ApiKey | Unreadable]:
    """Ten thousand keys are read every minute and are as they should be: only a page that is not is read key by key."""
    try:
        return [*_keys(body)]
    except (ValidationError, Impossible) as error:
        return each_of(body, _identified_key, _hash_of, error)


def _identified_key(item: Any) -> ApiKey:
    return identified([ready(KeyAnswer).model_validate({"data": item}).data])[0]


def _hash_of(item: Any) -> str | None:
    hash = item.get("hash") if isinstance(item, dict) else None
    return hash if isinstance(hash, str) and _HASHES.fullmatch(f"{hash}\n") and len(hash) == 64 else None


_HASHES = re.compile(r"(?:[0-9a-f]{64}\n)*")
_WORKSPACE = re.compile(IDENTIFIER.removesuffix("$") + r"\Z")


def identified(keys: list[ApiKey]) -> list[ApiKey]:
    """The keys, each with a hash of 64 hexadecimal digits and a workspace's id. Raises `Impossible`.

    Ten thousand keys are read every minute: one match for a page of hashes and one for each workspace cost a tenth of
    what patterns on the fields would.
    """
    hashes = "".join([f"{key.hash}\n" for key in keys])
    if len(hashes) != 65 * len(keys) or not _HASHES.fullmatch(hashes):
        raise Impossible("hash: a key's hash is not 64 hexadecimal digits")
    if not all(map(_WORKSPACE.match, {key.workspace_id for key in keys})):
        raise Impossible("workspace_id: it has other characters than letters, digits, _ . : ~ -")
    return keys
