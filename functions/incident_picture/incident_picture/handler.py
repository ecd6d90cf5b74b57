"""SQS in: which incident wants a picture. It is drawn and shown in the incident's thread; what failed comes again."""

import functools
import os
from collections.abc import Mapping
from time import sleep
from typing import Any

from aws_lambda_powertools import Logger

from governor.clock import utc_now
from governor.policy import Policy
from governor.slack.pictures import SlackPictures
from governor.wiring import Wiring
from incident_picture.plot import Plot
from incident_picture.service import Illustrator, Postponed
from incident_picture.settings import PictureSettings, Wanted

logger = Logger(service="incident_picture", use_rfc3339=True)


def draw(plot: Plot) -> bytes:
    """The PNG. matplotlib takes a second or more to be imported, so only where something is drawn."""
    from incident_picture.drawing import png

    return png(plot)


@functools.cache
def build() -> Illustrator:
    """The illustrator with its adapters, from the environment. Raises `SettingsError`, `NoChannel`."""
    settings, policy = PictureSettings.read(os.environ), Policy.load()
    aws = Wiring("incident_picture")
    token = aws.bot_token(settings.slack_secret)
    pictures = SlackPictures(token, settings.channel_of(policy), settings.slack_api_url)
    return Illustrator(aws.ledger(settings.table_name), pictures, draw, utc_now, sleep)


def lambda_handler(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    """A partial batch answer: the records that failed, for SQS to deliver again and at last to dead-letter."""
    failures = []
    for record in event["Records"]:
        try:
            wanted = Wanted.received(record)
            logger.info("picture", incident=wanted.incident, rule=build().illustrate(wanted.incident))
        except Postponed as postponed:
            logger.info("postponed", reason=str(postponed))
            failures.append({"itemIdentifier": record["messageId"]})
        except Exception:
            logger.exception("no picture was shown", message_id=record["messageId"])
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
