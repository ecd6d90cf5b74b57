"""Puts a provider's new key into its BYOK credential when the secret that holds it changes."""

import functools
import os
from typing import Any

import boto3
from aws_lambda_powertools.logging import Logger

from credential_rotation.ports import Ports
from credential_rotation.service import CredentialRotation
from credential_rotation.settings import CredentialSettings, received
from governor.account.connection import ManagedAccount
from governor.aws import AWS
from governor.clock import utc_now
from governor.events.published import recorded_bus
from governor.ledger.dynamodb import DynamoLedger
from governor.policy import Policy
from governor.secrets import SecretsManager
from governor.secrets.provider_secrets import SecretsManagerTexts
from management_api import Pacing

MARGIN_SECONDS = 4.0
"""Kept back from OpenRouter's calls, so that what was done can still be written down and told."""


@functools.cache
def build() -> CredentialRotation:
    """Credential rotation over AWS and OpenRouter, made at the first run. Raises `SettingsError`."""
    settings, policy = CredentialSettings.read(os.environ), Policy.load()
    session = boto3.session.Session()
    client = session.client("secretsmanager", config=AWS)
    secrets = SecretsManager(client)
    ledger = DynamoLedger(session.client("dynamodb", config=AWS), settings.table_name)
    pacing = Pacing(settings.requests_per_second) if settings.requests_per_second else None
    account = ManagedAccount(secrets, settings.management_key_secret, policy.account.base_url, pacing=pacing)
    return CredentialRotation(
        Ports(
            policy=policy,
            secrets=SecretsManagerTexts(client),
            probe_key=lambda secret: secrets.field(secret, "api_key"),
            ledger=ledger,
            bus=recorded_bus(
                "credential_rotation", ledger, session.client("events", config=AWS), settings.event_bus_name
            ),
            connect=account,
            clock=utc_now,
            log=Logger(use_rfc3339=True),
        )
    )


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """A run in, what came of it out. Raises: the next run goes on from there."""
    received(event)
    rotation = build()
    report = rotation.act(lambda: int(context.get_remaining_time_in_millis()) / 1000 - MARGIN_SECONDS)
    rotation.ports.log.info("done", extra={"looked_at": report.looked_at, "told": report.told})
    return {"looked_at": report.looked_at, "told": list(report.told)}
