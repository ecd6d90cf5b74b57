"""Secrets Manager, read-only: the one place where a plaintext key enters a function's memory."""

import json
import logging
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import SecretStr

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

log = logging.getLogger(__name__)


class SecretMalformed(Exception):
    """A secret is not the JSON object expected, or lacks a field; the message names secret and field, never a value."""


class FieldAbsent(SecretMalformed):
    """The secret is a JSON object without the field."""


class SecretUnavailable(Exception):
    """Secrets Manager did not give the secret: it is not there, not ours to read, or the service failed."""


class Secrets(Protocol):
    """Where secrets are read."""

    def field(self, name: str, field: str, *, fresh: bool = False) -> SecretStr:
        """One string field of the secret's JSON object; `fresh` passes over what is cached.

        Raises `SecretMalformed` (of it `FieldAbsent`) and `SecretUnavailable`.
        """


class SecretsManager:
    """`Secrets` over Powertools' parameters, cached for five minutes so that a replaced secret needs no deploy."""

    MAX_AGE_SECONDS = 300

    def __init__(self, client: "SecretsManagerClient") -> None:
        from aws_lambda_powertools.utilities.parameters import GetParameterError, SecretsProvider

        self._provider = SecretsProvider(boto3_client=client)
        self._failed = GetParameterError

    def field(self, name: str, field: str, *, fresh: bool = False) -> SecretStr:
        try:
            text: Any = self._provider.get(name, max_age=self.MAX_AGE_SECONDS, force_fetch=fresh)
        except self._failed as error:
            raise SecretUnavailable(f"secret {name}: {error}") from error
        return secret_field(name, text, field)


def secret_field(name: str, text: str, field: str) -> SecretStr:
    """The string `field` of the JSON object `text`, redacted in every repr. Raises `SecretMalformed`, `FieldAbsent`."""
    try:
        held = json.loads(text)
        value = held[field]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        # `from None`: json's error carries the document, which is the secret.
        kind = FieldAbsent if isinstance(error, KeyError) else SecretMalformed
        raise kind(f"secret {name}: expected a JSON object with the field {field!r}") from None
    if not isinstance(value, str) or not value:
        raise SecretMalformed(f"secret {name}: field {field!r} must be a non-empty string")
    if field == "bot_token" and "signing_secret" in held:
        # Not an error: alerts go on while somebody mends it.
        log.warning(
            "secret %s still holds signing_secret: every function that posts to Slack can read it there and sign "
            "clicks; remove it from there, and regenerate it in the Slack app",
            name,
        )
    return SecretStr(value)
