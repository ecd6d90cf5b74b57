"""Once a year the owner is asked whether the exit criterion is met; the page shows all decisions as they stand."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime

from byok_failover import failover_events
from byok_failover.gaps import Looked
from byok_failover.inventory import Inventory
from byok_failover.page import NAME, page
from byok_failover.ports import Pages
from byok_failover.shares import Record
from byok_failover.store import FailoverStore, put
from governor.events import Event
from governor.policy import Byok

REVIEW, PAGE = "review#", "page"


def review(store: FailoverStore, byok: Byok, now: datetime) -> Event | None:
    """Tells that a review is due, once for each year. Without `review_on`, a year after the decision was first seen."""
    sk = REVIEW + "/".join(part for part in (byok.name, byok.credential) if part)
    row = store.row(sk)
    today = now.astimezone(UTC).date()
    if row is None:
        row_data = {"first": today.isoformat(), "asked": ""}
        store.commit(put(sk, row_data))
        row = store.row(sk)
        assert row
    first = byok.review_on or _years_on(date.fromisoformat(row.data["first"]), 1)
    if today < first:
        return None
    anniversaries = (_years_on(first, years) for years in range(today.year - first.year + 1))
    due = max(day for day in anniversaries if day <= today)
    if row.data["asked"] >= due.isoformat():
        return None
    event = failover_events.review(byok, due.isoformat(), now)
    store.commit(put(sk, {**row.data, "asked": due.isoformat()}, row), told=[event])
    return event


def publish_page(
    store: FailoverStore,
    pages: Pages,
    inventory: Inventory,
    looked: Mapping[str, Looked],
    records: Mapping[str, Record],
) -> None:
    """Puts the page where it differs from the one put last. The note of it comes after: put twice is no harm."""
    rows = store.rows()
    text = page(inventory, looked, records, {sk: row.data for sk, row in rows.items()})
    digest = hashlib.sha256(text.encode()).hexdigest()
    known = rows.get(PAGE)
    if known is None or known.data["digest"] != digest:
        pages.put(NAME, text)
        store.commit(put(PAGE, {"digest": digest}, known))


def _years_on(day: date, years: int) -> date:
    """The same day so many years later; 29 February becomes the 28th."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
