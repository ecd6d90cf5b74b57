"""SQS in: who opened their Home, and events that it may show. Homes out."""

import functools
import os
from collections.abc import Mapping
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from governor.approvals.store import Approvals
from governor.aws import AWS
from governor.clock import utc_now
from governor.ledger.dynamodb import DynamoLedger
from governor.policy import Policy
from governor.secrets import SecretsManager
from governor.slack.home_tab import SlackHomeTab
from governor.slack.identity import SlackDirectory
from slack_home.service import Homes
from slack_home.settings import HomeSettings, Message, received

logger = Logger(service="slack_home", use_rfc3339=True)


@functools.cache
def build() -> Homes:
    """The Homes over AWS and Slack, made at the first message. Raises `SettingsError`."""
    settings, session = HomeSettings.read(os.environ), boto3.session.Session()
    ledger, decisions = (DynamoLedger(session.client("dynamodb", config=AWS), name) for name in settings.tables)
    secrets = SecretsManager(session.client("secretsmanager", config=AWS))
    token = functools.partial(secrets.field, settings.slack_secret, "bot_token")
    tab, directory = (
        SlackHomeTab(token, settings.slack_api_url),
        SlackDirectory(token, utc_now, settings.slack_api_url),
    )
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
