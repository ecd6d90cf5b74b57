"""Passive checks, which cost nothing: gaps against their own rows, shares of spend against their own record."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from byok_failover import failover_events
from byok_failover.gaps import Finding, Looked
from byok_failover.inventory import Inventory, Place, decisions
from byok_failover.shares import Record, Spend, leak
from byok_failover.store import FailoverStore, delete, put
from governor.clock import format_instant, parse_instant
from governor.events import DetailType, Event
from governor.ledger import Delete, Put, Row
from governor.policy import Byok
from management_api import (
    SINGLE_REQUESTS_WITHIN,
    AnalyticsFilter,
    AnalyticsQuery,
    Dimension,
    Metric,
    OpenRouterError,
    TimeRange,
    number,
)

if TYPE_CHECKING:
    from management_api import ApiKey, OpenRouter

FINDING, SHARES = "finding#", "shares#"
LEARN = timedelta(days=7)
_FIELDS = ("decision", "rule", "detail", "todo", "about")
AT_ONCE = 20
"""Findings committed together: a transaction takes a hundred rows, and each has its event's."""


def note_gaps(store: FailoverStore, looked: "dict[str, tuple[Byok, Looked]]", now: datetime) -> list[Event]:
    """Tells every gap once, when it is found and when it is closed; what could not be looked at stays as it was."""
    rows = store.rows(FINDING)
    found = {FINDING + one.key: (byok, one) for byok, seen in looked.values() for one in seen.findings}
    changes: list[tuple[Put | Delete, Event]] = []
    for sk, (byok, finding) in found.items():
        if sk not in rows:
            event = failover_events.gap(DetailType.FAILOVER_GAP_FOUND, finding, byok, now, now)
            changes.append((put(sk, _remembered(finding, now)), event))
    for sk, row in rows.items():
        if sk in found or not _settled(row, looked):
            continue
        finding = _of(row)
        byok_now = looked[finding.decision][0] if finding.decision in looked else None
        since = parse_instant(row.data["since"])
        changes.append(
            (delete(row), failover_events.gap(DetailType.FAILOVER_GAP_CLOSED, finding, byok_now, since, now))
        )
    for start in range(0, len(changes), AT_ONCE):
        some = changes[start : start + AT_ONCE]
        store.commit(*(write for write, _ in some), told=[event for _, event in some])
    return [event for _, event in changes]


def _settled(row: Row, looked: "dict[str, tuple[Byok, Looked]]") -> bool:
    """Whether this run could see that the gap is closed: the decision is gone, or its rule was asked."""
    decision, rule = row.data["decision"], row.data["rule"]
    if decision not in looked:
        return True
    unknown = looked[decision][1].unknown
    return unknown is not None and not unknown & {rule, f"{rule}#{row.data['about']}"}


def _remembered(finding: Finding, now: datetime) -> dict[str, object]:
    return {
        "decision": finding.decision, "rule": finding.rule, "detail": finding.detail, "todo": finding.todo,
        "about": finding.about, "since": format_instant(now),
    }  # fmt: skip


def _of(row: Row) -> Finding:
    decision, rule, detail, todo, about = (str(row.data[name]) for name in _FIELDS)
    return Finding(decision, rule, detail, todo, about)


