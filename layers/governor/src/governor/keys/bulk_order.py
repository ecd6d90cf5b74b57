"""A bulk order: the lineages that two people let Governor rotate, frozen when it was asked for, and people's last word.

Two rows of the table of decisions, which `approval_desk` alone may write: pk `bulk`, sk `<request id>`: the order,
written once, before the request whose `change` holds its digest; sk `<request id>#word`: pause, resume or stop. Where
each lineage stands is read from its own row (decision 54).
"""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Self, get_args

from governor.approvals.approval import Kind
from governor.clock import format_instant, parse_instant
from governor.keys.lineage import Lineage, LineageKey
from governor.ledger import ABSENT, Ledger, LedgerConflict, Put

KIND: Kind = "bulk_rotation"
ROWS = "bulk"
APPROVALS = 2
"""Of approvers who did not ask."""
MOST = 4000
"""Lineages of one order: a row of the longest names stays below DynamoDB's 400 KB."""
DIGITS = 16
"""Of a key's hash, as far as an order holds it; a lineage knows a handful of keys."""
KEPT = timedelta(days=400)
Scope = Literal["workspace", "owner", "all", "member"]
Word = Literal["pause", "resume", "stop"]
WORDS: tuple[Word, ...] = get_args(Word)
_BY = "bulk "
_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
"""RFC 9562's, for names that are URLs."""


@dataclass(frozen=True)
class Frozen:
    """One lineage of an order. `key`: the first digits of the hash of the key to be replaced; empty for none."""

    workload: str
    key: str = ""

    @classmethod
    def at(cls, lineage: Lineage) -> Self:
        return cls(lineage.workload, lineage.current.hash[:DIGITS] if lineage.current else "")

    def is_replaced(self, lineage: Lineage) -> bool:
        """Whether a rotation has put another key into the place of the frozen one, whoever asked for it."""
        current = lineage.current
        if current is None or not current.token:
            return False
        return not self.key or not current.hash.startswith(self.key)

    def old(self, lineage: Lineage) -> LineageKey | None:
        """The key that was replaced, as the lineage knows it now: one that was adopted for it, where none was known."""
        if not self.key:
            return next((one for one in lineage.keys if one.state == "overlap"), None)
        return next((one for one in lineage.keys if one.hash.startswith(self.key)), None)


@dataclass(frozen=True)
class BulkOrder:
    """`of`: the workspace, the owner's Slack id or the id of a member who left, empty for all. `because`: the person's
    words. `lineages`: in the order in which they are rotated. `shown`: the preview, as whoever approves it reads it."""

    id: str
    scope: Scope
    of: str
    because: str
    lineages: tuple[Frozen, ...]
    shown: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For people, in plain text."""
        named = {
            "workspace": f"workspace {self.of}",
            "owner": f"owner {self.of}",
            "all": "the whole policy",
            "member": f"member {self.of}",
        }
        return named[self.scope]

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all of it."""
        return hashlib.sha256(json.dumps([self.id, self.data()], sort_keys=True).encode()).hexdigest()

    def data(self) -> dict[str, Any]:
        return {
            "scope": self.scope,
            "of": self.of,
            "because": self.because,
            "lineages": [[one.workload, one.key] for one in self.lineages],
            "shown": list(self.shown),
        }

    @classmethod
    def of_row(cls, id: str, data: Mapping[str, Any]) -> Self:
        lineages = tuple(Frozen(workload, key) for workload, key in data["lineages"])
        return cls(id, data["scope"], data["of"], data["because"], lineages, tuple(data["shown"]))


@dataclass(frozen=True)
class Said:
    """The last word on an order, and whose. `turn`: how many there have been."""

    word: Word
    by: str
    at: datetime
    turn: int


class BulkOrders:
    """Orders and words over the table of decisions. Every method may be called again, and converges."""

    def __init__(self, decisions: Ledger) -> None:
        self._decisions = decisions

    def freeze(self, order: BulkOrder, now: datetime) -> BulkOrder:
        """Stores the order; the stored one where its id is there already. Raises `LedgerConflict`."""
        try:
            self._decisions.commit(Put(ROWS, order.id, order.data(), expires_at=now + KEPT))
        except LedgerConflict:
            stored = self.get(order.id)
            if stored is None:
                raise
            return stored
        return order

    def get(self, id: str) -> BulkOrder | None:
        row = self._decisions.get(ROWS, id)
        return BulkOrder.of_row(id, row.data) if row else None

    def said(self, id: str) -> Said | None:
        """The last word, None where nobody has said one."""
        row = self._decisions.get(ROWS, f"{id}#word")
        if row is None:
            return None
        return Said(row.data["word"], row.data["by"], parse_instant(row.data["at"]), row.version)

    def say(self, id: str, word: Word, by: str, now: datetime) -> Said:
        """The word as it now stands: after *stop* there is no other. Raises `LedgerConflict`: another came between."""
        before = self.said(id)
        if before and (before.word == "stop" or before.word == word):
            return before
        data = {"word": word, "by": by, "at": format_instant(now)}
        turn = before.turn if before else ABSENT
        self._decisions.commit(Put(ROWS, f"{id}#word", data, turn, now + KEPT))
        return Said(word, by, now, turn + 1)


def asker(id: str) -> str:
    """Who asks for each rotation of the order: `Asked.by`, from which Secrets Manager's token follows."""
    return f"{_BY}{id}"


def order_of(by: str) -> str:
    """The id of the bulk order that asked, empty where it was none."""
    return by.removeprefix(_BY) if by.startswith(_BY) else ""


def token_of(workload: str, by: str) -> str:
    """Secrets Manager's token of the rotation that `by` asks for: the same asker, the same rotation."""
    return str(uuid.uuid5(_NAMESPACE, f"{workload} {by}"))


def entitled(approvers: Sequence[str], approved_by: Sequence[str], asked_by: str) -> tuple[str, ...]:
    """Those of `approved_by` whose yes counts: approvers of the policy's, each once, and none who asked."""
    return tuple(sorted(set(approved_by) & set(approvers) - {asked_by}))
