"""Replaces a workload's key in AWS's four steps."""

import functools
import os
from typing import Any

import boto3
from aws_lambda_powertools.logging import Logger

from governor.account.connection import ManagedAccount
from governor.account.pace import AccountPace
from governor.aws import AWS
from governor.clock import utc_now
from governor.events.published import recorded_bus
from governor.keys.causes import CauseStore
from governor.keys.lineage import Lineages
from governor.ledger.dynamodb import DynamoLedger
from governor.policy import Policy
from governor.secrets import SecretsManager
from governor.secrets.secrets_manager_versions import SecretsManagerVersions
from key_rotation.ports import Ports
from key_rotation.service import KeyRotation
from key_rotation.settings import RotationSettings, received

MARGIN_SECONDS = 4.0
"""Kept back from OpenRouter's calls, so that what was done can still be written down and told."""


@functools.cache
def build() -> KeyRotation:
    """Key rotation over AWS and OpenRouter, made at the first step. Raises `SettingsError`."""
    settings, policy = RotationSettings.read(os.environ), Policy.load()
    session = boto3.session.Session()
    client = session.client("secretsmanager", config=AWS)
    table, log = session.client("dynamodb", config=AWS), Logger(use_rfc3339=True)
    ledger, pace = DynamoLedger(table, settings.table_name), settings.requests_per_second
    pacing = AccountPace(table, settings.table_name, pace, log) if pace else None
    account = ManagedAccount(
        SecretsManager(client), settings.management_key_secret, policy.account.base_url, pacing=pacing
    )
    bus = recorded_bus("key_rotation", ledger, session.client("events", config=AWS), settings.event_bus_name)
    versions, lineages, causes = SecretsManagerVersions(client), Lineages(ledger), CauseStore(ledger)
    return KeyRotation(Ports(policy, versions, lineages, causes, bus, account, utc_now, log))


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """One step in; the rule by which it ended, out. Raises: Secrets Manager tries again."""
    step = received(event)
    rotation = build()
    rule = rotation.run(step, lambda: int(context.get_remaining_time_in_millis()) / 1000 - MARGIN_SECONDS)
    rotation.ports.log.info("done", extra={"step": step.name, "secret": step.secret, "rule": rule})
    return {"step": step.name, "rule": rule}