@dataclass(frozen=True)
class Watching:
    """The shares of one run."""

    store: FailoverStore
    account: "OpenRouter"

    def shares(self, inventory: Inventory, now: datetime) -> tuple[list[Event], dict[str, Record], list[str]]:
        """What was told, the records by workspace id, and why something could not be read."""
        told: list[Event] = []
        records: dict[str, Record] = {}
        errors: list[str] = []
        for place, byoks in _decided(inventory):
            row = self.store.row(SHARES + place.workspace.id)
            record = Record.of(row.data) if row else Record()
            if place.keys is not None:
                record = record.counted(*_counters(inventory, place, place.keys), now)
            try:
                rows = self._charted(place, record, now)
            except (OpenRouterError, ValueError) as error:
                errors.append(f"analytics of {place.workspace.name}: {error}")
            else:
                record = record.charted(rows, now) if rows is not None else record
            record, events = _leaks(record, byoks, now)
            self.store.commit(put(SHARES + place.workspace.id, record.data(), row), told=events)
            records[place.workspace.id] = record
            told += events
        return told, records, errors

    def _charted(self, place: Place, record: Record, now: datetime) -> dict[tuple[str, str], Spend] | None:
        """By provider (as analytics names it) and hour, from the oldest hour that is remembered; None unless whole."""
        known = sorted(key.partition(" ")[2] for key in record.hours)
        start = parse_instant(known[0]) if known else now.replace(minute=0, second=0, microsecond=0) - LEARN
        # After a long standstill the oldest hour is one that OpenRouter refuses to be asked about.
        start = max(start, now - SINGLE_REQUESTS_WITHIN)
        question = AnalyticsQuery(
            metrics=[Metric.CREDITS_USAGE, Metric.BYOK_USAGE],
            dimensions=[Dimension.PROVIDER],
            filters=[AnalyticsFilter(field=Dimension.WORKSPACE, operator="eq", value=place.workspace.id)],
            granularity="hour",
            time_range=TimeRange(start=start, end=now),
            limit=10_000,
        )
        answer = self.account.analytics.query(question)
        if not answer.is_whole:
            return None
        rows: dict[tuple[str, str], Spend] = {}
        for one in answer.rows:
            hour = next((str(value) for name, value in one.items() if name.endswith("__hour")), None)
            if hour is None or one.get(Dimension.PROVIDER) is None or {*question.metrics} - one.keys():
                return None
            spend = Spend(number(one[Metric.CREDITS_USAGE]) or 0.0, number(one[Metric.BYOK_USAGE]) or 0.0)
            key = str(one[Dimension.PROVIDER]), format_instant(parse_instant(hour))
            rows[key] = rows.get(key, Spend()) + spend
        return rows


def _decided(inventory: Inventory) -> "Iterable[tuple[Place, list[Byok]]]":
    """Every workspace that a decision is about, with its decisions."""
    found: dict[str, tuple[Place, list[Byok]]] = {}
    for byok in decisions(inventory.policy):
        place = inventory.place(byok.workspace)
        if place:
            found.setdefault(place.workspace.id, (place, []))[1].append(byok)
    return found.values()


def _counters(
    inventory: Inventory, place: Place, keys: "Sequence[ApiKey]"
) -> tuple[dict[tuple[str, str], Spend], dict[tuple[str, str], Spend]]:
    """Of each key's life, and of its month. Workloads that our own keys never served cannot leak, and take no room in a
    row, which holds 400 KB: some two thousand workloads that they did serve."""
    ours = {inventory.workload_of(place, key) for key in keys if key.byok_usage > 0}
    lives, months = {}, {}
    for key in keys:
        name = inventory.workload_of(place, key), key.hash
        if name[0] in ours:
            lives[name] = Spend(key.usage, key.byok_usage)
            months[name] = Spend(key.usage_monthly, key.byok_usage_monthly)
    return lives, months


def _leaks(record: Record, byoks: Sequence[Byok], now: datetime) -> tuple[Record, list[Event]]:
    """The record with what was told of it, and the events to be told."""
    found = leak(record, _slugs(record, byoks))
    if found and not record.told:
        about = next((byok for byok in byoks if byok.provider in found.providers), byoks[0])
        hours = max((now - found.since) / timedelta(hours=1), 1 / 6)
        event = failover_events.leaked(DetailType.CREDITS_LEAK_SUSPECTED, about, found, found.lost / hours, now)
        return replace(record, told=about.name, lost=found), [event]
    if found:
        return replace(record, lost=found), []
    if record.told and record.lost:
        about = next((byok for byok in byoks if byok.name == record.told), byoks[0])
        event = failover_events.leaked(DetailType.CREDITS_LEAK_ENDED, about, record.lost, 0.0, now)
        return replace(record, told="", lost=None), [event]
    return record, []


def _slugs(record: Record, byoks: Sequence[Byok]) -> dict[str, str]:
    """The decisions' providers by the names that analytics has for them, as people read them (`Amazon Bedrock`)."""
    pairs = ((name, byok.provider) for name in record.providers for byok in byoks)
    return {name: slug for name, slug in pairs if _plain(slug).startswith(_plain(name))}


def _plain(name: str) -> str:
    return "".join(one for one in name.lower() if one.isalnum())
