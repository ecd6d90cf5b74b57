"""What is let in, before anything is read or asked: pure, and cheap to refuse.

In this order, the first that applies decides:
1. 413  the body is longer than any of Slack's
2. 404, 405, 415   not a POST of a form, or of an event in JSON, to the one path
3. 401  no timestamp, no signature, or none of Slack's shape; a timestamp more than five minutes off; no UTF-8
What passes may be genuine, and only then is the signing secret read. `Refused` is the only thing raised.

Source: https://docs.slack.dev/authentication/verifying-requests-from-slack and the Lambda Developer Guide, "Request and
response payloads" of function URLs (format 2.0: header names in lower case, a body that is no text in base64).
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_BODY = 512_000
"""Characters. Slack sends the message that a button stands in with every click, and encodes it as a form."""
WINDOW_SECONDS = 300
FORM, EVENT = "application/x-www-form-urlencoded", "application/json"
"""What people do comes as a form; Slack's Events API sends JSON."""
_TIMESTAMP = re.compile(r"[0-9]{1,11}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")


class Refused(Exception):
    """The request is not taken. `status`: what is answered."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True)
class Signed:
    """A request that claims to be Slack's. `retry`: how often Slack has sent it before, as Slack says.

    `is_event`: it is JSON of the Events API, not a form.
    """

    body: bytes
    timestamp: str
    signature: str
    retry: str = ""
    is_event: bool = False


def admit(event: Mapping[str, Any], now: float) -> Signed:
    """The request in a function URL's event, if it may be genuine. `now`: epoch seconds. Raises `Refused`."""
    body = event.get("body") or ""
    if not isinstance(body, str) or len(body) > MAX_BODY:
        raise Refused(413, "the body is too large")
    given = event.get("headers")
    headers = {str(name).lower(): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
    if event.get("rawPath", "/") != "/":
        raise Refused(404, "there is one path")
    if _method(event) != "POST":
        raise Refused(405, "only POST is taken")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (FORM, EVENT):
        raise Refused(415, "only a form or an event is taken")
    timestamp, signature = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "")
    if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        raise Refused(401, "not signed")
    if abs(now - int(timestamp)) > WINDOW_SECONDS:
        raise Refused(401, "signed too long ago")
    raw = _bytes(body, event.get("isBase64Encoded") is True)
    return Signed(raw, timestamp, signature, _retry(headers), kind == EVENT)


def _method(event: Mapping[str, Any]) -> str:
    context = event.get("requestContext")
    http = context.get("http") if isinstance(context, dict) else None
    return str(http.get("method")) if isinstance(http, dict) else ""


def _bytes(body: str, is_base64: bool) -> bytes:
    try:
        raw = base64.b64decode(body, validate=True) if is_base64 else body.encode()
        raw.decode()  # slack_sdk computes over text
    except (binascii.Error, UnicodeError, ValueError):
        raise Refused(401, "the body is not text") from None
    return raw


def _retry(headers: Mapping[str, str]) -> str:
    number = headers.get("x-slack-retry-num", "")
    return number if re.fullmatch(r"[0-9]{1,3}", number) else ""
