"""Lists: one of them in the calling thread, or every key of every workspace at once."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from operator import attrgetter

from management_api._call import Call
from management_api._models.keys import ApiKey, KeyPage
from management_api._paging import ListMoves, Walk
from management_api._transport import Transport
from management_api.errors import OpenRouterError, Unavailable


@dataclass(frozen=True)
class Read:
    """Every key that the workspace held throughout the reading, newest first, disabled and expired ones included."""

    keys: tuple[ApiKey, ...]


@dataclass(frozen=True)
class Unknown:
    """The workspace could not be read whole. This says nothing about its keys: it is not an empty workspace."""

    error: OpenRouterError


WorkspaceReading = Read | Unknown


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


def list_keys(transport: Transport, workspace_id: str) -> list[ApiKey]:
    """Every key of one workspace, page after page in the calling thread."""
    return _walked(Walk(_hash), lambda offset: _key_page(transport, workspace_id, offset), "GET /keys")


def read_account(transport: Transport, workspace_ids: Iterable[str], concurrency: int) -> dict[str, WorkspaceReading]:
    """Every key of every workspace, with at most `concurrency` requests under way.

    A workspace that fails is `Unknown` and hides no other. Raises `AuthenticationFailed` at once on a 401: no other
    workspace will fare better.
    """
    KeyPage.model_rebuild()  # build the deferred validator once, before threads race to
    walks = {workspace_id: Walk[ApiKey](_hash) for workspace_id in workspace_ids}
    failed: dict[str, OpenRouterError] = {}
    under_way: dict[Future[list[ApiKey]], tuple[str, tuple[int, int]]] = {}
    waiting = deque(walks)
    with ThreadPoolExecutor(concurrency, thread_name_prefix="openrouter") as pool:
        try:
            while True:
                for workspace_id, asked in _next_pages(walks, waiting, concurrency - len(under_way)):
                    future = pool.submit(_key_page, transport, workspace_id, asked[1])
                    under_way[future] = workspace_id, asked
                if not under_way:
                    break
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    workspace_id, asked = under_way.pop(future)
                    error = _take(walks[workspace_id], asked, future)
                    if error and error.status == 401:
                        raise error
                    if error:
                        failed.setdefault(workspace_id, error)
                        walks[workspace_id].ended = True
        finally:
            pool.shutdown(cancel_futures=True)
    return {
        workspace_id: Unknown(failed[workspace_id]) if workspace_id in failed else Read(tuple(walk.items()))
        for workspace_id, walk in walks.items()
    }


def _next_pages(
    walks: Mapping[str, Walk[ApiKey]], waiting: deque[str], room: int
) -> Iterable[tuple[str, tuple[int, int]]]:
    """Pages for `room` free workers, one workspace after another, so that guesses ahead get only what is left over."""
    passed_over = 0
    while room and waiting and passed_over < len(waiting):
        workspace_id = waiting.popleft()
        walk = walks[workspace_id]
        if walk.ended:
            continue
        waiting.append(workspace_id)
        asked = walk.ask()
        if asked is None:
            passed_over += 1
            continue
        passed_over = 0
        room -= 1
        yield workspace_id, asked


def _take(walk: Walk[ApiKey], asked: tuple[int, int], future: Future[list[ApiKey]]) -> OpenRouterError | None:
    if walk.ended:
        return None  # a page beyond the end, asked on a guess: whatever came of it does not matter
    error = future.exception()
    if isinstance(error, OpenRouterError):
        return error
    try:
        walk.take(asked, future.result())
    except ListMoves as moves:
        return Unavailable(str(moves), request="GET /keys")
    return None


def _walked[Item](walk: Walk[Item], page: Callable[[int], list[Item]], request: str) -> list[Item]:
    while asked := walk.ask():
        try:
            walk.take(asked, page(asked[1]))
        except ListMoves as moves:
            raise Unavailable(str(moves), request=request) from moves
    return walk.items()


def _key_page(transport: Transport, workspace_id: str, offset: int) -> list[ApiKey]:
    query = {
        "workspace_id": workspace_id,
        "offset": str(offset),
        "include_disabled": "true",
        "include_expired": "true",
    }
    return transport.send(Call("GET", "/keys", _keys, query=query))


def _keys(body: bytes) -> list[ApiKey]:
    return KeyPage.model_validate_json(body).data


_hash: Callable[[ApiKey], str] = attrgetter("hash")
