"""`AwsSecretCopies` over SSM and Secrets Manager, in moto as AWS documents it."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws
from pydantic import SecretStr

from governor.secrets import SecretUnavailable
from governor.secrets.copies import AwsSecretCopies
from governor.secrets.versions import WorkloadSecret
from sandbox.engine.secrets_manager import as_documented

SECRET, PARAMETER, REGION = "openrouter/prod/agent", "/openrouter/prod/agent", "eu-west-1"
VALUE = WorkloadSecret(SecretStr("fake-plaintext"), hash="a" * 64, name="prod-agent#1")


@pytest.fixture
def copies() -> Iterator[AwsSecretCopies]:
    with mock_aws(), as_documented():
        secrets = boto3.client("secretsmanager", "us-east-1")
        secrets.create_secret(Name=SECRET, SecretString=VALUE.text())
        yield AwsSecretCopies(
            boto3.client("ssm", "us-east-1"), secrets, lambda region: boto3.client("secretsmanager", region)
        )


def test_a_parameter_is_a_secure_string_that_holds_the_whole_secret(copies: AwsSecretCopies) -> None:
    assert copies.parameter(PARAMETER) is None
    copies.put_parameter(PARAMETER, VALUE)
    copies.put_parameter(PARAMETER, VALUE)
    assert copies.parameter(PARAMETER) == VALUE
    ssm = boto3.client("ssm", "us-east-1")
    assert ssm.get_parameter(Name=PARAMETER)["Parameter"]["Type"] == "SecureString"
    assert "fake-plaintext" not in repr(copies.parameter(PARAMETER))


@pytest.mark.parametrize(("kind", "text"), [("String", VALUE.text()), ("SecureString", "not json")])
def test_a_parameter_that_holds_something_else_is_none(copies: AwsSecretCopies, kind: str, text: str) -> None:
    ssm = boto3.client("ssm", "us-east-1")
    ssm.put_parameter(Name=PARAMETER, Value=text, Type=kind)  # type: ignore[arg-type]  # the stubs want a Literal
    assert copies.parameter(PARAMETER) is None


def test_a_replica_follows_its_secret(copies: AwsSecretCopies) -> None:
    secrets = boto3.client("secretsmanager", "us-east-1")
    assert copies.current_in(SECRET, REGION) is None
    copies.replicate(SECRET, REGION)
    version = secrets.put_secret_value(SecretId=SECRET, SecretString="{}")["VersionId"]
    assert copies.current_in(SECRET, REGION) == version
    assert boto3.client("secretsmanager", REGION).get_secret_value(SecretId=SECRET)["SecretString"] == "{}"


def test_a_refusal_names_the_copy_and_no_value(copies: AwsSecretCopies) -> None:
    with pytest.raises(SecretUnavailable, match=f"replica of {SECRET} in") as caught:
        copies.replicate(SECRET, "us-east-1")
    assert "fake-plaintext" not in str(caught.value)
