"""Requests as a function URL hands them over, signed as Slack signs."""

import base64
from typing import Any
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier

SECRET = "fake-signing-secret"
NOW = 1_773_197_040.0
COMMAND = urlencode(
    {
        "team_id": "T0SANDBOX",
        "channel_id": "C0GOVERNOR",
        "user_id": "U0LEAD",
        "command": "/governor",
        "text": "status",
        "response_url": "https://hooks.slack.com/commands/1",
    }
)


def request(body: str = COMMAND, *, at: float = NOW, secret: str = SECRET, is_base64: bool = False) -> dict[str, Any]:
    """A POST that Slack signed at `at` (epoch seconds)."""
    timestamp = str(int(at))
    return {
        "rawPath": "/",
        "headers": {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": timestamp,
            "x-slack-signature": SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body),
        },
        "requestContext": {"http": {"method": "POST", "path": "/"}},
        "body": base64.b64encode(body.encode()).decode() if is_base64 else body,
        "isBase64Encoded": is_base64,
    }


class Signature:
    """Slack's signature over a known secret; `asked` counts how often it was looked at."""

    def __init__(self, secret: str = SECRET) -> None:
        self._verifier = SignatureVerifier(secret)
        self.asked = 0

    def is_valid(self, body: bytes, timestamp: str, signature: str) -> bool:
        self.asked += 1
        return bool(self._verifier.generate_signature(timestamp=timestamp, body=body) == signature)


class Queue:
    """Where bodies end; `broken` takes none."""

    def __init__(self, broken: bool = False) -> None:
        self.bodies: list[str] = []
        self._broken = broken

    def send(self, bodies: Any) -> None:
        if self._broken:
            raise RuntimeError("the queue does not answer")
        self.bodies += bodies
