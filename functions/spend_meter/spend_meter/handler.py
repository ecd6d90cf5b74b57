"""Meters the account every minute: spend, budgets and runaways become events."""

import functools
import gc
import os
from typing import Any

import boto3
from aws_lambda_powertools.logging import Logger

from governor.aws import AWS
from governor.clock import utc_now
from governor.dynamo_ledger import DynamoLedger
from governor.policy import Policy
from governor.published import recorded_bus
from governor.s3_reading_store import S3ReadingStore
from governor.secrets import SecretsManager
from management_api import OpenRouter, Pacing
from spend_meter.service import Ports, SpendMeter
from spend_meter.settings import Beat, MeterSettings
from spend_meter.telemetry import Telemetry

"""A call that hangs must leave time for the others: at most 14 seconds, of the function's 55."""
COLLECT_AFTER = 50_000
"""New objects after which the collector looks for cycles. A beat at 10,000 keys makes half as many and leaves no cycle:
at Python's 2,000 the collector would look ten times a beat, at what is still in use."""


@functools.cache
def build() -> tuple[SpendMeter, Telemetry]:
    """The meter over AWS and OpenRouter, made at the first beat. Raises `SettingsError`."""
    gc.set_threshold(COLLECT_AFTER)
    settings, policy = MeterSettings.read(os.environ), Policy.load()
    session = boto3.session.Session()
    ledger = DynamoLedger(session.client("dynamodb", config=AWS), settings.table_name)
    pacing = Pacing(settings.requests_per_second) if settings.requests_per_second else None
    ports = Ports(
        store=S3ReadingStore(session.client("s3", config=AWS), settings.reading_bucket),
        ledger=ledger,
        publisher=recorded_bus("spend_meter", ledger, session.client("events", config=AWS), settings.event_bus_name),
        secrets=SecretsManager(session.client("secretsmanager", config=AWS)),
        connect=lambda key: OpenRouter(key, base_url=policy.account.base_url, pacing=pacing),
    )
    return SpendMeter(policy, ports, settings.management_key_secret, settings.concurrency), Telemetry(
        Logger(use_rfc3339=True)
    )


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """One beat. Raises `BadEvent`, and what kept the account from being read once that is recorded."""
    beat = Beat.received(event, utc_now())
    meter, telemetry = build()
    report = meter.beat(beat, lambda: int(context.get_remaining_time_in_millis()) / 1000)
    telemetry.tell(beat, report)
    if report.failure:
        raise report.failure
    return {"outcome": report.outcome, "keys_read": report.keys_read, "events": len(report.events)}
