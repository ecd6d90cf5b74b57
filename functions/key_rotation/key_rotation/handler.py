"""Replaces a workload's key in AWS's four steps."""

import functools
import os
from typing import Any

from governor.account.connection import ManagedAccount
from governor.account.pace import AccountPace
from governor.clock import seconds_left, utc_now
from governor.keys.causes import CauseStore
from governor.keys.lineage import Lineages
from governor.policy import Policy
from governor.secrets.secrets_manager_versions import SecretsManagerVersions
from governor.wiring import Wiring
from key_rotation.ports import Ports
from key_rotation.service import KeyRotation
from key_rotation.settings import RotationSettings, received

MARGIN_SECONDS = 4.0
"""Kept back from OpenRouter's calls, so that what was done can still be written down and told."""


@functools.cache
def build() -> KeyRotation:
    """Key rotation over AWS and OpenRouter, made at the first step. Raises `SettingsError`."""
    settings, policy = RotationSettings.read(os.environ), Policy.load()
    aws = Wiring("key_rotation")
    ledger, pace = aws.ledger(settings.table_name), settings.requests_per_second
    pacing = AccountPace(aws.dynamodb, settings.table_name, pace, aws.log) if pace else None
    account = ManagedAccount(aws.secrets, settings.management_key_secret, policy.account.base_url, pacing=pacing)
    versions, rows = SecretsManagerVersions(aws.secrets_manager), (Lineages(ledger), CauseStore(ledger))
    bus = aws.bus(ledger, settings.event_bus_name)
    return KeyRotation(Ports(policy, versions, *rows, bus, account, utc_now, aws.log))


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """One step in; the rule by which it ended, out. Raises: Secrets Manager tries again."""
    step = received(event)
    rotation = build()
    rule = rotation.run(step, seconds_left(context, MARGIN_SECONDS))
    rotation.ports.log.info("done", extra={"step": step.name, "secret": step.secret, "rule": rule})
    return {"step": step.name, "rule": rule}
