"""Who may read which secret: one table, held against every role."""

from typing import Any

import pytest

from tests.contract.template.reading import RESOURCES, statements_of

READERS = {
    "ManagementKeySecretName": {
        "spend_meter", "kill_switch", "key_rotation", "key_retirement", "credential_rotation", "byok_failover"
    },
    "SlackSecretName": {"approval_desk", "preset_promotion", "notifier"},
    "SlackSigningSecretName": {"slack_gateway"},
    "WorkloadSecretPrefix": {"spend_meter", "key_rotation", "key_retirement", "credential_rotation", "byok_failover"},
    "ProviderSecretPrefix": {"credential_rotation"},
    "PresetSecretPrefix": {"preset_promotion"},
}  # fmt: skip
WRITERS = {"WorkloadSecretPrefix": {"key_rotation"}}
FUNCTIONS = {
    function: role["Fn::GetAtt"][0]
    for one in RESOURCES.values()
    if one["Type"] == "AWS::Lambda::Function"
    for function, role in [(one["Properties"]["Handler"].partition(".")[0], one["Properties"]["Role"])]
}


def _secrets(function: str, *actions: str) -> set[str]:
    """The parameters whose secrets the function's role may do one of these actions to."""
    found = set()
    for statement in statements_of(FUNCTIONS[function]):
        if {f"secretsmanager:{action}" for action in actions} & set(_list(statement["Action"])):
            for resource in _list(statement["Resource"]):
                secret = resource["Fn::Sub"].rpartition(":secret:")[2]
                named = {name for name in READERS if secret in (f"${{{name}}}-??????", f"${{{name}}}*")}
                assert len(named) == 1, f"{function} may reach {secret}, which is no secret of the table's"
                assert secret.endswith("-??????") == next(iter(named)).endswith("Name"), secret
                found |= named
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_role_reads_and_writes_its_own_secrets_and_no_others(function: str) -> None:
    read = {name for name, readers in READERS.items() if function in readers}
    assert _secrets(function, "GetSecretValue", "BatchGetSecretValue") == read
    written = {name for name, writers in WRITERS.items() if function in writers}
    assert _secrets(function, "PutSecretValue", "UpdateSecret", "DeleteSecret", "PutResourcePolicy") == written


def test_who_may_read_the_signing_secret_reads_no_token_and_nobody_else_reads_it() -> None:
    assert READERS["SlackSigningSecretName"] == {"slack_gateway"}
    assert not [name for name, readers in READERS.items() if "slack_gateway" in readers and "Signing" not in name]


def test_no_role_but_a_functions_reads_a_secret() -> None:
    others = {name for name, one in RESOURCES.items() if one["Type"] == "AWS::IAM::Role"} - set(FUNCTIONS.values())
    assert not [name for name in others if "secretsmanager" in str(statements_of(name))]
