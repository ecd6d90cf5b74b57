"""Whether Slack signed a request: slack_sdk's verifier, over the signing secret in Secrets Manager.

The secret is read at the first request that could be genuine, again after five minutes, and again when a signature does
not fit, since it may have been replaced; that last at most once a minute, whatever is sent. No pydantic here, and no
Powertools: the gateway's cold start is part of Slack's three seconds.
"""

import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from slack_sdk.signature import SignatureVerifier


log = logging.getLogger(__name__)


class SigningSecretUnavailable(Exception):
    """The signing secret could not be read, or is not there; the message names secret and field, never a value."""


class SlackSignature:
    """Verifies requests. `clock`: epoch seconds. Safe for one thread, as a function's container is."""

    MAX_AGE_SECONDS = 300
    REREAD_SECONDS = 60
    PAUSE_SECONDS = 1
    FIELD = "signing_secret"

    def __init__(self, client: "SecretsManagerClient", secret: str, clock: Callable[[], float]) -> None:
        self._client, self._secret, self._clock = client, secret, clock
        self._verifier: SignatureVerifier | None = None
        self._read_at = self._tried_at = float("-inf")

    def is_valid(self, body: bytes, timestamp: str, signature: str) -> bool:
        """Whether Slack signed these bytes within five minutes of now; compared in constant time.

        `timestamp` must be digits and `body` UTF-8. Raises `SigningSecretUnavailable`.
        """
        if self._verifier is None:
            self._read()
        elif self._clock() - self._read_at >= self.MAX_AGE_SECONDS:
            self._refresh()
        assert self._verifier is not None
        if self._verifier.is_valid(body, timestamp, signature):
            return True
        if self._clock() - self._tried_at < self.REREAD_SECONDS:
            return False
        self._refresh()
        if self._verifier.is_valid(body, timestamp, signature):
            return True
        # As often as the secret is read, not as often as somebody forges.
        log.warning("a request does not fit the signing secret: forged, or the secret is another app's")
        return False

    def _refresh(self) -> None:
        """Reads it again; the one held goes on being used while it cannot be read."""
        try:
            self._read()
        except SigningSecretUnavailable as error:
            log.warning("%s; the one that is held is used", error)

    def _read(self) -> None:
        from slack_sdk.signature import SignatureVerifier

        now = self._clock()
        if now - self._tried_at < self.PAUSE_SECONDS:
            raise SigningSecretUnavailable(f"secret {self._secret} could not be read a moment ago")
        self._tried_at = now
        try:
            text = self._client.get_secret_value(SecretId=self._secret)["SecretString"]
        except (BotoCoreError, ClientError, KeyError) as error:
            raise SigningSecretUnavailable(f"secret {self._secret}: {type(error).__name__}: {error}") from error
        wanted = f'store {{"{self.FIELD}": "..."}} in it, and nothing else'
        try:
            held = json.loads(text)
            value = held[self.FIELD]
            if not isinstance(value, str):
                raise TypeError
            verifier = SignatureVerifier(value)
        except (ValueError, KeyError, TypeError, RecursionError):
            # `from None`: the error carries the document, which is the secret.
            raise SigningSecretUnavailable(f"secret {self._secret} has the wrong shape: {wanted}") from None
        if "bot_token" in held:
            # Whoever reads the token here could sign a click, and three functions read the token.
            raise SigningSecretUnavailable(
                f"secret {self._secret} holds the bot token too, which belongs into another secret: {wanted}"
            )
        self._verifier = verifier
        self._read_at = now
