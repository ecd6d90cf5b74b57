"""What is let in, before anything is parsed: pure, and cheap to refuse.

In this order, the first that applies decides:
1. 413  the body is longer than any delivery without content
2. 404, 405, 415   not a POST or PUT of JSON to one of the two paths, or packed otherwise than by gzip
3. 401  no token in the header, or for a notification in the path
What passes may be genuine, and only then is the token compared. Then, of a genuine delivery:
4. 400  no base64, no gzip, or no JSON
5. 413  it inflates to more than `MAX_INFLATED`
`Refused` is the only thing raised.

`/` takes Broadcast. `/notifications/<token>` takes OpenRouter's own Notifications (a private preview): its guide lets
people give an `https://` address and nothing else, no header and no signature, so the token is in the address. Of its
body no source states the shape; any content type is taken.

Source: OpenRouter's guides to Notifications and to the webhook destination (POST or PUT, JSON, static headers) and the
Lambda Developer Guide, "Request and response payloads" of function URLs (format 2.0: header names in lower case).
"""

import base64
import binascii
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from governor.broadcast.destination import HEADER

TEST = "x-test-connection"
MAX_BODY = 700_000
"""Characters as Lambda hands them over. A delivery in privacy mode has 5,000 to 50,000."""
MAX_INFLATED = 2_000_000
"""Bytes. A packed body may claim a thousand times its size."""
MAX_TOKEN = 1_000
NOTIFICATIONS_PATH = "/notifications/"


class Refused(Exception):
    """The request is not taken. `status`: what is answered."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True)
class Delivery:
    """A request that claims to be OpenRouter's. Its body is not looked into until the token fits."""

    token: str = field(repr=False)
    body: str = field(repr=False)
    is_base64: bool = False
    is_packed: bool = False
    is_test: bool = False
    is_notification: bool = False


def admit(event: Mapping[str, Any]) -> Delivery:
    """The delivery in a function URL's event, if it may be genuine. Raises `Refused`."""
    body = event.get("body") or ""
    if not isinstance(body, str) or len(body) > MAX_BODY:
        raise Refused(413, "the body is too large")
    given = event.get("headers")
    headers = {str(name).lower(): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
    path = str(event.get("rawPath", "/"))
    is_notification = path.startswith(NOTIFICATIONS_PATH)
    if path != "/" and not is_notification:
        raise Refused(404, "there are two paths")
    if _method(event) not in ("POST", "PUT"):
        raise Refused(405, "only POST and PUT are taken")
    if not is_notification and headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "only JSON is taken")
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise Refused(415, "only gzip is unpacked")
    token = path.removeprefix(NOTIFICATIONS_PATH) if is_notification else headers.get(HEADER, "")
    if not 0 < len(token) <= MAX_TOKEN:
        raise Refused(401, "no token")
    is_test = headers.get(TEST, "").lower() == "true"
    return Delivery(token, body, event.get("isBase64Encoded") is True, encoding == "gzip", is_test, is_notification)


def unpacked(delivery: Delivery) -> bytes:
    """The body of a genuine delivery. Raises `Refused`."""
    try:
        raw = base64.b64decode(delivery.body, validate=True) if delivery.is_base64 else delivery.body.encode()
    except (binascii.Error, UnicodeError, ValueError):
        raise Refused(400, "the body is not base64") from None
    if delivery.is_packed:
        return _inflated(raw)
    if len(raw) > MAX_INFLATED:
        raise Refused(413, "the body is too large")
    return raw


def _inflated(raw: bytes) -> bytes:
    """At most `MAX_INFLATED` bytes are ever made of a packed body."""
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        body = inflater.decompress(raw, MAX_INFLATED + 1)
    except zlib.error:
        raise Refused(400, "the body is not gzip") from None
    if len(body) > MAX_INFLATED:
        raise Refused(413, "the body inflates to too much")
    if not inflater.eof or inflater.unused_data:
        raise Refused(400, "the packed body is cut short, or has more behind it")
    return body


def _method(event: Mapping[str, Any]) -> str:
    context = event.get("requestContext")
    http = context.get("http") if isinstance(context, dict) else None
    return str(http.get("method")) if isinstance(http, dict) else ""
