"""The notifier with its adapters, from the environment."""

import functools
import os

from governor.aws import AWS_ONCE
from governor.clock import utc_now
from governor.policy import Policy
from governor.slack.channel import SlackChannel
from governor.topic import AlertTopic
from governor.wiring import Wiring
from governor.work_queue import WorkQueue
from notifier.pictures import Queue
from notifier.service import Notifier
from notifier.settings import NotifierSettings
from notifier.truth import Truth


@functools.cache
def build() -> tuple[Notifier, Queue | None]:
    """The notifier with its adapters, and the queue of pictures, from the environment; once per container."""
    settings, policy, slack, pictures = NotifierSettings.read(os.environ), Policy.load(), None, None
    aws = Wiring("notifier")
    if settings.slack_secret and policy.alerts:
        slack = SlackChannel(aws.bot_token(settings.slack_secret), policy.alerts.channel, settings.slack_api_url)
        if settings.picture_queue_url:
            pictures = WorkQueue(aws.session.client("sqs", config=AWS_ONCE), settings.picture_queue_url)
    truth = Truth.over([aws.ledger(name) for name in settings.tables], utc_now)
    bus = aws.bus(truth.ledger, settings.event_bus_name)
    topic = AlertTopic(aws.session.client("sns", config=AWS_ONCE), settings.alert_topic_arn)
    return Notifier(truth.ledger, slack, topic, policy, utc_now, truth, bus), pictures
