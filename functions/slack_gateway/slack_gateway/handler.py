"""Slack's requests in (function URL, payload 2.0), an answer within a second; what was asked goes to a queue."""

import functools
import json
import logging
import os
import time
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

from governor.slack.signature import SlackSignature
from governor.work_queue import WorkQueue
from slack_gateway.decide import Refused, admit
from slack_gateway.service import Gateway
from slack_gateway.settings import GatewaySettings

# The runtime writes these lines as JSON; Powertools' logger would cost 60 ms of every cold start.
log = logging.getLogger("slack_gateway")
log.setLevel(logging.INFO)
AWS = Config(connect_timeout=0.5, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 2})
"""Slack gives up after three seconds, and the person sees that it did."""


@functools.cache
def build() -> Gateway:
    """The gateway over AWS, made at the first request that may be Slack's. Raises `SettingsMissing`."""
    settings = GatewaySettings.read(os.environ)
    session = boto3.session.Session()
    signature = SlackSignature(session.client("secretsmanager", config=AWS), settings.signing_secret, time.time)
    sqs = session.client("sqs", config=AWS)
    return Gateway(signature, WorkQueue(sqs, settings.request_queue_url), WorkQueue(sqs, settings.home_queue_url))


def lambda_handler(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    """200 once what was asked lies in the queue; 4xx for what Slack did not send; 500 for what could not be kept.

    No line of the log holds a body or a header: both come from whoever found the URL.
    """
    try:
        signed = admit(event, time.time())
        shown = build().take(signed)
    except Refused as refused:
        if refused.status == 400:  # Slack signed it; what anybody can send fills no log
            log.warning("refused: %s", refused)
        return {"statusCode": refused.status}
    except Exception:
        log.exception("a request of Slack's was not taken; the person sees Slack's error")
        return {"statusCode": 500}
    log.info("taken", extra={"retry": signed.retry})
    if shown is None:
        return {"statusCode": 200}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(shown)}
