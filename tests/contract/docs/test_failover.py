"""What byok_failover may say is what operations explain: every rule of a gap, a probe and a drill."""

import re
from pathlib import Path

from byok_failover import drill_rules, gaps
from byok_failover.probing import RULES

ROOT = Path(__file__).resolve().parents[3]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


def chapter(name: str) -> str:
    return OPERATIONS.partition(f"## {name}\n")[2].partition("\n## ")[0]


def explained(name: str) -> set[str]:
    """The rules in the first column of the chapter's table."""
    rows = re.findall(r"^\| (`[^|]+) \|", chapter(name), flags=re.MULTILINE)
    return {rule for row in rows for rule in re.findall(r"`(\w+)`", row) if rule not in ("evidence", "rule")}


def listed(document: str | None) -> set[str]:
    """The rules that a module's docstring lists."""
    lines = re.findall(r"^(?: ?\d+\.|-) +((?:`\w+`,? )+)", document or "", flags=re.MULTILINE)
    return {rule for line in lines for rule in re.findall(r"`(\w+)`", line)}


def test_every_gap_and_every_fault_of_a_probe_is_explained() -> None:
    assert listed(gaps.__doc__) | RULES == explained("Failover Gap Found")


def test_every_way_in_which_a_drill_fails_is_explained() -> None:
    # `unread` is told to nobody: the drill is asked for again.
    assert listed(drill_rules.__doc__) - {"unread"} == explained("Drill Failed")
