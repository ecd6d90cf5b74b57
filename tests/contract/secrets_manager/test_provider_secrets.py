"""`SecretsManagerTexts` over Secrets Manager, in moto as AWS documents it."""

from collections.abc import Iterator
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from governor.secrets import SecretUnavailable
from governor.secrets.provider_secrets import SecretsManagerTexts
from governor.secrets.versions import SecretMissing
from sandbox.engine.secrets_manager import as_documented

SECRET = "providers/anthropic"


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws(), as_documented():
        yield boto3.client("secretsmanager", "us-east-1")


def test_each_version_is_read_whole_and_the_one_before_stays_readable(client: Any) -> None:
    texts = SecretsManagerTexts(client)
    first = client.create_secret(Name=SECRET, SecretString='{"not": "parsed"}')["VersionId"]
    second = client.put_secret_value(SecretId=SECRET, SecretString="fake-second")["VersionId"]
    assert texts.current(SECRET) == second
    held = [texts.text(SECRET, version) for version in (first, second)]
    assert [one.get_secret_value() for one in held if one] == ['{"not": "parsed"}', "fake-second"]
    assert "fake-second" not in repr(held)


def test_a_version_that_is_gone_or_binary_is_none(client: Any) -> None:
    texts = SecretsManagerTexts(client)
    version = client.create_secret(Name=SECRET, SecretBinary=b"\x00")["VersionId"]
    assert texts.text(SECRET, version) is None
    assert texts.text(SECRET, "00000000-0000-4000-8000-000000000009") is None


def test_no_secret_an_empty_one_and_a_deleted_one_are_missing_by_name(client: Any) -> None:
    texts = SecretsManagerTexts(client)
    with pytest.raises(SecretMissing, match=SECRET):
        texts.current(SECRET)
    client.create_secret(Name=SECRET)
    with pytest.raises(SecretMissing, match=SECRET):
        texts.current(SECRET)
    client.put_secret_value(SecretId=SECRET, SecretString="fake")
    client.delete_secret(SecretId=SECRET)
    with pytest.raises(SecretMissing, match=SECRET):
        texts.current(SECRET)


def test_a_refusal_of_aws_is_not_missing() -> None:
    class Refusing:
        def describe_secret(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeSecret")

    with pytest.raises(SecretUnavailable, match="AccessDenied"):
        SecretsManagerTexts(cast(Any, Refusing())).current(SECRET)
