"""Secrets Manager as AWS documents it: one suite over it and plain moto where they agree, and where they differ."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from sandbox.engine.secrets_manager import as_documented

NAME = "openrouter/agent"
FIRST, SECOND, THIRD = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:key-rotation"


@pytest.fixture(params=["documented", "moto"])
def either(request: pytest.FixtureRequest) -> Iterator[Any]:
    yield from _client(request.param)


@pytest.fixture
def documented() -> Iterator[Any]:
    yield from _client("documented")


@pytest.fixture
def moto() -> Iterator[Any]:
    yield from _client("moto")


def _client(kind: str) -> Iterator[Any]:
    with ExitStack() as stack:
        stack.enter_context(mock_aws())
        if kind == "documented":
            stack.enter_context(as_documented())
        client: Any = boto3.client("secretsmanager", region_name="us-east-1")
        client.create_secret(Name=NAME, SecretString=value("one"), ClientRequestToken=FIRST)
        yield client


def value(word: str) -> str:
    return json.dumps({"api_key": word})


def stages(client: Any) -> dict[str, set[str]]:
    found = client.describe_secret(SecretId=NAME)["VersionIdsToStages"]
    return {id: set(held) for id, held in found.items() if held}


def code(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(SecretId=NAME, **arguments)
    return str(caught.value.response["Error"]["Code"])


def pend(client: Any, token: str = SECOND, word: str = "two") -> None:
    client.put_secret_value(
        SecretId=NAME, ClientRequestToken=token, SecretString=value(word), VersionStages=["AWSPENDING"]
    )


# --- where both agree ---------------------------------------------------------------------------------------------
def test_a_pending_version_is_read_by_its_label_and_the_current_one_stays(either: Any) -> None:
    pend(either)
    assert stages(either) == {FIRST: {"AWSCURRENT"}, SECOND: {"AWSPENDING"}}
    assert either.get_secret_value(SecretId=NAME, VersionStage="AWSPENDING")["SecretString"] == value("two")
    assert either.get_secret_value(SecretId=NAME)["SecretString"] == value("one")


def test_moving_current_leaves_previous_where_it_came_from(either: Any) -> None:
    pend(either)
    move = {"VersionStage": "AWSCURRENT", "MoveToVersionId": SECOND, "RemoveFromVersionId": FIRST}
    either.update_secret_version_stage(SecretId=NAME, **move)
    assert stages(either)[FIRST] == {"AWSPREVIOUS"}
    assert "AWSCURRENT" in stages(either)[SECOND]


def test_current_is_moved_only_from_where_it_is(either: Any) -> None:
    pend(either)
    refused = code(either.update_secret_version_stage, VersionStage="AWSCURRENT", MoveToVersionId=SECOND)
    assert refused == "InvalidParameterException"


def test_a_version_without_a_value_and_one_that_is_not_there_are_both_not_found(either: Any) -> None:
    assert code(either.get_secret_value, VersionStage="AWSPENDING") == "ResourceNotFoundException"
    assert code(either.get_secret_value, VersionId=THIRD) == "ResourceNotFoundException"


# --- where moto differs -------------------------------------------------------------------------------------------
def test_other_bytes_for_a_token_in_rotation_are_refused_and_moto_takes_them(documented: Any) -> None:
    pend(documented)
    pend(documented)
    put = {"ClientRequestToken": SECOND, "SecretString": value("other"), "VersionStages": ["AWSPENDING"]}
    assert code(documented.put_secret_value, **put) == "ResourceExistsException"


def test_moto_takes_other_bytes_for_a_token_in_rotation(moto: Any) -> None:
    pend(moto)
    pend(moto, word="other")
    assert moto.get_secret_value(SecretId=NAME, VersionStage="AWSPENDING")["SecretString"] == value("other")


def test_both_labels_on_one_version_do_not_stand_in_the_way_of_a_rotation(documented: Any) -> None:
    rotate = {"RotationLambdaARN": FUNCTION, "RotationRules": {"AutomaticallyAfterDays": 30}}
    documented.rotate_secret(SecretId=NAME, ClientRequestToken=SECOND, **rotate)
    pend(documented)
    move = {"VersionStage": "AWSCURRENT", "MoveToVersionId": SECOND, "RemoveFromVersionId": FIRST}
    documented.update_secret_version_stage(SecretId=NAME, **move)
    assert stages(documented)[SECOND] == {"AWSCURRENT", "AWSPENDING"}
    documented.rotate_secret(SecretId=NAME, ClientRequestToken=THIRD, **rotate)
    assert stages(documented)[THIRD] == {"AWSPENDING"}


def test_moto_refuses_a_rotation_when_both_labels_are_on_one_version(moto: Any) -> None:
    pend(moto)
    move = {"VersionStage": "AWSCURRENT", "MoveToVersionId": SECOND, "RemoveFromVersionId": FIRST}
    moto.update_secret_version_stage(SecretId=NAME, **move)
    assert code(moto.rotate_secret, ClientRequestToken=THIRD) == "InvalidRequestException"


def test_an_unfinished_rotation_is_in_the_way_of_another_but_not_of_itself(documented: Any) -> None:
    rotate = {"RotationLambdaARN": FUNCTION, "RotationRules": {"AutomaticallyAfterDays": 30}}
    documented.rotate_secret(SecretId=NAME, ClientRequestToken=SECOND, **rotate)
    documented.rotate_secret(SecretId=NAME, ClientRequestToken=SECOND, **rotate)
    assert code(documented.rotate_secret, ClientRequestToken=THIRD, **rotate) == "InvalidRequestException"


def test_moto_lets_a_second_rotation_take_the_label_of_an_unfinished_one(moto: Any) -> None:
    pend(moto)
    moto.rotate_secret(SecretId=NAME, ClientRequestToken=THIRD)
    assert SECOND not in stages(moto)


def test_after_the_label_has_moved_the_default_value_is_the_new_one(documented: Any) -> None:
    pend(documented)
    move = {"VersionStage": "AWSCURRENT", "MoveToVersionId": SECOND, "RemoveFromVersionId": FIRST}
    documented.update_secret_version_stage(SecretId=NAME, **move)
    assert documented.get_secret_value(SecretId=NAME)["SecretString"] == value("two")


def test_moto_goes_on_giving_the_old_value_by_default(moto: Any) -> None:
    pend(moto)
    move = {"VersionStage": "AWSCURRENT", "MoveToVersionId": SECOND, "RemoveFromVersionId": FIRST}
    moto.update_secret_version_stage(SecretId=NAME, **move)
    assert moto.get_secret_value(SecretId=NAME)["SecretString"] == value("one")
