"""Secrets Manager's labels and rotations as AWS documents them, over moto's store of secrets.

moto deviates; `tests/contract/secrets_manager` has the list, each with both behaviours. The seams are four methods of
`moto.secretsmanager.models.SecretsManagerBackend`. What AWS documents: the API reference of PutSecretValue,
GetSecretValue, UpdateSecretVersionStage and RotateSecret, and "Rotation function" in the user guide.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from moto.secretsmanager.exceptions import (
    InvalidParameterException,
    InvalidRequestException,
    ResourceExistsException,
    ResourceNotFoundException,
)
from moto.secretsmanager.models import FakeSecret, ReplicaSecret, SecretsManagerBackend

Rotate = Callable[[str, str, str], None]
"""Called with a secret's ARN, the token and the function's ARN when a rotation is to begin."""


@contextmanager
def as_documented(rotate: Rotate = lambda _secret, _token, _function: None) -> Iterator[None]:
    """moto's Secrets Manager behaves as AWS documents, in this process; `rotate` is asked to run the four steps."""

    def rotate_secret(
        backend: SecretsManagerBackend,
        secret_id: str,
        client_request_token: str | None = None,
        rotation_lambda_arn: str | None = None,
        rotation_rules: dict[str, Any] | None = None,
        rotate_immediately: bool = True,
    ) -> str:
        secret = _present(backend, secret_id)
        token = backend._from_client_request_token(client_request_token)
        begin_rotation(secret, token, rotation_lambda_arn, rotation_rules or {})
        if rotate_immediately:
            rotate(secret.arn, token, secret.rotation_lambda_arn)
        return str(secret.to_short_dict(version_id=token))

    with (
        patch.object(SecretsManagerBackend, "put_secret_value", _put_secret_value),
        patch.object(SecretsManagerBackend, "get_secret_value", _get_secret_value),
        patch.object(SecretsManagerBackend, "update_secret_version_stage", _update_secret_version_stage),
        patch.object(SecretsManagerBackend, "rotate_secret", rotate_secret),
    ):
        yield


def begin_rotation(secret: FakeSecret, token: str, function: str | None, rules: dict[str, Any]) -> None:
    """A version without a value bears AWSPENDING from now on. The same token again is the same rotation."""
    function = function or secret.rotation_lambda_arn
    if not function:
        raise InvalidRequestException(
            "You tried to enable rotation on a secret that doesn't already have a Lambda function ARN configured "
            "and you didn't include such an ARN as a parameter in this call."
        )
    days = rules.get("AutomaticallyAfterDays")
    if days is not None and not 1 <= days <= 1000:
        raise InvalidParameterException("RotationRules.AutomaticallyAfterDays must be within 1-1000.")
    pending, current = holder(secret, "AWSPENDING"), holder(secret, "AWSCURRENT")
    if pending not in (None, current, token):
        raise InvalidRequestException("A previous rotation isn't complete. That rotation will be reattempted.")
    secret.rotation_requested = secret.rotation_enabled = True
    secret.rotation_lambda_arn = function
    secret.last_changed_date = int(time.time())
    secret.auto_rotate_after_days = days or secret.auto_rotate_after_days
    if secret.auto_rotate_after_days:
        secret.next_rotation_date = int(time.time()) + secret.auto_rotate_after_days * 86400
    if token not in secret.versions:
        secret.versions[token] = {"createdate": int(time.time()), "version_id": token, "version_stages": []}
    if token != current:
        _label(secret, "AWSPENDING", token)


def holder(secret: FakeSecret, stage: str) -> str | None:
    """The id of the version that bears the label."""
    return next((id for id, version in secret.versions.items() if stage in version["version_stages"]), None)


def _present(backend: SecretsManagerBackend, secret_id: str) -> FakeSecret:
    secret = backend.secrets.get(secret_id)
    if not isinstance(secret, FakeSecret):
        raise ResourceNotFoundException("Secrets Manager can't find the specified secret.")
    if secret.is_deleted():
        raise InvalidRequestException("You tried to perform the operation on a secret that's currently marked deleted.")
    return secret


