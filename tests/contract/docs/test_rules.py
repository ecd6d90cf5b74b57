"""docs/rules.md has every rule that a docstring lists, and is as the docstrings are; the way it shows leads there."""

import ast
import re
import shlex
import subprocess

import pytest

from governor.events.evidence import RunawayRule
from tests.contract.docs.rule_index import HEAD, ROOT, listed, modules, text

RULES = {id for path in modules() for _, rules in listed(path) for id, _ in rules}
COMMANDS = re.findall(r"^(grep .*?)(?: +#.*)?$", HEAD, flags=re.MULTILINE)


def test_the_index_is_as_the_docstrings_are() -> None:
    current = (ROOT / "docs" / "rules.md").read_text()
    assert current == text() + "\n", "python -m tests.contract.docs.rule_index writes it anew"


def test_every_rule_has_its_row_and_every_row_its_rule() -> None:
    rows = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "rules.md").read_text(), flags=re.MULTILINE))
    assert len(rows) > 100
    assert rows == RULES


def test_every_rule_that_code_gives_to_an_event_is_listed() -> None:
    given = {
        node.value.value
        for folder in ("functions", "layers/governor/src")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.keyword) and node.arg == "rule" and isinstance(node.value, ast.Constant)
    }
    assert len(given) >= 3
    assert given - {""} <= RULES
    assert {rule.value for rule in RunawayRule} <= RULES


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("rule", ["tier_zero", "account_leash", "last_key", "not_borne_out", "habit"])
def test_each_command_that_is_shown_finds_a_rule_that_disabled_or_kept_a_key(command: str, rule: str) -> None:
    asked = ["bash", "-c", command.replace("tier_zero", shlex.quote(rule))]
    assert subprocess.run(asked, cwd=ROOT, capture_output=True).returncode == 0, f"grep finds nothing: {asked[-1]}"
