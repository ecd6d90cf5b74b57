"""Whether a request bears the token that was configured in a header: a secret in Secrets Manager, compared in constant
time. For a sender that signs nothing, such as OpenRouter's Broadcast.

The secret is `{"token": "..."}`, and while it is rotated `{"token": "...", "former": "..."}`: both are taken, so that a
new token can be stored before the sender is told of it. Beside it may stand a token for another purpose, such as
`notifications`, which opens nothing else; where it is missing, nothing fits that purpose. The secret is read at the
first request, again after five minutes, and again when a token does not fit, since it may have been replaced; that last
at most once a minute, whatever is sent.
"""

import hmac
import json
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

log = logging.getLogger(__name__)
BROADCAST = "token"
NOTIFICATIONS = "notifications"
"""Fields of the secret, by what their token is for."""


class TokenUnavailable(Exception):
    """The secret could not be read, or has the wrong shape; the message names secret and field, never a value."""


class HeaderToken:
    """Compares tokens. `clock`: epoch seconds. Safe for one thread, as a function's container is."""

    MAX_AGE_SECONDS = 300
    REREAD_SECONDS = 60
    PAUSE_SECONDS = 1
    SHORTEST = 32
    """Characters: 32 drawn at random cannot be guessed."""

    def __init__(self, client: "SecretsManagerClient", secret: str, clock: Callable[[], float]) -> None:
        self._client, self._secret, self._clock = client, secret, clock
        self._tokens: Mapping[str, tuple[bytes, ...]] = {}
        self._read_at = self._tried_at = float("-inf")

    def fits(self, token: str, purpose: str = BROADCAST) -> bool:
        """Whether it is the token for this purpose, or the former one. Raises `TokenUnavailable`."""
        if not self._tokens:
            self._read()
        elif self._clock() - self._read_at >= self.MAX_AGE_SECONDS:
            self._refresh()
        if self._compared(token, purpose):
            return True
        if self._clock() - self._tried_at < self.REREAD_SECONDS:
            return False
        self._refresh()
        return self._compared(token, purpose)

    def _compared(self, token: str, purpose: str) -> bool:
        given = token.encode("utf-8", "surrogatepass")
        # Each is compared, whichever fits: the time tells nobody which of them it was.
        compared = [hmac.compare_digest(given, one) for one in self._tokens.get(purpose, ())]
        return any(compared)

    def _refresh(self) -> None:
        """Reads it again; what is held goes on being used while it cannot be read."""
        try:
            self._read()
        except TokenUnavailable as error:
            log.warning("%s; the token that is held is used", error)

    def _read(self) -> None:
        now = self._clock()
        if now - self._tried_at < self.PAUSE_SECONDS:
            raise TokenUnavailable(f"secret {self._secret} could not be read a moment ago")
        self._tried_at = now
        try:
            text = self._client.get_secret_value(SecretId=self._secret, VersionStage="AWSCURRENT")["SecretString"]
        except (BotoCoreError, ClientError, KeyError) as error:
            raise TokenUnavailable(f"secret {self._secret}: {type(error).__name__}: {error}") from error
        try:
            held = json.loads(text)
            tokens = {
                BROADCAST: [held[BROADCAST], *([held["former"]] if held.get("former") else [])],
                NOTIFICATIONS: [held[NOTIFICATIONS]] if held.get(NOTIFICATIONS) else [],
            }
            if not all(isinstance(one, str) and len(one) >= self.SHORTEST for some in tokens.values() for one in some):
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            # `from None`: the error carries the document, which is the secret.
            raise TokenUnavailable(
                f'secret {self._secret} has the wrong shape: store {{"token": "..."}} in it, {self.SHORTEST} '
                "characters or more drawn at random, and while it is rotated the one before as `former`"
            ) from None
        self._tokens = {purpose: tuple(one.encode() for one in some) for purpose, some in tokens.items()}
        self._read_at = now
