"""Active probes where they are worth their price, and what follows from them: verdicts, and benches.

A probe is due where traffic is thin, no more often than the day's bounds spread it, and where something is doubtful: a
verdict that is not settled, one that is bad, a leak. Where our own keys serve in plenty, passive checks suffice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from byok_failover import telling
from byok_failover.benching import Benching
from byok_failover.book import Book, put
from byok_failover.chain import own
from byok_failover.decide import Health, Seen
from byok_failover.gaps import Finding
from byok_failover.inventory import Inventory, Place
from byok_failover.probing import Prober, Probing, Spent, Unfit, subject_of
from byok_failover.shares import Record
from governor.clock import format_instant, parse_instant
from governor.events import Event
from governor.ledger import LedgerConflict, Row
from governor.policy import Byok

HEALTH = "health#"
LATELY = timedelta(hours=2)
PROBE_RULES = frozenset(
    {
        "probe_key_missing", "probe_key_foreign", "probe_key_refused", "probe_key_over_limit", "probe_lacks_access",
        "probe_reaches_none",
    }
)  # fmt: skip
"""Findings about the probe itself. Where nothing was probed in a beat, they stay as they were."""


@dataclass(frozen=True)
class Attended:
    """What came of one decision. `findings`: about the probe itself; None: nothing was probed that could tell."""

    told: tuple[Event, ...] = ()
    findings: tuple[Finding, ...] | None = None
    probes: int = 0


@dataclass(frozen=True)
class Attending:
    """The probes of one beat."""

    book: Book
    probing: Probing
    benching: Benching

    def attend(self, byok: Byok, place: Place, inventory: Inventory, record: Record | None, now: datetime) -> Attended:
        """Probes whoever is due, and benches whoever is found invalid. Lists of the place must have been read."""
        try:
            probers = self.probing.probers(byok, place, inventory)
        except Unfit as error:
            return Attended(findings=(_finding(byok, error),))
        told: list[Event] = []
        findings: list[Finding] = []
        count, asked = 0, False
        for prober in probers:
            if not prober.subjects:
                if not any(not one.disabled for one in own(place.credentials or (), byok.provider)):
                    continue  # the gap says so: there is none to be let in by
                detail = f"the probe's key, in secret {prober.secret}, is let in by no enabled credential"
                findings.append(Finding(byok.name, "probe_reaches_none", detail, "Mend the filters, or the key."))
                asked = True
                continue
            row = self.book.row(HEALTH + subject_of(byok, prober.subjects))
            if self._due(byok, row, record, now):
                try:
                    seen = self.probing.send(byok, prober)
                except Unfit as error:
                    findings.append(_finding(byok, error))
                    asked = True
                    break
                except Spent:
                    break
                count, asked = count + 1, True
                row, event = self._judged(byok, prober, row, seen, inventory, now)
                told += [event] if event else []
            benched = self._benched(byok, prober, row, inventory, now)
            told += [benched] if benched else []
        return Attended(tuple(told), tuple(findings) if asked else None, count)

    def _due(self, byok: Byok, row: Row | None, record: Record | None, now: datetime) -> bool:
        if not self.probing.within_bounds(byok, now):
            return False
        if row is None:
            return True
        if _health(row.data).doubtful or (record is not None and bool(record.told)):
            return True
        spacing = timedelta(days=1) / max(1, byok.probe.per_day if byok.probe else 1)
        return _thin(record, now) and now >= parse_instant(row.data["at"]) + spacing

    def _judged(
        self, byok: Byok, prober: Prober, row: Row | None, seen: Seen, inventory: Inventory, now: datetime
    ) -> tuple[Row | None, Event | None]:
        """The verdict after this probe, committed with the event that tells of it, if it changed."""
        subjects = prober.subjects
        before = _health(row.data) if row else Health()
        after = before.after(seen.sign)
        turned = after.ill != before.ill or (after.ill and after.verdict != before.verdict)
        turn = int(row.data["turn"]) + turned if row else int(turned)
        sk = HEALTH + subject_of(byok, subjects)
        data = {
            "verdict": after.verdict, "sign": after.sign, "run": after.run, "turn": turn, "at": format_instant(now),
            "detail": seen.detail, "benched": row.data["benched"] if row else 0, "among": [one.id for one in subjects],
        }  # fmt: skip
        event = None
        if turned:
            action: Any = "alert"
            if after.verdict == "invalid" and byok.action == "bench" and len(subjects) == 1:
                action = "bench" if self.benching.may(byok, subjects[0], inventory) else "withheld"
            event = telling.health(byok, subjects, after, seen.detail, action, turn, now)
        self.book.commit(put(sk, data, row), told=[event] if event else [])
        return self.book.row(sk), event

    def _benched(
        self, byok: Byok, prober: Prober, row: Row | None, inventory: Inventory, now: datetime
    ) -> Event | None:
        """Benches the one credential that the probe speaks of, once for each verdict."""
        if byok.action != "bench" or row is None or len(prober.subjects) != 1:
            return None
        if row.data["verdict"] != "invalid" or row.data["benched"] == row.data["turn"]:
            return None
        credential = prober.subjects[0]
        if not self.benching.may(byok, credential, inventory):
            return None
        try:
            return self.benching.bench(byok, credential, row, now)
        except LedgerConflict:
            return None  # a drill, or a beat beside this one, has it


def _health(data: Any) -> Health:
    return Health(data["verdict"], data["sign"], int(data["run"]))


def _thin(record: Record | None, now: datetime) -> bool:
    """Whether too little was served by our own keys lately to say anything by itself."""
    series = record.workloads.values() if record else ()
    return not any(one.share > 0 and one.habit.own > 0 and one.moved and now - one.moved < LATELY for one in series)


def _finding(byok: Byok, error: Unfit) -> Finding:
    return Finding(byok.name, error.rule, error.detail, error.todo)
