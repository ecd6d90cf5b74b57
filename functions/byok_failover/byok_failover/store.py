"""What the function remembers, and the events it owes: rows of the ledger, written together or not at all.

pk `byok`: one row a finding, credential, workspace's shares, hold, drill, day's probes. pk `byok#told`: events that the
bus may not have yet. Whatever is decided is committed in one transaction with the event that tells of it, so each is
told once it is so, and not before; a run that dies in between is told by the next one, under the same id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from governor.clock import Clock
from governor.events import DetailType, Event, Publisher
from governor.ledger import ABSENT, Delete, Ledger, LedgerConflict, Put, Row

PK = "byok"
OWED = "byok#told"
FORGET_OWED = timedelta(days=30)


@dataclass(frozen=True)
class FailoverStore:
    """The ledger under this function's keys. Raises `LedgerConflict` where a run beside this one was first."""

    ledger: Ledger
    bus: Publisher
    clock: Clock

    def rows(self, prefix: str = "") -> dict[str, Row]:
        return {row.sk: row for row in self.ledger.rows(PK, prefix)}

    def row(self, sk: str) -> Row | None:
        return self.ledger.get(PK, sk)

    def commit(self, *writes: Put | Delete, told: Sequence[Event] = ()) -> None:
        """All writes and the debt of these events, or nothing."""
        owed = [Put(OWED, event.id, _envelope(event), ABSENT, self.clock() + FORGET_OWED) for event in told]
        self.ledger.commit(*writes, *owed)

    def pay(self) -> list[Event]:
        """Publishes every event that is owed, in the order of their times. At least once: ids do not change."""
        rows = self.ledger.rows(OWED)
        events = sorted((Event.received(row.data) for row in rows), key=_in_order)
        if events:
            self.bus.publish(events)
        for row in rows:
            try:
                self.ledger.commit(Delete(OWED, row.sk, row.version))
            except LedgerConflict:
                continue  # a run beside this one published it too
        return events


def put(sk: str, data: dict[str, Any], row: Row | None = None, **more: Any) -> Put:
    """A write of the row `sk` that replaces `row` (None: there must be none)."""
    return Put(PK, sk, data, row.version if row else ABSENT, **more)


def delete(row: Row) -> Delete:
    return Delete(row.pk, row.sk, row.version)


def _in_order(event: Event) -> tuple[datetime, int, str]:
    """By time; of the same second, a verdict before what follows from it (the types' own order)."""
    return event.occurred_at, list(DetailType).index(event.detail_type), event.id


def _envelope(event: Event) -> dict[str, Any]:
    detail = event.detail()
    return {"detail-type": event.detail_type.value, "id": event.id, "time": detail["occurred_at"], "detail": detail}
