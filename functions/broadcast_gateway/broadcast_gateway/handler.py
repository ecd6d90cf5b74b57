"""OpenRouter's Broadcast in (function URL, payload 2.0), what each request cost out to a stream."""

import functools
import logging
import os
import time
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

from broadcast_gateway.decide import Refused, admit
from broadcast_gateway.service import Gateway
from broadcast_gateway.settings import GatewaySettings
from governor.broadcast.header_token import HeaderToken
from governor.broadcast.stream import PushedStream

# The runtime writes these lines as JSON. A line for each delivery would cost more than all the rest of them.
log = logging.getLogger("broadcast_gateway")
log.setLevel(logging.WARNING)
AWS = Config(connect_timeout=0.5, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 2})


@functools.cache
def build() -> Gateway:
    """The gateway over AWS, made at the first request that may be OpenRouter's. Raises `SettingsMissing`."""
    settings = GatewaySettings.read(os.environ)
    session = boto3.session.Session()
    token = HeaderToken(session.client("secretsmanager", config=AWS), settings.broadcast_secret, time.time)
    return Gateway(token, PushedStream(session.client("kinesis", config=AWS), settings.stream_name))


def lambda_handler(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    """200 once the costs lie in the stream; 4xx for what OpenRouter did not send; 500 for what could not be kept.

    No line of the log holds a body or a header: both come from whoever found the URL.
    """
    try:
        delivery = admit(event)
        found = build().take(delivery)
    except Refused as refused:
        if refused.status == 400:  # its token fits; what anybody can send fills no log
            log.warning("refused: %s", refused)
        return {"statusCode": refused.status}
    except Exception:
        log.exception("a delivery of OpenRouter's was not taken; the minute's reading sees what it told of")
        return {"statusCode": 500}
    if found.uncounted:
        what = (
            "a notification that is not JSON" if delivery.is_notification else "requests without a cost or a key's name"
        )
        log.warning("uncounted: %d, %s", found.uncounted, what)
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": "{}"}
