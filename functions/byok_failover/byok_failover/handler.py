"""Checks that BYOK failover would work, drills it, and finds credits that leak."""

import functools
import os
import time
from typing import Any

from byok_failover.ports import Ports
from byok_failover.service import ByokFailover
from byok_failover.settings import FailoverSettings, received
from governor.account.connection import ManagedAccount
from governor.approvals.store import Approvals
from governor.aws import AWS
from governor.clock import seconds_left, utc_now
from governor.events.redelivery import redelivered
from governor.policy import Policy
from governor.storage.pages import S3Pages
from governor.wiring import Wiring
from management_api import Pacing

MARGIN_SECONDS = 10.0  # kept back from OpenRouter's calls, so that what was done can still be written down and told


@functools.cache
def build() -> ByokFailover:
    """Failover checks over AWS and OpenRouter, made at the first event. Raises `SettingsError`."""
    settings, policy = FailoverSettings.read(os.environ), Policy.load()
    aws = Wiring("byok_failover")
    ledger = aws.ledger(settings.table_name)
    pacing = Pacing(settings.requests_per_second) if settings.requests_per_second else None
    return ByokFailover(
        Ports(
            policy=policy,
            probe_key=lambda secret: aws.secrets.field(secret, "api_key", fresh=True),
            ledger=ledger,
            approvals=Approvals(ledger, aws.ledger(settings.decisions_table_name)),
            bus=aws.bus(ledger, settings.event_bus_name),
            pages=S3Pages(aws.session.client("s3", config=AWS), settings.reading_bucket),
            connect=ManagedAccount(aws.secrets, settings.management_key_secret, policy.account.base_url, pacing=pacing),
            clock=utc_now,
            pause=time.sleep,
            log=aws.log,
        )
    )


@redelivered
def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """A run or a request in, what came of it out. Raises: Lambda retries, and the next run goes on from there."""
    asked, checks = received(event), build()
    report = checks.act(asked, seconds_left(context, MARGIN_SECONDS))
    checks.ports.log.info("done", extra=vars(report))
    return vars(report)
