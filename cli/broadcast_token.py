"""The token that OpenRouter's Broadcast sends, in its secret: made, read, and replaced without one that is refused.

The gateway takes `token` and `former` (`governor.broadcast.header_token`). A replacement has these steps; whatever
dies, the command run again goes on where the secret says it is, and no token that a destination may send is ever
dropped first:

| step | dies before | dies after | twice, late, beside itself |
|---|---|---|---|
| both tokens stored | nothing has changed | both are taken; run again goes on | the one that is second is refused |
| each destination sends the new one | it sends the former, which is taken | the others are changed | the same header |
| the former dropped | both are taken for longer | done | done |

Between them the command waits until every container of the gateway has read the secret again. Each change of the secret
is made on the condition that nobody changed it meanwhile: the value is stored beside the current one first, and then
the stage AWSCURRENT is moved from the version that was read. Secrets Manager refuses that where the stage is elsewhere
by then (API reference, UpdateSecretVersionStage, RemoveFromVersionId).
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from pydantic import SecretStr

from cli.output import Failure
from governor.broadcast.header_token import BROADCAST, NOTIFICATIONS, HeaderToken

FORMER = "former"
BESIDE = "GOVERNORNEXT"
"""The stage of a value that is not current yet."""
WAIT = HeaderToken.MAX_AGE_SECONDS + 15
"""Seconds until every container has read the secret again, with something for clocks that differ."""


@dataclass
class TokenSecret:
    """The secret `name`. `client`: boto3's of Secrets Manager. No error that it raises holds a value."""

    client: Any
    name: str
    _version: str = ""

    def read(self) -> dict[str, Any] | None:
        """Its fields; None where there is no such secret, or no value in it. Raises `Failure` for another shape."""
        try:
            found = self.client.get_secret_value(SecretId=self.name, VersionStage="AWSCURRENT")
            self._version, text = found["VersionId"], found["SecretString"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise
        try:
            found = json.loads(text)
            shortest = HeaderToken.SHORTEST
            if not (isinstance(found[BROADCAST], str) and len(found[BROADCAST]) >= shortest):
                raise ValueError
        except (ValueError, KeyError, TypeError):
            # `from None`: the error carries the document, which is the secret.
            raise Failure(
                f"The secret {self.name} holds no token",
                fix=f'Store {{"token": "..."}} in it, {HeaderToken.SHORTEST} characters or more drawn at random.',
            ) from None
        return dict(found)

    def token(self) -> SecretStr:
        """What the destinations must send. A secret that is not there yet is made."""
        held = self.read()
        if held is None:
            held = {BROADCAST: drawn()}
            self._create(held)
        return SecretStr(held[BROADCAST])

    def begin(self) -> bool:
        """Both tokens are in the secret. False: they were already, and an earlier run is gone on with."""
        held = self.read()
        if held is None:
            raise Failure(f"There is no secret {self.name}", fix="Run `governor broadcast setup`, which makes it.")
        if held.get(FORMER):
            return False
        self._put({**held, BROADCAST: drawn(), FORMER: held[BROADCAST]})
        return True

    def finish(self) -> None:
        """Drops the former token."""
        held = self.read() or {}
        if held.pop(FORMER, None):
            self._put(held)

    def seconds_to_wait(self, now: datetime) -> float:
        """Until every container of the gateway has read what is in the secret."""
        changed = self.client.describe_secret(SecretId=self.name).get("LastChangedDate")
        # A clock that is behind must not make anybody wait for longer than that.
        return min(WAIT, max(0.0, WAIT - (now - changed).total_seconds())) if changed else float(WAIT)

    def for_notifications(self) -> SecretStr:
        """The token in the address that OpenRouter's own Notifications are sent to; made where there is none."""
        held = self.read() or {}
        if not held.get(NOTIFICATIONS):
            held[NOTIFICATIONS] = drawn()
            self._put(held)
        return SecretStr(held[NOTIFICATIONS])

    def _create(self, held: Mapping[str, Any]) -> None:
        try:
            self.client.create_secret(Name=self.name, SecretString=json.dumps(held))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceExistsException":
                raise
            raise Failure(
                f"The secret {self.name} is there and holds no value, or somebody else has made it at this moment",
                fix=f'Run the command again; if it says so still, store {{"token": "..."}} in {self.name}.',
            ) from None

    def _put(self, held: Mapping[str, Any]) -> None:
        """Replaces the value that was read last. Raises `Failure` where somebody else did so meanwhile."""
        made = self.client.put_secret_value(SecretId=self.name, SecretString=json.dumps(held), VersionStages=[BESIDE])
        try:
            self.client.update_secret_version_stage(
                SecretId=self.name,
                VersionStage="AWSCURRENT",
                MoveToVersionId=made["VersionId"],
                RemoveFromVersionId=self._version,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidParameterException":
                raise
            raise Failure(
                f"Somebody else changed the secret {self.name} at this moment; nothing was changed here",
                fix="Look who is at it, and run the command again.",
            ) from None
        self._version = made["VersionId"]


def drawn() -> str:
    """A token that cannot be guessed, of characters that stand in a header and in an address as they are."""
    return secrets.token_urlsafe(48)
