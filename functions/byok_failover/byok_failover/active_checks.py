"""Active probes where they are worth their price, and what follows from them: verdicts, and benches.

A probe is due where traffic is thin or several credentials may serve it, no more often than the day's bounds spread it,
and where something is doubtful: a verdict that is not settled, one that is bad, a leak. Where the one credential of our
own serves in plenty, passive checks suffice.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from byok_failover import failover_events
from byok_failover.benching import Benching
from byok_failover.chain import own
from byok_failover.decide import Health, Seen
from byok_failover.gaps import Finding
from byok_failover.inventory import Inventory, Place
from byok_failover.probing import Prober, Probing, Spent, Unfit, subject_of
from byok_failover.shares import Record
from byok_failover.store import FailoverStore, put
from governor.byok_marks import mark_of
from governor.clock import format_instant, parse_instant
from governor.events import Event
from governor.ledger import LedgerConflict, Row
from governor.policy import Byok

HEALTH = "health#"
LATELY = timedelta(hours=2)
SENT_RULES = ("probe_key_refused", "probe_key_over_limit", "probe_lacks_access")
"""Findings that only a probe which was sent can raise or clear."""


@dataclass
class Attended:
    """What came of one decision. `unknown`: findings about a probe that no probe could settle, as `rule#secret`."""

    told: list[Event] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    probes: int = 0


@dataclass(frozen=True)
class Attending:
    """The probes of one run."""

    store: FailoverStore
    probing: Probing
    benching: Benching

    def attend(self, byok: Byok, place: Place, inventory: Inventory, record: Record | None, now: datetime) -> Attended:
        """Probes whoever is due, and benches whoever is found invalid. Lists of the place must have been read.

        One key that cannot probe keeps no other from it.
        """
        done = Attended()
        for secret in self.probing.secrets(byok):
            try:
                prober = self.probing.prober(secret, byok, place, inventory)
                settled = self._attended(prober, byok, place, inventory, record, now, done)
            except Unfit as error:
                done.findings.append(Finding(byok.name, error.rule, error.detail, error.todo, secret))
                settled = error.rule in SENT_RULES
            if not settled:
                done.unknown |= {f"{rule}#{secret}" for rule in SENT_RULES}
        return done

    def _attended(
        self,
        prober: Prober,
        byok: Byok,
        place: Place,
        inventory: Inventory,
        record: Record | None,
        now: datetime,
        done: Attended,
    ) -> bool:
        """Whether a probe was sent and answered. Raises `Unfit`."""
        enabled = [one for one in own(place.credentials or (), byok.provider) if not one.disabled]
        if not enabled:
            return False  # the gap says so: there is none to be proven
        if not prober.subjects:
            if any(one.disabled and mark_of(one.name) for one in own(place.credentials or (), byok.provider)):
                return False  # it may be for the one that Governor holds
            detail = f"the probe's key, in secret {prober.secret}, is let in by no enabled credential"
            raise Unfit("probe_reaches_none", detail, "Fix the credentials' filters, or put another key there.")
        row = self.store.row(HEALTH + subject_of(byok, prober.subjects))
        sent = False
        if self._due(byok, row, record, len(enabled) > 1, now):
            try:
                seen = self.probing.send(byok, prober)
            except Spent:
                return False
            done.probes, sent = done.probes + 1, True
            row, event = self._judged(byok, prober, row, seen, inventory, now)
            done.told += [event] if event else []
        benched = self._benched(byok, prober, row, inventory, now)
        done.told += [benched] if benched else []
        return sent

    def _due(self, byok: Byok, row: Row | None, record: Record | None, several: bool, now: datetime) -> bool:
        """`several`: where more than one may serve, shares of spend do not tell which of them does."""
        if not self.probing.within_bounds(byok, now):
            return False
        if row is None or _health(row.data).doubtful or (record is not None and bool(record.told)):
            return True
        spacing = timedelta(days=1) / max(1, byok.probe.per_day if byok.probe else 1)
        return (several or _thin(record, now)) and now >= parse_instant(row.data["at"]) + spacing

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
            event = failover_events.health(byok, subjects, after, seen.detail, action, turn, now)
        self.store.commit(put(sk, data, row), told=[event] if event else [])
        return self.store.row(sk), event

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
            return None  # a drill, or a run beside this one, has it


def _health(data: Any) -> Health:
    return Health(data["verdict"], data["sign"], int(data["run"]))


def _thin(record: Record | None, now: datetime) -> bool:
    """Whether too little was served by our own keys lately to say anything by itself."""
    series = record.workloads.values() if record else ()
    return not any(one.share > 0 and one.habit.own > 0 and one.moved and now - one.moved < LATELY for one in series)
