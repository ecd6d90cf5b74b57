"""Why keys are disabled, as rows of the ledger that whoever disables or enables a key writes first and reads last.

pk `subject#<subject>`, sk `cause#<cause>`: one row for each cause ever, its latest turn. `disabling` is the intent,
committed before the first PATCH; `disabled` follows the read-back; `lifting` and `lifted` are a restore's. The first
two stand: their hashes are to be disabled. A lifted row is kept, because it tells which events are older than it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, get_args

from governor.clock import format_instant, parse_instant
from governor.events import DetailType, Event
from governor.events.evidence import Cause
from governor.ledger import ABSENT, Ledger, Put, Row

Status = Literal["disabling", "disabled", "lifting", "lifted"]


@dataclass(frozen=True)
class CauseRow:
    """One cause of one subject. `trigger`: the id of the event that it is about; `at`: when keys were last disabled.

    `lift`: the id of the request that lifts it. `told`: the event that tells of it, to be published again whole.
    `leaked`, of `exposed` only: keys that were out of service when their leak was reported. They stay disabled for
    good, whatever the status, and do not hold the subject: its current key did not leak. `version`: the ledger's.
    """

    subject: str
    cause: Cause
    status: Status
    trigger: str
    hashes: tuple[str, ...]
    at: datetime
    lift: str = ""
    lifted_by: str = ""
    lifted_at: datetime | None = None
    told: Event | None = None
    leaked: tuple[str, ...] = ()
    version: int = ABSENT

    @property
    def is_active(self) -> bool:
        return self.status in ("disabling", "disabled")

    def put(self) -> Put:
        data = {
            "cause": self.cause,
            "status": self.status,
            "trigger": self.trigger,
            "hashes": sorted(self.hashes),
            "at": format_instant(self.at),
            "lift": self.lift,
            "lifted_by": self.lifted_by,
            "lifted_at": format_instant(self.lifted_at) if self.lifted_at else None,
            "told": {**self.told.detail(), "detail_type": self.told.detail_type.value} if self.told else None,
            "leaked": sorted(self.leaked),
        }
        return Put(f"subject#{self.subject}", f"cause#{self.cause}", data, self.version)

    @classmethod
    def of(cls, subject: str, row: Row) -> "CauseRow":
        data = row.data
        return cls(
            subject=subject,
            cause=_cause(data["cause"]),
            status=data["status"],
            trigger=data["trigger"],
            hashes=tuple(data["hashes"]),
            at=parse_instant(data["at"]),
            lift=data.get("lift", ""),
            lifted_by=data.get("lifted_by", ""),
            lifted_at=parse_instant(data["lifted_at"]) if data.get("lifted_at") else None,
            told=_told(data.get("told")),
            leaked=tuple(data.get("leaked", ())),
            version=row.version,
        )


@dataclass(frozen=True)
class Causes:
    """Every cause of one subject, as read together."""

    rows: Mapping[Cause, CauseRow] = field(default_factory=dict)

    def get(self, cause: Cause) -> CauseRow | None:
        return self.rows.get(cause)

    def standing(self) -> list[CauseRow]:
        """The causes that hold the subject; a rotation holds single keys of it, not the subject."""
        return [row for row in self.rows.values() if row.is_active and row.cause != "rotation"]

    def holds(self, hash: str) -> bool:
        """Whether a key is to be disabled."""
        return self.leaked(hash) or any(row.is_active and hash in row.hashes for row in self.rows.values())

    def leaked(self, hash: str) -> bool:
        """Whether the key was reported as leaked while it was out of service: nothing brings it back."""
        return any(hash in row.leaked for row in self.rows.values())

    def ours(self) -> set[str]:
        """Keys that this subject's own causes disabled and have not yet given back."""
        return {
            hash
            for row in self.rows.values()
            if row.status != "lifted" and row.cause != "rotation"
            for hash in row.hashes
        }

    def known(self, hash: str) -> bool:
        """Whether Governor disabled the key, a rotation included; another disabled one is foreign."""
        return any(row.status != "lifted" and hash in row.hashes for row in self.rows.values())


class CauseStore:
    """The causes in the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def causes(self, subject: str) -> Causes:
        rows = [CauseRow.of(subject, row) for row in self.ledger.rows(f"subject#{subject}", "cause#")]
        return Causes({row.cause: row for row in rows})

    def write(self, *rows: CauseRow) -> tuple[CauseRow, ...]:
        """All rows or none; the rows as they now stand. Raises `LedgerConflict`."""
        self.ledger.commit(*(row.put() for row in rows))
        return tuple(replace(row, version=row.version + 1) for row in rows)


def union(*hashes: Iterable[str]) -> tuple[str, ...]:
    """Each hash once, in order."""
    return tuple(sorted({hash for some in hashes for hash in some}))


def _cause(text: str) -> Cause:
    known: Collection[Cause] = get_args(Cause)
    return next(cause for cause in known if cause == text)


def _told(data: Any) -> Event | None:
    if data is None:
        return None
    return Event(
        DetailType(data["detail_type"]),
        data["id"],
        data["subject"],
        parse_instant(data["occurred_at"]),
        data["reason"],
        data["evidence"],
    )
