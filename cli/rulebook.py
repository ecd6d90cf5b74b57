"""The rules' own words: which section of the documents speaks of an event, a cause or a rule, and what it says."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from governor.events import DetailType as Type
from governor.events.evidence import Cause

DOCS = Path(__file__).resolve().parents[1] / "docs"
OPERATIONS = "operations.md"
Place = tuple[str, str]
"""A document and the heading of a section in it."""
SECTIONS: Mapping[Type, Place] = {
    Type.ACCOUNT_REVIEWED: ("review.md", "What arrives"),
    Type.MEMBER_DEPARTED: (OPERATIONS, "Member Departed"),
    Type.BUDGET_THRESHOLD_REACHED: (OPERATIONS, "Budget Threshold Reached"),
    Type.RUNAWAY_SUSPECTED: ("detection.md", "What confirms"),
    Type.RUNAWAY_CONFIRMED: ("detection.md", "What confirms"),
    Type.RUNAWAY_ENDED: ("detection.md", "What confirms"),
    Type.RUNAWAY_EXPECTED: ("detection.md", "What a person can say"),
    Type.KEY_DISABLED: (OPERATIONS, "Restore a key"),
    Type.DISABLE_WITHHELD: (OPERATIONS, "Disable Withheld"),
    Type.KEY_RESTORED: (OPERATIONS, "Restore a key"),
    Type.RESTORE_REFUSED: (OPERATIONS, "Restore a key"),
    Type.MONITOR_BLIND: (OPERATIONS, "Monitor Blind"),
    Type.MONITOR_RECOVERED: (OPERATIONS, "Monitor Blind"),
    Type.ROTATION_STARTED: (OPERATIONS, "Rotate now"),
    Type.KEY_ROTATED: (OPERATIONS, "Rotate now"),
    Type.ROTATION_FAILED: (OPERATIONS, "A rotation fails"),
    Type.ROTATION_ROLLED_BACK: (OPERATIONS, "Roll back a rotation"),
    Type.ROLLBACK_REFUSED: (OPERATIONS, "Roll back a rotation"),
    Type.DRAIN_BLOCKED: (OPERATIONS, "Drain Blocked"),
    Type.KEY_RETIRED: (OPERATIONS, "Rotate now"),
    Type.BULK_ROTATION_PROGRESSED: (OPERATIONS, "Everything leaked"),
    Type.BULK_ROTATION_ENDED: (OPERATIONS, "Everything leaked"),
    Type.ORPHAN_REMOVED: (OPERATIONS, "Key Drifted"),
    Type.KEY_DRIFTED: (OPERATIONS, "Key Drifted"),
    Type.KEY_EXPIRING: (OPERATIONS, "Key Expiring"),
    Type.CREDENTIAL_ROTATED: (OPERATIONS, "Credential Rotation Failed"),
    Type.CREDENTIAL_ROTATION_FAILED: (OPERATIONS, "Credential Rotation Failed"),
    Type.CREDENTIAL_UNHEALTHY: (OPERATIONS, "Credential Unhealthy"),
    Type.CREDENTIAL_RECOVERED: (OPERATIONS, "Credential Unhealthy"),
    Type.CREDENTIAL_BENCHED: (OPERATIONS, "Credential Benched"),
    Type.CREDENTIAL_UNBENCHED: (OPERATIONS, "Credential Benched"),
    Type.FAILOVER_GAP_FOUND: (OPERATIONS, "Failover Gap Found"),
    Type.FAILOVER_GAP_CLOSED: (OPERATIONS, "Failover Gap Found"),
    Type.CREDITS_LEAK_SUSPECTED: (OPERATIONS, "Credits Leak Suspected"),
    Type.CREDITS_LEAK_ENDED: (OPERATIONS, "Credits Leak Suspected"),
    Type.DRILL_PASSED: (OPERATIONS, "Drill Failed"),
    Type.DRILL_FAILED: (OPERATIONS, "Drill Failed"),
    Type.BYOK_REVIEW_DUE: (OPERATIONS, "Byok Review Due"),
    Type.FORGERY_SUSPECTED: (OPERATIONS, "Forgery Suspected"),
    Type.PRESET_PROMOTED: (OPERATIONS, "A promotion fails"),
    Type.PRESET_PROMOTION_FAILED: (OPERATIONS, "A promotion fails"),
    Type.PRESET_ROLLED_BACK: (OPERATIONS, "A promotion fails"),
    Type.PRESET_DRIFTED: (OPERATIONS, "Preset Drifted"),
}
CAUSES: Mapping[Cause, Place] = {
    "runaway": ("detection.md", "What confirms"),
    "budget": (OPERATIONS, "Budget Threshold Reached"),
    "exposed": (OPERATIONS, "A key leaked"),
    "operator": (OPERATIONS, "Decide"),
    "rotation": (OPERATIONS, "Rotate now"),
    "foreign": (OPERATIONS, "Restore a key"),
}
DECISIONS: Place = (OPERATIONS, "Decide")


@dataclass(frozen=True)
class Said:
    """What a document says. `where`: its name and section. `text`: of the rule, empty where the section has none."""

    where: str
    text: str = ""


def said(place: Place, rule: str = "") -> Said:
    """The rule's row of the section's tables, or the section alone."""
    document, heading = place
    where = f'docs/{document}, "{heading}"'
    for header, row in _rows(document, heading) if rule else ():
        at = next((number for number, cell in enumerate(row[:2]) if f"`{rule}`" in cell), None)
        if at is not None:
            return Said(where, " ".join(_sentences(header[at + 1 :], row[at + 1 :])))
    return Said(where)


def has_section(place: Place) -> bool:
    """Whether the document has the section."""
    return f"\n## {place[1]}\n" in _text(place[0])


def _rows(document: str, heading: str) -> Iterator[tuple[list[str], list[str]]]:
    """Each row of the section's tables with the header above it."""
    body = _text(document).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    before, header = "", list[str]()
    for line in body.splitlines():
        if line.startswith("|---"):
            header = _cells(before)
        elif line.startswith("| "):
            yield header, _cells(line)
        before = line


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


@cache
def _text(document: str) -> str:
    return (DOCS / document).read_text("utf-8")


def _sentences(header: list[str], cells: list[str]) -> Iterator[str]:
    for title, cell in zip(header, cells, strict=False):
        if not cell or cell == "the same":
            continue
        title = {"meaning": "", "what it means": "", "what to do": "what to do:"}.get(title, title)
        sentence = f"{title} {cell.rstrip('.')}".strip()
        yield f"{sentence[0].upper()}{sentence[1:]}."
