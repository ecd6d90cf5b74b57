"""Governor's own records for the page: its events in order, and the rows of the ledger and of the decisions."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.scenario.timeline import figures
from sandbox.scenario.world import World

EVENTS = 250
"""Of the timeline, the newest."""
ROWS = 25
"""Behind one event."""
TABLES = ("Ledger", "Decisions")


@dataclass(frozen=True)
class Row:
    """A row as it is stored; `data` parsed."""

    table: str
    pk: str
    sk: str
    version: int
    data: dict[str, Any]


def rows(world: World) -> list[Row]:
    """Every row of both tables but the pace's, which is a bare number (decision 49)."""
    return [
        Row(table, item["pk"], item["sk"], int(item["version"]), json.loads(item["data"]))
        for table in TABLES
        for item in world.engine.items(table)
        if item["pk"] != "pace"
    ]


def events(world: World) -> list[dict[str, Any]]:
    """The timeline, newest first."""
    names = world.subjects()
    return [
        {
            "id": event["detail"]["id"],
            "at": datetime.fromisoformat(event["detail"]["occurred_at"]).timestamp(),
            "type": event["detail-type"],
            "subject": names.get(event["detail"]["subject"], event["detail"]["subject"]),
            "figures": _figures(event["detail-type"], event["detail"]["evidence"]),
            "reason": event["detail"]["reason"],
        }
        for event in reversed(world.events()[-EVENTS:])
    ]


def _figures(detail_type: str, evidence: Mapping[str, Any]) -> str:
    """Nothing for evidence that lacks a figure: a timeline without it is better than no timeline."""
    with contextlib.suppress(KeyError, TypeError, ValueError):
        return figures(detail_type, evidence)
    return ""


def behind(world: World, id: str) -> dict[str, Any] | None:
    """The event whole, and the rows behind it: those that hold its id, then those of its subject's causes and keys."""
    event = next((one for one in world.events() if one["detail"]["id"] == id), None)
    if event is None:
        return None
    subject = event["detail"]["subject"]
    found = rows(world)
    approval = str(event["detail"]["evidence"].get("approval") or id)
    own = [one for one in found if _names(one, id) or _names(one, approval)]
    about = [one for one in found if one not in own and (one.pk == f"subject#{subject}" or one.sk == subject)]
    return {
        "event": {"source": event["source"], "detail-type": event["detail-type"], "detail": event["detail"]},
        "rows": _shown(own, "holds its id") + _shown(about, "is about its subject"),
    }


def _names(row: Row, id: str) -> bool:
    return id in row.pk or id in row.sk or id in json.dumps(row.data)


def _shown(found: Sequence[Row], why: str) -> list[dict[str, Any]]:
    return [
        {"table": one.table, "pk": one.pk, "sk": one.sk, "version": one.version, "data": one.data, "why": why}
        for one in found[:ROWS]
    ]
