"""Keeps credentials out of dead letters. A person who reports a leak may paste the key into the event.

Lambda dead-letters an event as it arrived, and no function can change that. So when a function fails on an event that
held a credential, it puts a copy without the credential on the bus and ends; the platform's retries and dead letters
then see that copy alone. What this cannot cover: a function that is killed three times before it can put the copy.
"""

import functools
import json
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any, cast

from redaction import redact_all

REDACTED_SOURCE = "governor.redacted"
"""The source of such copies. Nobody trusts it: only requests, which are believed from any source, are taken from it."""
log = logging.getLogger(__name__)


def redelivered[Answer](handler: Callable[[Any, Any], Answer]) -> Callable[[Any, Any], Answer | dict[str, Any]]:
    """A Lambda handler for EventBridge's envelopes that is given them redacted, and fails on none with a credential.

    The copy keeps the event's id, so that it is the same request wherever repeats are dropped. Raises what `handler`
    raises for an event that held no credential, and whatever kept the copy from the bus.
    """

    @functools.wraps(handler)
    def handle(event: Any, context: Any) -> Answer | dict[str, Any]:
        try:
            clean = redact_all(event)
        except RecursionError:
            return handler(event, context)  # which refuses what is nested so deep
        if clean == event or not _is_envelope(clean):
            return handler(clean, context)
        try:
            return handler(clean, context)
        except Exception:
            log.exception("this event held a credential: a copy without it is put on the bus and tried instead")
            _put(clean)
            return {"redelivered": clean["detail-type"]}

    return handle


def _is_envelope(event: Any) -> bool:
    return isinstance(event, Mapping) and isinstance(event.get("detail"), Mapping) and "detail-type" in event


def _put(envelope: Mapping[str, Any]) -> None:
    import boto3

    from governor.events import PublishFailed

    detail = {"id": envelope.get("id"), "occurred_at": envelope.get("time"), **cast(dict[str, Any], envelope["detail"])}
    bus = os.environ["EVENT_BUS_NAME"]
    answer = boto3.client("events").put_events(
        Entries=[
            {
                "EventBusName": bus,
                "Source": REDACTED_SOURCE,
                "DetailType": envelope["detail-type"],
                "Detail": json.dumps(detail),
            }
        ]
    )
    if answer["FailedEntryCount"]:
        raise PublishFailed(f"the copy without a credential was refused by bus {bus}: {answer['Entries'][0]}")
