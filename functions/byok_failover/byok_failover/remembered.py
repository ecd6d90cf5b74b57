"""What was seen of each workspace before, so that a list which leaves something out is noticed (promise 3).

OpenRouter may answer a list in part, or empty, with 200. What a list leaves out and is remembered, or is in a lineage
of the ledger, is asked for by itself: a 404 alone says that it is gone. If it lives, the list is taken for unread.

pk `byok`, sk `seen#<workspace id>`: `{"credentials": [id, ...], "keys": {hash: workload}}`. It is written after a
reading and only when that changed; a run that dies before, or that is late, costs a few questions and decides nothing.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from byok_failover.store import FailoverStore, delete, put
from governor.ledger import Row
from management_api import NotFound

SEEN = "seen#"
ASKED = 20
"""Missing keys, and missing credentials, that are asked for in one run. Of more that are missing these stand for
all."""
KEPT = 1000
"""Keys that are remembered of one workspace: a row holds 400 KB."""


@dataclass(frozen=True)
class Known:
    """One workspace as it was last read. `keys`: hash to workload, of declared workloads' keys and of those that a
    credential of our own has served. None: the list could not be read."""

    credentials: frozenset[str] | None = frozenset()
    keys: Mapping[str, str] | None = field(default_factory=dict)

    def or_before(self, before: "Known | None") -> "Known":
        """With what was known before in the place of what could not be read."""
        before = before or Known()
        return Known(
            before.credentials if self.credentials is None else self.credentials,
            before.keys if self.keys is None else self.keys,
        )

    def data(self) -> dict[str, Any]:
        return {"credentials": sorted(self.credentials or ()), "keys": dict(sorted((self.keys or {}).items())[:KEPT])}

    @classmethod
    def of(cls, row: Row) -> "Known":
        return cls(frozenset(row.data["credentials"]), row.data["keys"])


def remembered(store: FailoverStore) -> dict[str, Known]:
    """By workspace id."""
    return {sk.removeprefix(SEEN): Known.of(row) for sk, row in store.rows(SEEN).items()}


def remember(store: FailoverStore, read: Mapping[str, Known], *, all_read: bool) -> None:
    """Keeps what was read, by workspace id. `all_read`: a workspace that is not among them is gone, and is forgotten.

    Raises `LedgerConflict` where a run beside this one was first.
    """
    rows = store.rows(SEEN)
    for id, known in read.items():
        row = rows.get(SEEN + id)
        data = known.or_before(Known.of(row) if row else None).data()
        if row is None or row.data != data:
            store.commit(put(SEEN + id, data, row))
    for sk, row in rows.items():
        if all_read and sk.removeprefix(SEEN) not in read:
            store.commit(delete(row))


def alive[T](missing: Collection[str], get: Callable[[str], T]) -> list[T]:
    """Those of the first `ASKED` that OpenRouter still has. Raises from `management_api.errors`, but no `NotFound`."""
    found = []
    for id in sorted(missing)[:ASKED]:
        try:
            found.append(get(id))
        except NotFound:
            continue
    return found


def left_out(what: str, count: int) -> str:
    """What is told of a list that leaves out something that lives."""
    return f"{what}: the list is incomplete, it leaves out {count} that OpenRouter has"
