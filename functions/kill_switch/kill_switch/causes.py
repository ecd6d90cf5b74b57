"""Why keys are disabled and how often that was done, as rows of the ledger.

- pk `subject#<subject>`, sk `cause#<cause>`: one row for each cause ever, its latest turn. `disabling` is the intent,
  committed before the first PATCH; `disabled` follows the read-back; `lifting` and `lifted` are a restore's. The first
  two stand: their hashes are to be disabled. A lifted row is kept, because it tells which events are older than it.
- pk `leash`, sk `account`: recent automatic disables. pk `leash#<YYYY-MM-DD>` (UTC), sk `<subject>`: today's.
- pk `detector`, sk `<subject>`: the moment from which the spend meter is to learn the subject's habits anew.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from governor.clock import format_instant, parse_instant
from governor.events import DetailType, Event
from governor.evidence import Cause
from governor.ledger import ABSENT, Ledger, Put, Row

Status = Literal["disabling", "disabled", "lifting", "lifted"]
ACCOUNT_WINDOW = timedelta(minutes=15)
"""How far back the account's leash looks (promise 9)."""


@dataclass(frozen=True)
class CauseRow:
    """One cause of one subject. `trigger`: the id of the event that it is about; `at`: when keys were last disabled.

    `lift`: the id of the request that lifts it. `told`: the event that tells of it, to be published again whole.
    `version`: the ledger's.
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
    version: int = ABSENT

    @property
    def stands(self) -> bool:
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
        return [row for row in self.rows.values() if row.stands and row.cause != "rotation"]

    def holds(self, hash: str) -> bool:
        """Whether a key is to be disabled."""
        return any(row.stands and hash in row.hashes for row in self.rows.values())

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


@dataclass(frozen=True)
class Leash:
    """`today`: the subject was disabled automatically today. `recent`: (instant, subject) of the last 15 minutes."""

    today: bool = False
    recent: tuple[tuple[datetime, str], ...] = ()
    version: int = ABSENT


class Book:
    """The kill switch's rows in the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def causes(self, subject: str) -> Causes:
        rows = [CauseRow.of(subject, row) for row in self._ledger.rows(f"subject#{subject}", "cause#")]
        return Causes({row.cause: row for row in rows})

    def leash(self, subject: str, now: datetime) -> Leash:
        account = self._ledger.get("leash", "account")
        recent = [(parse_instant(at), whose) for at, whose in account.data["recent"]] if account else []
        return Leash(
            today=self._ledger.get(_day(now), subject) is not None,
            recent=tuple((at, whose) for at, whose in recent if now - at < ACCOUNT_WINDOW),
            version=account.version if account else ABSENT,
        )

    def write(self, *rows: CauseRow) -> tuple[CauseRow, ...]:
        """All rows or none; the rows as they now stand. Raises `LedgerConflict`."""
        self._ledger.commit(*(row.put() for row in rows))
        return tuple(replace(row, version=row.version + 1) for row in rows)

    def intend(self, row: CauseRow, spends: Leash | None, now: datetime) -> CauseRow:
        """The intent to disable, and the leash it spends: both or neither, so that no two beside each other pass it."""
        puts = [row.put()]
        if spends:
            recent = [[format_instant(at), whose] for at, whose in (*spends.recent, (now, row.subject))]
            spent = {"trigger": row.trigger, "at": format_instant(now)}
            puts += [
                Put("leash", "account", {"recent": recent}, spends.version),
                Put(_day(now), row.subject, spent, ABSENT, expires_at=now + timedelta(days=3)),
            ]
        self._ledger.commit(*puts)
        return replace(row, version=row.version + 1)

    def intend_lift(self, row: CauseRow, now: datetime) -> CauseRow:
        """The intent to give the keys back, and the detector's fresh start: what is past is no habit to judge by."""
        before = self._ledger.get("detector", row.subject)
        fresh = {"kind": "rebaseline", "at": format_instant(now)}
        detector = Put("detector", row.subject, fresh, before.version if before else ABSENT)
        self._ledger.commit(row.put(), detector)
        return replace(row, version=row.version + 1)


def union(*hashes: Iterable[str]) -> tuple[str, ...]:
    """Each hash once, in order."""
    return tuple(sorted({hash for some in hashes for hash in some}))


def _day(now: datetime) -> str:
    return f"leash#{now.astimezone(UTC):%Y-%m-%d}"


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
