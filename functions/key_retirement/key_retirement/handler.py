"""Drains, quarantines and deletes replaced keys; gives one back on request."""

import functools
import os
from typing import Any

import boto3
from aws_lambda_powertools.logging import Logger

from governor.account.connection import ManagedAccount
from governor.account.pace import AccountPace
from governor.approvals.store import Approvals
from governor.aws import AWS
from governor.clock import utc_now
from governor.events.published import recorded_bus
from governor.events.redelivery import redelivered
from governor.keys.causes import CauseStore
from governor.keys.lineage import Lineages
from governor.ledger.dynamodb import DynamoLedger
from governor.policy import Policy
from governor.secrets import SecretsManager
from governor.secrets.copies import AwsSecretCopies
from governor.secrets.secrets_manager_versions import SecretsManagerVersions
from governor.storage.needs import needs_in
from key_retirement.ports import Ports
from key_retirement.service import KeyRetirement
from key_retirement.settings import RetirementSettings, received

MARGIN_SECONDS = 4.0
"""Kept back from OpenRouter's calls, so that what was done can still be written down and told."""


@functools.cache
def build() -> KeyRetirement:
    """Key retirement over AWS and OpenRouter, made at the first run. Raises `SettingsError`."""
    settings, policy = RetirementSettings.read(os.environ), Policy.load()
    session, key = boto3.session.Session(), settings.management_key_secret
    client = session.client("secretsmanager", config=AWS)
    table, log, pace = session.client("dynamodb", config=AWS), Logger(use_rfc3339=True), settings.requests_per_second
    ledger, decisions = (DynamoLedger(table, name) for name in settings.tables)
    pacing = AccountPace(table, settings.table_name, pace, log) if pace else None
    account = ManagedAccount(SecretsManager(client), key, policy.account.base_url, pacing=pacing)
    bus = recorded_bus("key_retirement", ledger, session.client("events", config=AWS), settings.event_bus_name)
    elsewhere = functools.partial(session.client, "secretsmanager", config=AWS)
    copies = AwsSecretCopies(session.client("ssm", config=AWS), client, lambda region: elsewhere(region_name=region))
    versions, approvals = SecretsManagerVersions(client), Approvals(ledger, decisions)
    rows = Lineages(ledger), CauseStore(ledger), approvals
    needs = needs_in(session.client("s3", config=AWS), settings.reading_bucket)
    return KeyRetirement(Ports(policy, versions, copies, *rows, bus, account, utc_now, log, needs), key)


@redelivered
def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """A run or a request in, what came of it out. Raises: the next run or a retry goes on from there."""
    asked = received(event)
    retirement = build()
    report = retirement.act(asked, lambda: int(context.get_remaining_time_in_millis()) / 1000 - MARGIN_SECONDS)
    retirement.ports.log.info("done", extra={"tended": report.tended, "put_off": report.put_off, "told": report.told})
    return {"tended": report.tended, "put_off": report.put_off, "told": report.told}
