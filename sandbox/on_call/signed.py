"""A receiver's half of the Standard Webhooks specification 1.0.0, written from its text and nothing of Governor's.

Sources: "Signature scheme", "Webhook headers", "Verifying signatures". The specification names no tolerance; its
libraries take five minutes.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

TOLERANCE_SECONDS = 300


@dataclass
class Signed:
    """`secrets`: those that the receiver knows, as `whsec_...`. `seen`: ids of what it has done."""

    secrets: Sequence[str]
    now: Callable[[], datetime]
    seen: set[str] = field(default_factory=set)

    def wrong(self, headers: Mapping[str, str], text: str) -> Iterator[str]:
        """Why a request is not believed; nothing when it is."""
        id, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not id or "." in id or not at.isdecimal():
            yield "webhook-id or webhook-timestamp is missing or malformed"
            return
        if abs(self.now().timestamp() - int(at)) > TOLERANCE_SECONDS:
            yield f"webhook-timestamp {at} is more than five minutes away"
        given = [one.removeprefix("v1,") for one in headers.get("webhook-signature", "").split(" ")]
        if not any(hmac.compare_digest(one, other) for one in given for other in self._expected(id, at, text)):
            yield "no signature fits"

    def is_new(self, headers: Mapping[str, str]) -> bool:
        """Whether this event was not done before; it is from now on."""
        id = headers["webhook-id"]
        new = id not in self.seen
        self.seen.add(id)
        return new

    def _expected(self, id: str, at: str, text: str) -> Iterator[str]:
        for secret in self.secrets:
            key = base64.b64decode(secret.removeprefix("whsec_"))
            signed = hmac.new(key, f"{id}.{at}.{text}".encode(), hashlib.sha256).digest()
            yield base64.b64encode(signed).decode()
