"""Whoever reads a message that a catalogued accident causes finds a line for it in the operators' document."""

import pytest

from tests.accidents.catalogue import HANDS
from tests.contract.template.reading import ROOT

SECTION = (ROOT / "docs" / "operations.md").read_text().partition("## What people do by hand")[2].partition("\n## ")[0]
LINES = {line.split("|")[1].strip(): line for line in SECTION.splitlines() if line.startswith("| ")}


@pytest.mark.parametrize("name", [name for name, one in HANDS.items() if one.told])
def test_each_accident_that_people_hear_of_has_a_line_with_its_messages(name: str) -> None:
    line = LINES.get(name.replace("_", " "), "")
    assert all(f"`{kind}`" in line for kind in HANDS[name].told), f"docs/operations.md lacks {name}: {line}"


def test_each_line_is_of_an_accident_that_is_played() -> None:
    named = set(LINES) - {"what happened"}
    assert named <= {name.replace("_", " ") for name in HANDS}
