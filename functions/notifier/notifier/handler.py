"""SQS in: EventBridge envelopes with Governor's events. Each is told to people once; what failed is delivered again."""

import json
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger

from governor.events import Event
from notifier.pictures import PictureRequests
from notifier.service import Postponed
from notifier.wiring import build

logger = Logger(service="notifier", use_rfc3339=True)
ENOUGH_MILLISECONDS = 15_000  # what one event may take while Slack is slow; with less left, the rest comes again


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """A partial batch answer: the records that failed, for SQS to deliver again and at last to dead-letter."""
    built, queue = build()
    notifier, pictures, failures = built.for_batch(), PictureRequests(queue, logger), []
    for record in event["Records"]:
        try:
            if context.get_remaining_time_in_millis() < ENOUGH_MILLISECONDS:
                raise Postponed("too little time is left in this invocation")
            notice, count = Event.received(json.loads(record["body"])), record["attributes"]["ApproximateReceiveCount"]
            told = notifier.notify(notice, int(count))
            logger.info("people were told", notice=notice.detail_type, subject=notice.subject, via=told.via)
            pictures.note(notice, told)
        except Postponed as postponed:
            logger.warning("postponed", message_id=record["messageId"], reason=str(postponed))
            failures.append({"itemIdentifier": record["messageId"]})
        except Exception:
            logger.exception("people were not told", message_id=record["messageId"])
            failures.append({"itemIdentifier": record["messageId"]})
    pictures.send()
    return {"batchItemFailures": failures}
