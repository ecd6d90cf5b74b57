"""docs/rules.md has every rule that a docstring lists, and is as the docstrings are; the way it shows leads there."""

import re
import shlex
import subprocess

import pytest

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


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("rule", ["tier_zero", "account_leash", "last_key", "not_borne_out"])
def test_each_command_that_is_shown_finds_a_rule_that_disabled_or_kept_a_key(command: str, rule: str) -> None:
    found = subprocess.run(
        ["bash", "-c", command.replace("tier_zero", shlex.quote(rule))], cwd=ROOT, capture_output=True, text=True
    )
    assert rule in found.stdout or "test_" in found.stdout, command
