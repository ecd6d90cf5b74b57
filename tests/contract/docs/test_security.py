"""docs/security.md may name no test that does not exist, and its table of roles is what the roles are granted."""

import ast
import re
from pathlib import Path

import pytest

from governor.events.publishers import PUBLISHES
from tests.ownership import FUNCTIONS, LEDGER, SECRETS

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "security.md").read_text()
PROOFS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))
NUMBERS = ["none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


def _rows(heading: str) -> list[list[str]]:
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def _named(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


@pytest.mark.parametrize(("path", "name"), PROOFS)
def test_every_proof_is_a_test_that_exists(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text())
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("heading", ["People and senders", "Each secret leaked"])
def test_every_row_has_a_proof(heading: str) -> None:
    rows = _rows(heading)
    assert len(rows) >= 6
    for row in rows:
        assert re.search(r"`tests/[\w/]+\.py::\w+`", row[-1]), row[0]


def test_the_table_of_roles_is_what_the_roles_are_granted() -> None:
    rows = {next(iter(_named(row[0]))): row for row in _rows("Each function's role taken over")}
    assert set(rows) == set(FUNCTIONS)
    for function, (_, publishes, writes, reads, worst) in rows.items():
        types = PUBLISHES[function]
        told = {kind.value for kind in types} if _named(publishes) else len(types)
        assert told == (_named(publishes) or NUMBERS.index(publishes.split()[-2 if " " in publishes else 0])), function
        assert _named(writes) == {pk for pk, owned in LEDGER.items() if function in owned.writers}, function
        assert _named(reads) == {name for name, owned in SECRETS.items() if function in owned.all_readers}, function
        assert worst, function


def test_every_secret_has_a_row_that_names_its_readers() -> None:
    rows = {name: row for row in _rows("Each secret leaked") for name in SECRETS if f"`{name}`" in row[0]}
    assert set(rows) == set(SECRETS)
    for name, row in rows.items():
        readers = _named(row[1]) & set(FUNCTIONS)
        expected = set(SECRETS[name].all_readers)
        assert readers == expected or row[1] == f"{NUMBERS[len(expected)]} functions", name
