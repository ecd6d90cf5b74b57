"""A credential that Governor holds disabled, and how it comes back. No other module disables or enables one.

The row comes before the PATCH, and the PATCH carries Governor's mark in the credential's name (`governor.byok_marks`),
so that both tell who disabled it. A hold is released by the mark: a credential without it was enabled, renamed or
disabled by somebody else, and is left as it is. Whoever works on a hold has its lease, taken by a conditional write; a
copy beside it stops, and one that died loses it after `LEASE`, longer than an invocation can last.

| dies | what stands | the next run |
|---|---|---|
| before the row | nothing | nothing to undo |
| row, no PATCH | unmarked | forgets the row; a PATCH that lands later is found by its mark |
| PATCH, no answer | marked, disabled | enables it |
| enabled, row not taken away | unmarked | forgets the row, and tells |

What no API can show: a person who disables a credential in the instant between our last read and our PATCH.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from byok_failover.store import PK, FailoverStore
from governor.byok_marks import mark_of, marked, unmarked
from governor.clock import format_instant, parse_instant
from governor.events import Event
from governor.ledger import ABSENT, Delete, Put, Row
from management_api import ByokPatch, NotFound, OutcomeUnknown

if TYPE_CHECKING:
    from management_api import ByokKey, OpenRouter

LEASE = timedelta(minutes=5)
PREFIX = "hold#"
Cause = Literal["drill", "bench", "stray"]
Status = Literal["disabling", "held", "benched", "trial", "releasing"]
State = Literal["ours", "enabled", "foreign", "gone"]
"""What is found of a held credential: disabled under our mark; enabled; disabled by somebody else; deleted."""


@dataclass(frozen=True)
class Hold:
    """`status`: `held` is disabled, and still to be told or undone; `benched` stays. `by`: the drill, or the verdict,
    that it is for. `until`: whose lease it is. `label`: the masked key then. `name`: the credential's, as people gave
    it. `tried_at`: when a benched credential last had a trial.
    """

    credential: str
    cause: Cause
    decision: str
    by: str
    since: datetime
    until: datetime
    status: Status = "disabling"
    name: str | None = None
    label: str = ""
    tried_at: datetime | None = None
    row: int = ABSENT

    def put(self) -> Put:
        data = {
            "cause": self.cause,
            "decision": self.decision,
            "by": self.by,
            "since": format_instant(self.since),
            "until": format_instant(self.until),
            "status": self.status,
            "name": self.name,
            "label": self.label,
            "tried_at": format_instant(self.tried_at) if self.tried_at else None,
        }
        return Put(PK, PREFIX + self.credential, data, self.row)

    def gone(self) -> Delete:
        return Delete(PK, PREFIX + self.credential, self.row)

    @classmethod
    def of(cls, row: Row) -> "Hold":
        data = row.data
        return cls(
            row.sk.removeprefix(PREFIX),
            data["cause"],
            data["decision"],
            data["by"],
            parse_instant(data["since"]),
            parse_instant(data["until"]),
            data["status"],
            data["name"],
            data["label"],
            parse_instant(data["tried_at"]) if data["tried_at"] else None,
            row.version,
        )


@dataclass(frozen=True)
class Holds:
    """Holds over one account."""

    store: FailoverStore
    account: "OpenRouter"

    def standing(self) -> list[Hold]:
        return [Hold.of(row) for row in self.store.rows(PREFIX).values()]

    def take(self, hold: Hold, *also: Put) -> Hold:
        """Disables the credential, if it is enabled: the hold as it then stands, `disabling` where it was not.

        `also`: rows that come into being with the hold. Raises `LedgerConflict` where it is held, and whatever kept the
        PATCH from being known to be done; the row then stands, for the next run to undo.
        """
        hold = self._write(hold, *also)
        _, found = self.look(hold)
        if found is None or found.disabled:
            return hold
        self._patch(found.id, disabled=True, name=marked(found.name, hold.cause, hold.by))
        return self._write(replace(hold, status="held"))

    def adopted(self, hold: Hold) -> Hold:
        """A hold for a credential that was found under our mark, and that no row speaks of."""
        return self._write(hold)

    def leased(self, hold: Hold, status: Status) -> Hold:
        """The hold in our hands until the lease ends. Raises `LedgerConflict` where somebody else was first."""
        return self._write(replace(hold, status=status, until=self.store.clock() + LEASE))

    def give_back(self, hold: Hold) -> State:
        """Enables the credential if it is disabled under our mark; what was found. The row stands until `forget`."""
        state, found = self.look(hold)
        if found is None or mark_of(found.name) is None:
            return state
        name = _original(found.name, hold.name)
        if state == "ours":
            self._patch(found.id, disabled=False, name=name)
        else:
            self._patch(found.id, name=name)
        return state

    def forget(self, hold: Hold, *also: Put | Delete, told: Sequence[Event] = ()) -> None:
        """The hold is over: its row goes, with what else ends and the event that tells of it."""
        self.store.commit(hold.gone(), *also, told=told)

    def look(self, hold: Hold) -> "tuple[State, ByokKey | None]":
        try:
            found = self.account.byok.get(hold.credential)
        except NotFound:
            return "gone", None
        if not found.disabled:
            return "enabled", found
        return ("ours" if mark_of(found.name) else "foreign"), found

    def admit(self, hold: Hold) -> bool:
        """Enables the credential for a trial, the mark kept; False where it is not ours to enable."""
        state, found = self.look(hold)
        if state == "ours" and found:
            self._patch(found.id, disabled=False)
        return state == "ours"

    def put_back(self, hold: Hold) -> State:
        """Ends a trial that failed: disabled again, where it is enabled under our mark. What was found."""
        state, found = self.look(hold)
        if found and state == "enabled" and mark_of(found.name):
            self._patch(found.id, disabled=True)
            return "ours"
        return state

    def _patch(self, id: str, **fields: Any) -> None:
        """Sets these fields; a lost answer is read back, once. Raises `OutcomeUnknown` where they are not as set."""
        patch = ByokPatch(**fields)
        try:
            self.account.byok.update(id, patch)
        except OutcomeUnknown:
            found = self.account.byok.get(id)
            if any(getattr(found, name) != value for name, value in fields.items()):
                raise

    def _write(self, hold: Hold, *also: Put) -> Hold:
        self.store.commit(hold.put(), *also)
        return replace(hold, row=hold.row + 1)


def strays(credentials: "Sequence[ByokKey]", holds: Sequence[Hold], now: datetime) -> list[Hold]:
    """Holds to be made for credentials that bear our mark, disabled, and that no row speaks of: a PATCH that landed
    after everybody had given it up. `holds` must have been read after `credentials`."""
    known = {hold.credential for hold in holds}
    return [
        Hold(one.id, "stray", "", mark[1], now, now + LEASE, "releasing", unmarked(one.name), one.label)
        for one in credentials
        if one.disabled and one.id not in known and (mark := mark_of(one.name))
    ]


def _original(now: str | None, before: str | None) -> str | None:
    """The name without the mark; the former one where the mark had made it be cut."""
    plain = unmarked(now)
    return before if plain and before and before.startswith(plain) else plain
