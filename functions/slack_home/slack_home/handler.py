"""SQS in: who opened their Home, and events that it may show. Homes out."""

import functools
import os
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger

from governor.approvals.store import Approvals
from governor.clock import utc_now
from governor.policy import Policy
from governor.slack.home_tab import SlackHomeTab
from governor.slack.identity import SlackDirectory
from governor.wiring import Wiring
from slack_home.service import Homes
from slack_home.settings import HomeSettings, Message, received

logger = Logger(service="slack_home", use_rfc3339=True)


@functools.cache
def build() -> Homes:
    """The Homes over AWS and Slack, made at the first message. Raises `SettingsError`."""
    settings, aws = HomeSettings.read(os.environ), Wiring("slack_home")
    ledger, decisions = map(aws.ledger, settings.tables)
    token, url = aws.bot_token(settings.slack_secret), settings.slack_api_url
    tab, directory = SlackHomeTab(token, url), SlackDirectory(token, utc_now, url)
    return Homes(Policy.load(), ledger, Approvals(ledger, decisions), tab, directory, utc_now)


def lambda_handler(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    """A partial batch answer. All events of a batch are one refresh: they come again together."""
    failed: set[str] = set()
    happened: list[Message] = []
    for record in event["Records"]:
        try:
            message = received(record)
            if message.opened:
                logger.info("opened", user=message.opened.user, rule=build().open(message.opened))
            else:
                happened.append(message)
        except Exception:
            logger.exception("no Home was shown", message_id=record["messageId"])
            failed.add(record["messageId"])
    try:
        if happened:
            told = [one.event for one in happened if one.event]
            logger.info("refreshed", homes=build().refresh(told), events=len(told))
    except Exception:
        logger.exception("Homes are not up to date")
        failed |= {one.id for one in happened}
    return {"batchItemFailures": [{"itemIdentifier": one} for one in sorted(failed)]}
