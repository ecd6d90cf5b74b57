"""The review over AWS, OpenRouter and Slack."""

from account_review.ports import Ports
from account_review.service import AccountReview
from account_review.settings import ReviewSettings
from account_review.shelf import MEMORY, SIGNED, S3Shelf
from governor.account.connection import ManagedAccount
from governor.aws import AWS
from governor.clock import utc_now
from governor.policy import Policy
from governor.secrets.secrets_manager_versions import SecretsManagerVersions
from governor.slack.channel import SlackChannel
from governor.storage.s3_readings import S3ReadingStore
from governor.topic import AlertTopic
from governor.wiring import Wiring
from management_api import Pacing


def review_over(settings: ReviewSettings, policy: Policy) -> AccountReview:
    """Nothing is called yet."""
    aws = Wiring("account_review")
    s3 = aws.session.client("s3", config=AWS.merge(SIGNED))
    ledger = aws.ledger(settings.table_name)
    bucket, pace, key = settings.reading_bucket, settings.requests_per_second, settings.management_key_secret
    channel = None
    if settings.slack_secret and policy.alerts:
        channel = SlackChannel(aws.bot_token(settings.slack_secret), policy.alerts.channel, settings.slack_api_url)
    return AccountReview(Ports(
        policy, ManagedAccount(aws.secrets, key, policy.account.base_url, pacing=Pacing(pace) if pace else None),
        lambda: SecretsManagerVersions(aws.secrets_manager).put_at(key),
        ledger, aws.ledger(settings.decisions_table_name),
        S3ReadingStore(s3, bucket, MEMORY), S3Shelf(s3, bucket), channel,
        AlertTopic(aws.session.client("sns", config=AWS), settings.alert_topic_arn),
        aws.bus(ledger, settings.event_bus_name), utc_now, aws.log, settings.stack_name,
    ))  # fmt: skip
