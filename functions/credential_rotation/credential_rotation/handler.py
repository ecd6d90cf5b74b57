"""Puts a provider's new key into its BYOK credential when the secret that holds it changes."""

import functools
import os
from typing import Any

from credential_rotation.ports import Ports
from credential_rotation.service import CredentialRotation
from credential_rotation.settings import CredentialSettings, received
from governor.account.connection import ManagedAccount
from governor.clock import seconds_left, utc_now
from governor.policy import Policy
from governor.secrets.provider_secrets import SecretsManagerTexts
from governor.wiring import Wiring
from management_api import Pacing

MARGIN_SECONDS = 4.0
"""Kept back from OpenRouter's calls, so that what was done can still be written down and told."""


@functools.cache
def build() -> CredentialRotation:
    """Credential rotation over AWS and OpenRouter, made at the first run. Raises `SettingsError`."""
    settings, policy = CredentialSettings.read(os.environ), Policy.load()
    aws = Wiring("credential_rotation")
    ledger = aws.ledger(settings.table_name)
    pacing = Pacing(settings.requests_per_second) if settings.requests_per_second else None
    account = ManagedAccount(aws.secrets, settings.management_key_secret, policy.account.base_url, pacing=pacing)
    return CredentialRotation(
        Ports(
            policy=policy,
            secrets=SecretsManagerTexts(aws.secrets_manager),
            probe_key=lambda secret: aws.secrets.field(secret, "api_key"),
            ledger=ledger,
            bus=aws.bus(ledger, settings.event_bus_name),
            connect=account,
            clock=utc_now,
            log=aws.log,
        )
    )


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """A run in, what came of it out. Raises: the next run goes on from there."""
    received(event)
    rotation = build()
    report = rotation.act(seconds_left(context, MARGIN_SECONDS))
    rotation.ports.log.info("done", extra={"looked_at": report.looked_at, "told": report.told})
    return {"looked_at": report.looked_at, "told": list(report.told)}
