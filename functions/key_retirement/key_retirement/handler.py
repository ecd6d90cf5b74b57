"""Drains, quarantines and deletes replaced keys; gives one back on request."""

import functools
import os
from typing import Any

from governor.account.connection import ManagedAccount
from governor.account.pace import AccountPace
from governor.approvals.store import Approvals
from governor.aws import AWS
from governor.clock import seconds_left, utc_now
from governor.events.redelivery import redelivered
from governor.keys.causes import CauseStore
from governor.keys.lineage import Lineages
from governor.policy import Policy
from governor.secrets.copies import AwsSecretCopies
from governor.secrets.secrets_manager_versions import SecretsManagerVersions
from governor.storage.needs import needs_in
from governor.wiring import Wiring
from key_retirement.ports import Ports
from key_retirement.service import KeyRetirement
from key_retirement.settings import RetirementSettings, received

MARGIN_SECONDS = 4.0
"""Kept back from OpenRouter's calls, so that what was done can still be written down and told."""


@functools.cache
def build() -> KeyRetirement:
    """Key retirement over AWS and OpenRouter, made at the first run. Raises `SettingsError`."""
    settings, policy = RetirementSettings.read(os.environ), Policy.load()
    aws, key, pace = Wiring("key_retirement"), settings.management_key_secret, settings.requests_per_second
    ledger, decisions = map(aws.ledger, settings.tables)
    pacing = AccountPace(aws.dynamodb, settings.table_name, pace, aws.log) if pace else None
    account = ManagedAccount(aws.secrets, key, policy.account.base_url, pacing=pacing)
    bus, client = aws.bus(ledger, settings.event_bus_name), aws.session.client
    elsewhere = functools.partial(client, "secretsmanager", config=AWS)
    copies = AwsSecretCopies(
        client("ssm", config=AWS), aws.secrets_manager, lambda region: elsewhere(region_name=region)
    )
    versions = SecretsManagerVersions(aws.secrets_manager)
    rows = Lineages(ledger), CauseStore(ledger), Approvals(ledger, decisions)
    needs = needs_in(client("s3", config=AWS), settings.reading_bucket)
    return KeyRetirement(Ports(policy, versions, copies, *rows, bus, account, utc_now, aws.log, needs), key)


@redelivered
def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """A run or a request in, what came of it out. Raises: the next run or a retry goes on from there."""
    asked = received(event)
    retirement = build()
    report = retirement.act(asked, seconds_left(context, MARGIN_SECONDS))
    retirement.ports.log.info("done", extra={"tended": report.tended, "put_off": report.put_off, "told": report.told})
    return {"tended": report.tended, "put_off": report.put_off, "told": report.told}
