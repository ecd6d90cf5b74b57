"""Every key of every workspace, read by a few threads that share one list of pages to fetch."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Condition
from types import MappingProxyType

from management_api._answers import Unreadable
from management_api._listing import either_hash, key_page_each, readable
from management_api._models.keys import ApiKey
from management_api._paging import ListMoves, Walk
from management_api._transport import Transport
from management_api.errors import OpenRouterError, Unavailable


@dataclass(frozen=True)
class Read:
    """Every key that the workspace held throughout the reading, newest first, disabled and expired ones included.

    `unreadable`: what the list holds beside them and cannot be read, by the key's hash where that can be told (else by
    a digest). Then a key that is missing in `keys` may be one of those.
    """

    keys: tuple[ApiKey, ...]
    unreadable: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Unknown:
    """The workspace could not be read whole. This says nothing about its keys: it is not an empty workspace."""

    error: OpenRouterError


WorkspaceReading = Read | Unknown


def read_account(transport: Transport, workspace_ids: Iterable[str], concurrency: int) -> dict[str, WorkspaceReading]:
    """Every key of every workspace, with at most `concurrency` requests under way.

    Workspaces are read one after another, in the order given, `concurrency` of them side by side: where time runs out,
    those that came first are whole, in place of all in part.
    A workspace that fails is `Unknown` and hides no other. Raises `AuthenticationFailed` at once on a 401: no other
    workspace would fare better.
    """
    sweep = _Sweep(transport, workspace_ids, concurrency)
    with ThreadPoolExecutor(concurrency, thread_name_prefix="openrouter") as pool:
        workers = [pool.submit(sweep.work) for _ in range(concurrency)]
    for worker in workers:
        worker.result()
    if sweep.refused:
        raise sweep.refused
    return sweep.readings()


class _Sweep:
    """Walks, and the threads' turns at them.

    A thread picks its next page itself: a coordinator that hands pages out would cost two waits for the interpreter's
    lock per page, measured at a third of the whole sweep.
    """

    def __init__(self, transport: Transport, workspace_ids: Iterable[str], side_by_side: int) -> None:
        self._transport = transport
        self._side_by_side = side_by_side
        self._walks = {id: Walk[ApiKey | Unreadable](either_hash, newest=readable) for id in workspace_ids}
        self._waiting = deque(self._walks)
        self._begun: dict[str, int] = {}  # workspaces being read, to their pages under way
        self._failed: dict[str, OpenRouterError] = {}
        self._under_way = 0
        self._changed = Condition()
        self.refused: OpenRouterError | None = None

    def work(self) -> None:
        """Fetches one page after another until there is none left to ask."""
        while turn := self._next():
            workspace_id, offset = turn
            keys: list[ApiKey | Unreadable] | None = None
            error: OpenRouterError | None = None
            try:
                keys = key_page_each(self._transport, workspace_id, offset)
            except OpenRouterError as failure:
                error = failure
            finally:
                # Also when something unforeseen passes through: the other threads must not wait for this page for ever.
                self._hand_in(workspace_id, offset, keys, error)

    def readings(self) -> dict[str, WorkspaceReading]:
        return {
            workspace_id: Unknown(failure) if (failure := self._failed.get(workspace_id)) else _read(walk.items())
            for workspace_id, walk in self._walks.items()
        }

    def _next(self) -> tuple[str, int] | None:
        with self._changed:
            while not (turn := self._pick()):
                if not self._under_way:
                    return None
                self._changed.wait()
            self._under_way += 1
            return turn

    def _pick(self) -> tuple[str, int] | None:
        """A page of a workspace that has none under way, else of one not begun; on a guess only while neither is left,
        so that guesses get the threads that are left over."""
        idle = [id for id, pages in self._begun.items() if not pages]
        while self._waiting and len(self._begun) < self._side_by_side and not idle:
            idle.append(self._waiting.popleft())
        for workspace_id in (*idle, *self._begun):
            offset = self._walks[workspace_id].ask()
            if offset is not None:
                self._begun[workspace_id] = self._begun.get(workspace_id, 0) + 1
                return workspace_id, offset
        return None

    def _hand_in(
        self, workspace_id: str, offset: int, keys: list[ApiKey | Unreadable] | None, error: OpenRouterError | None
    ) -> None:
        with self._changed:
            self._under_way -= 1
            walk = self._walks[workspace_id]
            if workspace_id in self._begun:
                self._begun[workspace_id] -= 1
            if error and error.status == 401:
                self.refused = error
                self._stop()
            elif keys is None and not error:
                self._stop()
            elif not walk.ended:  # else a page beyond the end, asked on a guess: whatever came of it does not matter
                error = error or _joined(walk, offset, keys or [])
                if error:
                    self._failed[workspace_id] = error
                    walk.ended = True
            if walk.ended:
                self._begun.pop(workspace_id, None)
            self._changed.notify_all()

    def _stop(self) -> None:
        """Nothing more is asked."""
        self._waiting.clear()
        self._begun.clear()


def _read(entries: Sequence[ApiKey | Unreadable]) -> Read:
    keys = tuple(one for one in entries if not isinstance(one, Unreadable))
    if len(keys) == len(entries):
        return Read(keys)
    return Read(keys, {one.identity: one.why for one in entries if isinstance(one, Unreadable)})


def _joined(walk: Walk[ApiKey | Unreadable], offset: int, keys: list[ApiKey | Unreadable]) -> Unavailable | None:
    try:
        walk.take(offset, keys)
    except ListMoves as moves:
        return Unavailable(str(moves), request="GET /keys")
    return None
