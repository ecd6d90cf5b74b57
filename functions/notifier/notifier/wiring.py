"""The notifier with its adapters, from the environment."""

import functools
import os

import boto3

from governor.aws import AWS, AWS_ONCE
from governor.clock import utc_now
from governor.events.published import recorded_bus
from governor.ledger.dynamodb import DynamoLedger
from governor.policy import Policy
from governor.secrets import SecretsManager
from governor.slack.channel import SlackChannel
from governor.topic import AlertTopic
from governor.work_queue import WorkQueue
from notifier.pictures import Queue
from notifier.service import Notifier
from notifier.settings import NotifierSettings
from notifier.truth import Truth


@functools.cache
def build() -> tuple[Notifier, Queue | None]:
    """The notifier with its adapters, and the queue of pictures, from the environment; once per container."""
    settings, policy, slack, pictures = NotifierSettings.read(os.environ), Policy.load(), None, None
    if settings.slack_secret and policy.alerts:
        secrets = SecretsManager(boto3.client("secretsmanager", config=AWS))
        token = functools.partial(secrets.field, settings.slack_secret, "bot_token")
        slack = SlackChannel(token, policy.alerts.channel, settings.slack_api_url)
        if settings.picture_queue_url:
            pictures = WorkQueue(boto3.client("sqs", config=AWS_ONCE), settings.picture_queue_url)
    dynamodb, events = boto3.client("dynamodb", config=AWS), boto3.client("events", config=AWS)
    truth = Truth.over([DynamoLedger(dynamodb, name) for name in settings.tables], utc_now)
    bus = recorded_bus("notifier", truth.ledger, events, settings.event_bus_name)
    topic = AlertTopic(boto3.client("sns", config=AWS_ONCE), settings.alert_topic_arn)
    return Notifier(truth.ledger, slack, topic, policy, utc_now, truth, bus), pictures
