"""SQS in: EventBridge envelopes with Governor's events. Each is told to people once; what failed is delivered again."""

import functools
import json
import os
from collections.abc import Mapping
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from governor.aws import AWS, AWS_ONCE
from governor.clock import utc_now
from governor.dynamo_ledger import DynamoLedger
from governor.events import Event
from governor.policy import Policy
from governor.published import recorded_bus
from governor.secrets import SecretsManager
from governor.slack import SlackChannel
from governor.topic import AlertTopic
from notifier.service import Notifier, Postponed
from notifier.settings import NotifierSettings
from notifier.truth import Truth

logger = Logger(service="notifier", use_rfc3339=True)
ENOUGH_MILLISECONDS = 15_000  # what one event may take while Slack is slow; with less left, the rest comes again


@functools.cache
def build() -> Notifier:
    """The notifier with its adapters, from the environment; once per container."""
    settings, policy, slack = NotifierSettings.read(os.environ), Policy.load(), None
    if settings.slack_secret and policy.alerts:
        secrets = SecretsManager(boto3.client("secretsmanager", config=AWS))
        token = functools.partial(secrets.field, settings.slack_secret, "bot_token")
        slack = SlackChannel(token, policy.alerts.channel, settings.slack_api_url)
    dynamodb, events = boto3.client("dynamodb", config=AWS), boto3.client("events", config=AWS)
    truth = Truth.over([DynamoLedger(dynamodb, name) for name in settings.tables], utc_now)
    bus = recorded_bus("notifier", truth.ledger, events, settings.event_bus_name)
    topic = AlertTopic(boto3.client("sns", config=AWS_ONCE), settings.alert_topic_arn)
    return Notifier(truth.ledger, slack, topic, policy, utc_now, truth, bus)


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """A partial batch answer: the records that failed, for SQS to deliver again and at last to dead-letter."""
    notifier, failures = build().for_batch(), []
    for record in event["Records"]:
        try:
            if context.get_remaining_time_in_millis() < ENOUGH_MILLISECONDS:
                raise Postponed("too little time is left in this invocation")
            notice, count = Event.received(json.loads(record["body"])), record["attributes"]["ApproximateReceiveCount"]
            told = notifier.notify(notice, int(count))
            logger.info("people were told", notice=notice.detail_type, subject=notice.subject, via=told.via)
        except Postponed as postponed:
            logger.warning("postponed", message_id=record["messageId"], reason=str(postponed))
            failures.append({"itemIdentifier": record["messageId"]})
        except Exception:
            logger.exception("people were not told", message_id=record["messageId"])
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