def _label(secret: FakeSecret, stage: str, version_id: str) -> None:
    """Moves a label; where AWSCURRENT came from is AWSPREVIOUS."""
    before = holder(secret, stage)
    if before == version_id:
        return
    if before:
        secret.versions[before]["version_stages"].remove(stage)
    secret.versions[version_id]["version_stages"].append(stage)
    if stage == "AWSCURRENT":
        secret.set_default_version_id(version_id)
        if before:
            _label(secret, "AWSPREVIOUS", before)
        if "AWSPREVIOUS" in secret.versions[version_id]["version_stages"]:
            secret.versions[version_id]["version_stages"].remove("AWSPREVIOUS")


def _put_secret_value(
    backend: SecretsManagerBackend,
    secret_id: str,
    secret_string: str | None,
    secret_binary: str | None,
    client_request_token: str | None,
    version_stages: list[str] | None,
) -> str:
    secret = _present(backend, secret_id)
    token = backend._from_client_request_token(client_request_token)
    given = {
        name: value for name, value in (("secret_string", secret_string), ("secret_binary", secret_binary)) if value
    }
    version = secret.versions.get(token, {})
    held = {name: version[name] for name in ("secret_string", "secret_binary") if name in version}
    if held and held != given:
        raise ResourceExistsException(
            f"You can't use ClientRequestToken {token} because that value is already in use for a version of secret "
            f"{secret.arn}."
        )
    if not held:
        new = {"createdate": int(time.time()), "version_id": token, "version_stages": []}
        secret.versions[token] = {**new, **version, **given}
        secret.last_changed_date = int(time.time())
        stages = set(version_stages or ["AWSCURRENT"])
        for stage in sorted(stages if holder(secret, "AWSCURRENT") else stages | {"AWSCURRENT"}):
            _label(secret, stage, token)
    return str(secret.to_short_dict(include_version_stages=True, version_id=token))


def _get_secret_value(
    backend: SecretsManagerBackend, secret_id: str, version_id: str | None, version_stage: str | None
) -> dict[str, Any]:
    secret = backend.secrets.get(secret_id)
    if secret is None:
        raise ResourceNotFoundException("Secrets Manager can't find the specified secret.")
    if isinstance(secret, ReplicaSecret):
        secret = secret.source
    if secret.is_deleted():
        raise InvalidRequestException("You can't perform this operation on the secret because it was marked deleted.")
    stage = version_stage or (None if version_id else "AWSCURRENT")
    versions = [
        version
        for id, version in secret.versions.items()
        if version_id in (None, id) and (stage is None or stage in version["version_stages"])
    ]
    value = next((one for one in versions if "secret_string" in one or "secret_binary" in one), None)
    if value is None:
        what = f"VersionId: {version_id}" if version_id else f"staging label: {stage}"
        raise ResourceNotFoundException(f"Secrets Manager can't find the specified secret value for {what}")
    answer = {
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": value["version_id"],
        "VersionStages": value["version_stages"],
        "CreatedDate": value["createdate"],
    }
    names = (("SecretString", "secret_string"), ("SecretBinary", "secret_binary"))
    return answer | {name: value[held] for name, held in names if held in value}


def _update_secret_version_stage(
    backend: SecretsManagerBackend,
    secret_id: str,
    version_stage: str,
    remove_from_version_id: str | None,
    move_to_version_id: str | None,
) -> tuple[str, str]:
    secret = _present(backend, secret_id)
    for id in (remove_from_version_id, move_to_version_id):
        if id and id not in secret.versions:
            raise ResourceNotFoundException(f"Secrets Manager can't find the specified secret version: {id}")
    held_by = holder(secret, version_stage)
    if remove_from_version_id != held_by and not (remove_from_version_id is None and held_by is None):
        if held_by == move_to_version_id and remove_from_version_id is None:
            return secret.arn, secret.name
        raise InvalidParameterException(
            f"The parameter RemoveFromVersionId must name the version that staging label {version_stage} is attached "
            f"to now: {held_by}."
        )
    if move_to_version_id:
        _label(secret, version_stage, move_to_version_id)
    elif version_stage == "AWSCURRENT":
        raise InvalidParameterException("You can't remove the staging label AWSCURRENT, only move it.")
    elif remove_from_version_id:
        secret.versions[remove_from_version_id]["version_stages"].remove(version_stage)
    return secret.arn, secret.name
