"""Lists, page after page in the calling thread."""

import re
from collections.abc import Callable, Mapping
from operator import attrgetter

from management_api._answers import Impossible, whole
from management_api._call import Call
from management_api._models._base import IDENTIFIER
from management_api._models.keys import ApiKey, KeyPage
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
    query = {
        "workspace_id": workspace_id,
        "offset": str(offset),
        "include_disabled": "true",
        "include_expired": "true",
    }
    return transport.send(Call("GET", "/keys", _keys, query=query))


_page = whole(KeyPage)


def _keys(body: bytes) -> list[ApiKey]:
    return identified(_page(body).data)


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
