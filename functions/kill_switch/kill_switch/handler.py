"""Disables what must not go on spending, and gives it back when a person says so."""

import functools
import os
from typing import Any

import boto3
from aws_lambda_powertools.logging import Logger

from governor.account.connection import ManagedAccount
from governor.approvals.store import Approvals
from governor.aws import AWS
from governor.clock import utc_now
from governor.events.published import recorded_bus
from governor.events.redelivery import redelivered
from governor.ledger.dynamodb import DynamoLedger
from governor.policy import Policy
from governor.secrets import SecretsManager
from kill_switch.service import KillSwitch
from kill_switch.settings import KillSwitchSettings, received
from kill_switch.store import KillSwitchStore

MARGIN_SECONDS = 2.0
"""Kept back from OpenRouter's calls, so that what was done can still be written down and told."""


@functools.cache
def build() -> KillSwitch:
    """The kill switch over AWS and OpenRouter, made at the first event. Raises `SettingsError`."""
    settings, policy = KillSwitchSettings.read(os.environ), Policy.load()
    session = boto3.session.Session()
    secrets = SecretsManager(session.client("secretsmanager", config=AWS))
    tables = session.client("dynamodb", config=AWS)
    ledger = DynamoLedger(tables, settings.table_name)
    return KillSwitch(
        policy=policy,
        store=KillSwitchStore(ledger),
        approvals=Approvals(ledger, DynamoLedger(tables, settings.decisions_table_name)),
        bus=recorded_bus("kill_switch", ledger, session.client("events", config=AWS), settings.event_bus_name),
        connect=ManagedAccount(secrets, settings.management_key_secret, policy.account.base_url),
        clock=utc_now,
        log=Logger(use_rfc3339=True),
    )


@redelivered
def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """One EventBridge envelope in; what was published, out. Raises: Lambda retries, then the dead letter."""
    request = received(event)
    kill_switch = build()
    told = kill_switch.act(request, lambda: int(context.get_remaining_time_in_millis()) / 1000 - MARGIN_SECONDS)
    if told is None:
        return {"detail_type": None, "id": request.event.id, "rule": "carried_out_before"}
    extra = {"asked_by": request.event.id, "subject": told.subject, "event": told.detail_type}
    kill_switch.log.info("told", extra=extra)
    return {"detail_type": told.detail_type, "id": told.id, "rule": told.evidence["rule"]}
