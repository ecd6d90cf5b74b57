"""Who may read and write which secret (`tests/ownership.py`), held against every role."""

from typing import Any

import pytest

from tests.contract.template.reading import RESOURCES, role_of, statements_of
from tests.ownership import FUNCTIONS, SECRETS


def _secrets(function: str, *actions: str) -> set[str]:
    """The parameters whose secrets the function's role may do one of these actions to."""
    found = set()
    for statement in statements_of(role_of(function)):
        if {f"secretsmanager:{action}" for action in actions} & set(_list(statement["Action"])):
            for resource in _list(statement["Resource"]):
                secret = resource["Fn::Sub"].rpartition(":secret:")[2]
                named = {name for name in SECRETS if secret in (f"${{{name}}}-??????", f"${{{name}}}*")}
                assert len(named) == 1, f"{function} may reach {secret}, which is not a secret of the table's"
                assert secret.endswith("-??????") == next(iter(named)).endswith("Name"), secret
                found |= named
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_reads_and_writes_its_own_secrets_and_no_others(function: str) -> None:
    read = {name for name, owned in SECRETS.items() if function in owned.all_readers}
    assert _secrets(function, "GetSecretValue", "BatchGetSecretValue") == read
    written = {name for name, owned in SECRETS.items() if function in owned.writers}
    assert _secrets(function, "PutSecretValue", "UpdateSecret", "DeleteSecret", "PutResourcePolicy") == written


def test_who_may_read_the_signing_secret_reads_no_token_and_nobody_else_reads_it() -> None:
    assert SECRETS["SlackSigningSecretName"].all_readers == {"slack_gateway"}
    assert [name for name, owned in SECRETS.items() if "slack_gateway" in owned.all_readers] == [
        "SlackSigningSecretName"
    ]


def test_no_role_but_a_functions_reads_a_secret() -> None:
    others = {name for name, one in RESOURCES.items() if one["Type"] == "AWS::IAM::Role"} - set(map(role_of, FUNCTIONS))
    assert not [name for name in others if "secretsmanager" in str(statements_of(name))]
