"""Who may write and read which rows (`tests/ownership.py`), held against every role's statements about the tables."""

from typing import Any

import pytest

from tests.contract.template.reading import RESOURCES, role_of, statements_of
from tests.ownership import DECISIONS, FUNCTIONS, LEDGER

READS, WRITES = {"dynamodb:GetItem", "dynamodb:Query"}, {"dynamodb:PutItem", "dynamodb:DeleteItem"}
UPDATES = {"dynamodb:UpdateItem"}
"""Of the account's pace only, which is counted on; every other row is written whole, on a condition."""


def _about(function: str, table: str) -> list[dict[str, Any]]:
    return [one for one in statements_of(role_of(function)) if {"Fn::GetAtt": [table, "Arn"]} == one["Resource"]]


def _actions(statement: dict[str, Any]) -> set[str]:
    found = statement["Action"]
    return set(found) if isinstance(found, list) else {found}


def _keys(function: str, actions: set[str]) -> set[str]:
    """The partition keys on which the role may do one of these actions."""
    found: set[str] = set()
    for statement in _about(function, "Ledger"):
        if _actions(statement) & actions:
            keys = statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
            found |= set(keys if isinstance(keys, list) else [keys])
    return found


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_writes_and_reads_its_own_rows_and_no_others(function: str) -> None:
    assert _keys(function, WRITES) == {pk for pk, owned in LEDGER.items() if function in owned.writers}
    assert _keys(function, READS) == {pk for pk, owned in LEDGER.items() if function in owned.all_readers}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_statement_about_the_ledger_is_without_its_keys(function: str) -> None:
    for statement in _about(function, "Ledger"):
        # Null, because ForAllValues is true of a request that names no key, as a Scan does.
        assert statement["Condition"]["Null"] == {"dynamodb:LeadingKeys": "false"}
        assert set(statement["Condition"]) == {"Null", "ForAllValues:StringLike"}
        assert _actions(statement) <= READS | WRITES | UPDATES


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_the_pace_is_counted_on_and_by_those_who_keep_it(function: str) -> None:
    assert _keys(function, UPDATES) == ({"pace"} if function in LEDGER["pace"].writers else set())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_byok_failover_removes_rows(function: str) -> None:
    removed = _keys(function, {"dynamodb:DeleteItem"})
    assert removed == ({"byok", "byok#told"} if function == "byok_failover" else set())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_decides_or_reads_decisions_as_the_table_says(function: str) -> None:
    actions = {action for statement in _about(function, "Decisions") for action in _actions(statement)}
    assert ("dynamodb:PutItem" in actions) == (function in DECISIONS.writers)
    assert bool(READS & actions) == (function in DECISIONS.all_readers)
    assert "dynamodb:DeleteItem" not in actions


def test_the_tables_of_ownership_name_every_function() -> None:
    assert {role_of(name) for name in FUNCTIONS} == {
        role["Fn::GetAtt"][0]
        for one in RESOURCES.values()
        if one["Type"] == "AWS::Lambda::Function"
        for role in [one["Properties"]["Role"]]
    }
