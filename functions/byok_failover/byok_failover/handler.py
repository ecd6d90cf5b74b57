"""Checks that BYOK failover would work, drills it, and finds credits that leak."""

import functools
import os
import time
from typing import Any

import boto3
from aws_lambda_powertools.logging import Logger

from byok_failover.ports import Ports
from byok_failover.service import ByokFailover
from byok_failover.settings import FailoverSettings, received
from governor.account.connection import ManagedAccount
from governor.approvals.store import Approvals
from governor.aws import AWS
from governor.clock import utc_now
from governor.events.published import recorded_bus
from governor.events.redelivery import redelivered
from governor.ledger.dynamodb import DynamoLedger
from governor.policy import Policy
from governor.secrets import SecretsManager
from governor.storage.pages import S3Pages
from management_api import Pacing

MARGIN_SECONDS = 10.0  # kept back from OpenRouter's calls, so that what was done can still be written down and told


@functools.cache
def build() -> ByokFailover:
    """Failover checks over AWS and OpenRouter, made at the first event. Raises `SettingsError`."""
    settings, policy = FailoverSettings.read(os.environ), Policy.load()
    session = boto3.session.Session()
    secrets = SecretsManager(session.client("secretsmanager", config=AWS))
    table = functools.partial(DynamoLedger, session.client("dynamodb", config=AWS))
    ledger = table(settings.table_name)
    pacing = Pacing(settings.requests_per_second) if settings.requests_per_second else None
    return ByokFailover(
        Ports(
            policy=policy,
            probe_key=lambda secret: secrets.field(secret, "api_key", fresh=True),
            ledger=ledger,
            approvals=Approvals(ledger, table(settings.decisions_table_name)),
            bus=recorded_bus("byok_failover", ledger, session.client("events", config=AWS), settings.event_bus_name),
            pages=S3Pages(session.client("s3", config=AWS), settings.reading_bucket),
            connect=ManagedAccount(secrets, settings.management_key_secret, policy.account.base_url, pacing=pacing),
            clock=utc_now,
            pause=time.sleep,
            log=Logger(use_rfc3339=True),
        )
    )


@redelivered
def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """A run or a request in, what came of it out. Raises: Lambda retries, and the next run goes on from there."""
    asked, checks = received(event), build()
    report = checks.act(asked, lambda: int(context.get_remaining_time_in_millis()) / 1000 - MARGIN_SECONDS)
    checks.ports.log.info("done", extra=vars(report))
    return vars(report)
