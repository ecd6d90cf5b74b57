"""How an event is signed, and which answer means that it was taken. Pure.

Source: the Standard Webhooks specification 1.0.0 (https://www.standardwebhooks.com), "Signature scheme", "Webhook
headers" and "Delivery success and failure". Its own library signs; that is lenient about secrets, and this is not.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr
from standardwebhooks import Webhook

PREFIX = "whsec_"
KEY_BYTES = range(24, 65)
"""Of a secret, after base64: 192 to 512 bits."""
_MENDS = {
    401: "it does not know the signature: compare its secret with the field `secret`, and its clock",
    403: "it does not know the signature: compare its secret with the field `secret`, and its clock",
    410: "it wants no more: deploy without WebhookSecretName and WebhookUrl, or with another address",
    413: "it takes no body of this size",
    429: "it is asked too often",
}


class SecretUnusable(Exception):
    """A signing secret is not one of the specification's; the message names the field, never a value."""


@dataclass(frozen=True)
class Verdict:
    """What the receiver's answer means. `taken`: nothing is left to do."""

    taken: bool
    reason: str


def usable(secret: SecretStr, field: str) -> SecretStr:
    """`secret`, if the specification allows it. Raises `SecretUnusable`."""
    text = secret.get_secret_value()
    try:
        size = len(base64.b64decode(text.removeprefix(PREFIX), validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if not text.startswith(PREFIX) or size not in KEY_BYTES:
        # From None: the decoder's error may quote what it read.
        raise SecretUnusable(
            f"field {field!r}: expected {PREFIX} and the base64 of {KEY_BYTES.start} to {KEY_BYTES.stop - 1} bytes, as "
            f'`echo "{PREFIX}$(openssl rand -base64 32)"` makes it'
        ) from None
    return secret


def headers(id: str, body: str, secrets: Sequence[SecretStr], now: datetime) -> dict[str, str]:
    """The specification's three headers. `now`: of this attempt, not of the event. One signature for each secret."""
    signatures = [Webhook(secret.get_secret_value()).sign(id, now, body) for secret in secrets]
    return {
        "webhook-id": id,
        "webhook-timestamp": f"{int(now.timestamp())}",
        "webhook-signature": " ".join(signatures),
    }


def verdict(status: int) -> Verdict:
    """2xx is taken. A redirect is not followed: the address in the template is the one that was reviewed."""
    if status in range(200, 300):
        return Verdict(True, f"answered {status}")
    fix = "it points elsewhere: deploy with that address" if status in range(300, 400) else _MENDS.get(status, "")
    return Verdict(False, f"answered {status}" + (f"; {fix}" if fix else ""))
