"""`SecretVersions` over Secrets Manager. Translates every refusal once; no error's text holds a value."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from governor.secrets import SecretUnavailable
from governor.secrets.versions import (
    RotationUnfinished,
    SecretMissing,
    SecretState,
    Stage,
    VersionTaken,
    WorkloadSecret,
)

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

WORKLOAD_TAG = "governor:workload"


class SecretsManagerVersions:
    """Keeps nothing; safe to share by threads."""

    def __init__(self, client: "SecretsManagerClient") -> None:
        self._client = client

    def describe(self, secret: str) -> SecretState:
        answer = self._asked(secret, lambda: self._client.describe_secret(SecretId=secret))
        if answer.get("DeletedDate"):
            raise SecretMissing(f"secret {secret} is scheduled for deletion; restore it, or name another in the policy")
        return SecretState(
            arn=answer["ARN"],
            name=answer["Name"],
            rotation_enabled=bool(answer.get("RotationEnabled")),
            stages={id: frozenset(stages) for id, stages in answer.get("VersionIdsToStages", {}).items()},
            changed_at=answer.get("LastChangedDate"),
            replicas={one["Region"]: one["Status"] for one in answer.get("ReplicationStatus", [])},
        )

    def value(self, secret: str, version: str | None = None, stage: Stage | None = None) -> WorkloadSecret | None:
        which = {name: given for name, given in (("VersionId", version), ("VersionStage", stage)) if given}
        try:
            answer = self._asked(secret, lambda: self._client.get_secret_value(SecretId=secret, **which))
        except SecretMissing:
            # The same code for no secret and for no such version: only the secret's absence is an error.
            self.describe(secret)
            return None
        return WorkloadSecret.parse(secret, answer.get("SecretString", ""))

    def put_at(self, secret: str) -> datetime:
        at: datetime = self._asked(secret, lambda: self._client.get_secret_value(SecretId=secret))["CreatedDate"]
        return at

    def create(self, secret: str, value: WorkloadSecret) -> None:
        tags = [{"Key": WORKLOAD_TAG, "Value": value.name}] if value.name else []
        try:
            self._client.create_secret(Name=secret, SecretString=value.text(), Tags=tags)  # type: ignore[arg-type]  # the stubs want a TypedDict
        except ClientError as error:
            if _code(error) != "ResourceExistsException":
                raise _unavailable(secret, error) from error
        except BotoCoreError as error:
            raise SecretUnavailable(f"secret {secret}: {error}") from error

    def put_pending(self, secret: str, token: str, value: WorkloadSecret) -> None:
        try:
            self._client.put_secret_value(
                SecretId=secret, ClientRequestToken=token, SecretString=value.text(), VersionStages=["AWSPENDING"]
            )
        except ClientError as error:
            if _code(error) == "ResourceExistsException":
                raise VersionTaken(f"secret {secret}: version {token} holds another value already") from error
            raise _unavailable(secret, error) from error
        except BotoCoreError as error:
            raise SecretUnavailable(f"secret {secret}: {error}") from error

    def move(self, secret: str, stage: Stage, *, to: str | None, off: str | None) -> None:
        versions = {name: id for name, id in (("MoveToVersionId", to), ("RemoveFromVersionId", off)) if id}
        self._asked(
            secret,
            lambda: self._client.update_secret_version_stage(SecretId=secret, VersionStage=stage, **versions),
        )

    def rotate(self, secret: str, token: str, function_arn: str, every_days: int) -> None:
        try:
            self._client.rotate_secret(
                SecretId=secret,
                ClientRequestToken=token,
                RotationLambdaARN=function_arn,
                RotationRules={"AutomaticallyAfterDays": every_days},
                RotateImmediately=True,
            )
        except ClientError as error:
            if _code(error) == "ResourceNotFoundException":
                raise SecretMissing(f"there is no secret {secret}") from error
            # AWS has one code for all that stands in the way of a rotation; what is pending tells them apart.
            if _code(error) == "InvalidRequestException" and self._is_pending(secret, token):
                raise RotationUnfinished(f"secret {secret}: an earlier rotation is unfinished") from error
            raise _unavailable(secret, error) from error
        except BotoCoreError as error:
            raise SecretUnavailable(f"secret {secret}: {error}") from error

    def _is_pending(self, secret: str, token: str) -> bool:
        state = self.describe(secret)
        pending = state.holder("AWSPENDING")
        return pending not in (None, token, state.holder("AWSCURRENT"))

    def _asked(self, secret: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except ClientError as error:
            if _code(error) == "ResourceNotFoundException":
                raise SecretMissing(f"there is no secret {secret}, or no such version of it") from error
            raise _unavailable(secret, error) from error
        except BotoCoreError as error:
            raise SecretUnavailable(f"secret {secret}: {error}") from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _unavailable(secret: str, error: ClientError) -> SecretUnavailable:
    return SecretUnavailable(f"secret {secret}: {error}")
