"""spend_meter: every minute one sweep of the account; spend, budgets and runaways become events."""

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger

from governor.dynamo_ledger import DynamoLedger
from governor.events import EventBus
from governor.policy import Policy
from governor.s3_reading_store import S3ReadingStore
from governor.secrets import SecretsManager
from management_api import OpenRouter, Pacing
from spend_meter.service import Ports, SpendMeter
from spend_meter.settings import Beat, MeterSettings
from spend_meter.telemetry import Telemetry

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@cache
def build() -> tuple[SpendMeter, Telemetry]:
    """The meter with its real adapters, made once per container."""
    settings = MeterSettings.read(os.environ)
    policy = Policy.load()
    pacing = Pacing(settings.requests_per_second) if settings.requests_per_second else None
    ports = Ports(
        store=S3ReadingStore(boto3.client("s3"), settings.reading_bucket),
        ledger=DynamoLedger(boto3.client("dynamodb"), settings.table_name),
        publisher=EventBus(boto3.client("events"), settings.event_bus_name),
        secrets=SecretsManager(boto3.client("secretsmanager")),
        connect=lambda key: OpenRouter(key, base_url=policy.account.base_url, pacing=pacing),
    )
    meter = SpendMeter(policy, ports, settings.management_key_secret, settings.concurrency)
    return meter, Telemetry(Logger(service="spend_meter"))


def lambda_handler(event: Any, context: "LambdaContext") -> dict[str, Any]:
    """One beat. Raises `BadEvent`, and what kept the account from being read once that is recorded."""
    beat = Beat.received(event)
    meter, telemetry = build()
    report = meter.beat(beat, lambda: context.get_remaining_time_in_millis() / 1000)
    telemetry.tell(beat, report)
    if report.failure:
        raise report.failure
    return {"outcome": report.outcome, "keys_read": report.keys_read, "events": len(report.events)}
