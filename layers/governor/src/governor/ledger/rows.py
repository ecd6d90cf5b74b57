"""The ledger: what was decided and done, in rows that are written only if nobody wrote them meanwhile.

Every write states what it expects to replace, so a retry, a copy running beside, or a late duplicate loses cleanly
with `LedgerConflict`; the caller reads again and decides again (promise 1).
"""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

ABSENT = 0
"""`Put.expect` for a row that must not exist yet."""


class LedgerConflict(Exception):
    """A row was not what the write expected, or another write of it is under way: read again, decide again.

    It does not say what the row holds now. Another's write may yet be refused: who takes a conflict for "somebody
    else did the same" reads first.
    """


@dataclass(frozen=True)
class Row:
    """One remembered fact. `version` counts its writes from 1; `data` holds JSON values only."""

    pk: str
    sk: str
    version: int
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Put:
    """Write a row whole. `expect`: the version it replaces (`ABSENT` for a new row).

    `expires_at`: when the row may be forgotten (DynamoDB TTL; hours late at times, so never a rule's deadline).
    """

    pk: str
    sk: str
    data: Mapping[str, Any] = field(hash=False)
    expect: int = ABSENT
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Delete:
    """Remove a row if it still has the version expected."""

    pk: str
    sk: str
    expect: int


class Ledger(Protocol):
    """Where rows live. Reads are strongly consistent."""

    def get(self, pk: str, sk: str) -> Row | None:
        """The row, or None when there is none."""

    def rows(self, pk: str, prefix: str = "") -> list[Row]:
        """Every row under `pk` whose `sk` starts with `prefix`, in order of `sk`."""

    def commit(self, *writes: Put | Delete) -> None:
        """Carry out all writes or none (at most 100). Raises `LedgerConflict`."""


class MemoryLedger:
    """A ledger in memory, for tests; proven equal to `DynamoLedger` by one suite run over both."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Row] = {}
        self._lock = threading.Lock()

    def get(self, pk: str, sk: str) -> Row | None:
        return self._rows.get((pk, sk))

    def rows(self, pk: str, prefix: str = "") -> list[Row]:
        return [row for key, row in sorted(self._rows.items()) if key[0] == pk and key[1].startswith(prefix)]

    def commit(self, *writes: Put | Delete) -> None:
        with self._lock:
            self._commit(writes)

    def _commit(self, writes: Sequence[Put | Delete]) -> None:
        for write in writes:
            row = self._rows.get((write.pk, write.sk))
            if (row.version if row else ABSENT) != write.expect:
                raise LedgerConflict(f"{write.pk} {write.sk}: expected version {write.expect}")
        for write in writes:
            if isinstance(write, Delete):
                del self._rows[write.pk, write.sk]
            else:
                data = json.loads(json.dumps(write.data))  # what a reader gets is a copy, and JSON, as from DynamoDB
                self._rows[write.pk, write.sk] = Row(write.pk, write.sk, write.expect + 1, data)
