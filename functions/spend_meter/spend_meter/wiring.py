"""The meter's ports over AWS and OpenRouter."""

import boto3

from governor.aws import AWS
from governor.dynamo_ledger import DynamoLedger
from governor.policy import Policy
from governor.published import recorded_bus
from governor.s3_reading_store import NEEDS, WATCH, WOKEN, S3ReadingStore
from governor.secrets import SecretsManager
from management_api import OpenRouter, Pacing
from spend_meter.ports import Ports
from spend_meter.settings import MeterSettings


def connected(settings: MeterSettings, policy: Policy) -> Ports:
    """A call that hangs must leave time for the others: at most 14 seconds, of the function's 55."""
    session = boto3.session.Session()
    s3 = session.client("s3", config=AWS)
    ledger = DynamoLedger(session.client("dynamodb", config=AWS), settings.table_name)
    pacing = Pacing(settings.requests_per_second) if settings.requests_per_second else None
    return Ports(
        store=S3ReadingStore(s3, settings.reading_bucket),
        ledger=ledger,
        publisher=recorded_bus("spend_meter", ledger, session.client("events", config=AWS), settings.event_bus_name),
        secrets=SecretsManager(session.client("secretsmanager", config=AWS)),
        connect=lambda key: OpenRouter(key, base_url=policy.account.base_url, pacing=pacing),
        woken=S3ReadingStore(s3, settings.reading_bucket, WOKEN) if settings.broadcast else None,
        watch=S3ReadingStore(s3, settings.reading_bucket, WATCH) if settings.broadcast else None,
        needs=S3ReadingStore(s3, settings.reading_bucket, NEEDS),
    )
