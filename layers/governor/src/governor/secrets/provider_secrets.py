"""Secrets that hold a provider's raw key: plain text or JSON, as the provider wants it, kept whole."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import SecretStr

from governor.secrets import SecretUnavailable
from governor.secrets.versions import SecretMissing

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class SecretsManagerTexts:
    """Versions of a secret and their texts. Raises `SecretMissing` and `SecretUnavailable`; no error holds a value."""

    def __init__(self, client: "SecretsManagerClient") -> None:
        self._client = client

    def current(self, secret: str) -> str:
        """The id of the version that is AWSCURRENT."""
        answer = self._asked(secret, lambda: self._client.describe_secret(SecretId=secret))
        stages = answer.get("VersionIdsToStages", {}) if answer and not answer.get("DeletedDate") else {}
        version = next((id for id, held in stages.items() if "AWSCURRENT" in held), None)
        if version is None:
            raise SecretMissing(f"there is no secret {secret}, or it holds nothing: create it, or fix the policy")
        return str(version)

    def text(self, secret: str, version: str) -> SecretStr | None:
        """The whole text of a version; None when Secrets Manager keeps it no more."""
        answer = self._asked(secret, lambda: self._client.get_secret_value(SecretId=secret, VersionId=version))
        return SecretStr(answer["SecretString"]) if answer and "SecretString" in answer else None

    @staticmethod
    def _asked(secret: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
                return None
            raise SecretUnavailable(f"secret {secret}: {error}") from error
        except BotoCoreError as error:
            raise SecretUnavailable(f"secret {secret}: {error}") from error
