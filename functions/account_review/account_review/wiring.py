"""The review over AWS, OpenRouter and Slack."""

import functools

import boto3
from aws_lambda_powertools.logging import Logger

from account_review.ports import Ports
from account_review.service import AccountReview
from account_review.settings import ReviewSettings
from account_review.shelf import MEMORY, SIGNED, S3Shelf
from governor.account.connection import ManagedAccount
from governor.aws import AWS
from governor.clock import utc_now
from governor.events.published import recorded_bus
from governor.ledger.dynamodb import DynamoLedger
from governor.policy import Policy
from governor.secrets import SecretsManager
from governor.secrets.secrets_manager_versions import SecretsManagerVersions
from governor.slack.channel import SlackChannel
from governor.storage.s3_readings import S3ReadingStore
from governor.topic import AlertTopic
from management_api import Pacing


def review_over(settings: ReviewSettings, policy: Policy, session: boto3.session.Session) -> AccountReview:
    """Nothing is called yet."""
    client, table = session.client("secretsmanager", config=AWS), session.client("dynamodb", config=AWS)
    s3 = session.client("s3", config=AWS.merge(SIGNED))
    secrets, ledger = SecretsManager(client), DynamoLedger(table, settings.table_name)
    bucket, pace, key = settings.reading_bucket, settings.requests_per_second, settings.management_key_secret
    channel = None
    if settings.slack_secret and policy.alerts:
        token = functools.partial(secrets.field, settings.slack_secret, "bot_token")
        channel = SlackChannel(token, policy.alerts.channel, settings.slack_api_url)
    return AccountReview(Ports(
        policy, ManagedAccount(secrets, key, policy.account.base_url, pacing=Pacing(pace) if pace else None),
        lambda: SecretsManagerVersions(client).put_at(key), ledger, DynamoLedger(table, settings.decisions_table_name),
        S3ReadingStore(s3, bucket, MEMORY), S3Shelf(s3, bucket), channel,
        AlertTopic(session.client("sns", config=AWS), settings.alert_topic_arn),
        recorded_bus("account_review", ledger, session.client("events", config=AWS), settings.event_bus_name), utc_now,
        Logger(use_rfc3339=True), settings.stack_name,
    ))  # fmt: skip
