"""Disables what must not go on spending, and gives it back when a person says so."""

import functools
import os
from typing import Any

from governor.account.connection import ManagedAccount
from governor.approvals.store import Approvals
from governor.clock import seconds_left, utc_now
from governor.events.redelivery import redelivered
from governor.policy import Policy
from governor.wiring import Wiring
from kill_switch.service import KillSwitch
from kill_switch.settings import KillSwitchSettings, received
from kill_switch.store import KillSwitchStore

MARGIN_SECONDS = 2.0
"""Kept back from OpenRouter's calls, so that what was done can still be written down and told."""


@functools.cache
def build() -> KillSwitch:
    """The kill switch over AWS and OpenRouter, made at the first event. Raises `SettingsError`."""
    settings, policy = KillSwitchSettings.read(os.environ), Policy.load()
    aws = Wiring("kill_switch")
    ledger = aws.ledger(settings.table_name)
    return KillSwitch(
        policy=policy,
        store=KillSwitchStore(ledger),
        approvals=Approvals(ledger, aws.ledger(settings.decisions_table_name)),
        bus=aws.bus(ledger, settings.event_bus_name),
        connect=ManagedAccount(aws.secrets, settings.management_key_secret, policy.account.base_url),
        clock=utc_now,
        log=aws.log,
    )


@redelivered
def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """One EventBridge envelope in; what was published, out. Raises: Lambda retries, then the dead letter."""
    request = received(event)
    kill_switch = build()
    told = kill_switch.act(request, seconds_left(context, MARGIN_SECONDS))
    if told is None:
        return {"detail_type": None, "id": request.event.id, "rule": "carried_out_before"}
    extra = {"asked_by": request.event.id, "subject": told.subject, "event": told.detail_type}
    kill_switch.log.info("told", extra=extra)
    return {"detail_type": told.detail_type, "id": told.id, "rule": told.evidence["rule"]}
