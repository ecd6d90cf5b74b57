"""Everything Governor published, in order, a line each."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.table import Table

from sandbox.scenario.scenario import usd
from sandbox.scenario.world import World


def timeline(world: World) -> Table:
    """Readable at 100 columns: subjects by name, the figures that matter instead of whole reasons."""
    table = Table(title="Timeline (UTC)", title_justify="left", box=None, pad_edge=False)
    for column, width in (("when", 12), ("event", 24), ("subject", 26)):
        table.add_column(column, no_wrap=True, min_width=width)
    table.add_column("what", no_wrap=True, overflow="ellipsis")
    names = world.subjects()
    for event in world.events():
        detail = event["detail"]
        when = f"{datetime.fromisoformat(detail['occurred_at']):%d %b %H:%M}"
        subject = names.get(detail["subject"], detail["subject"])
        table.add_row(when, event["detail-type"], subject, figures(event["detail-type"], detail["evidence"]))
    return table


def figures(detail_type: str, evidence: Mapping[str, Any]) -> str:
    """The few figures for which a person looks at an event of this type."""
    match detail_type:
        case "Budget Threshold Reached" if evidence.get("credits"):
            return f"{usd(evidence['credits']['left_usd'])} of credits left"
        case "Budget Threshold Reached":
            return f"{usd(evidence['spent_usd'])} of {usd(evidence['limit_usd'])}: {evidence['threshold']:.0%}"
        case "Runaway Suspected" | "Runaway Confirmed" | "Runaway Ended":
            window, spent = evidence["window_minutes"], usd(evidence["spent_usd"])
            return f"{spent} in {window} min, now ${evidence['rate_usd_per_hour']:.0f}/h"
        case "Key Disabled" | "Disable Withheld":
            return f"{evidence['cause']}: {evidence['rule']}"
        case "Key Restored":
            return f"{evidence['cause']} lifted by {evidence['requested_by']}"
        case "Restore Refused":
            return f"{evidence['rule']}, {evidence['requested_by']}"
        case "Monitor Blind":
            last = evidence["last_reading_at"]
            return f"not read since {last[11:16]}" if last else "never read"
        case "Bulk Rotation Progressed" | "Bulk Rotation Ended":
            return f"{evidence['rotated']} of {evidence['total']}, {evidence['state']}"
        case _:
            return _of_rotation(detail_type, evidence)


def _of_rotation(detail_type: str, evidence: Mapping[str, Any]) -> str:
    match detail_type:
        case "Credits Leak Suspected" | "Credits Leak Ended":
            return f"{usd(evidence['lost_usd'])}, own keys serve {evidence['share']:.0%}"
        case "Failover Gap Found" | "Failover Gap Closed" | "Drill Failed" | "Drill Passed":
            return str(evidence["rule"])
        case "Credential Unhealthy" | "Credential Recovered":
            return str(evidence["judgement"])
        case "Credential Benched" | "Credential Unbenched":
            return str(evidence["credential"]["name"])
        case "Rotation Started":
            return f"why: {evidence['why']}"
        case "Key Rotated" | "Rotation Rolled Back":
            return str(evidence["new"]["name"])
        case "Rotation Failed":
            return f"{evidence['step']}: {evidence['rule']}"
        case "Rollback Refused":
            return f"{evidence['rule']}, {evidence['requested_by']}"
        case "Key Retired" | "Orphan Removed" | "Drain Blocked":
            return str(evidence["key"]["name"])
        case _:
            return ""
