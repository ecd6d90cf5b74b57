"""Meters the account every minute, and a key in between when a tip asks: spend and runaways become events."""

import functools
import gc
import os
from typing import Any

from aws_lambda_powertools.logging import Logger

from governor.broadcast.messages import Tip
from governor.clock import seconds_left, utc_now
from governor.policy import Policy
from spend_meter.broadcast_check import BroadcastCheck, Checked
from spend_meter.service import SpendMeter
from spend_meter.settings import MeterSettings, Tick, asks_for_check, tip_in
from spend_meter.telemetry import Telemetry
from spend_meter.waking import Waker
from spend_meter.wiring import broadcast_check, connected

COLLECT_AFTER = 50_000
"""New objects after which the collector looks for cycles. A run at 10,000 keys makes half as many and leaves no cycle:
at Python's 2,000 the collector would look ten times a run, at what is still in use."""


@functools.cache
def build() -> tuple[SpendMeter, Waker, BroadcastCheck | None, Telemetry]:
    """The meter over AWS and OpenRouter, made at the first run. Raises `SettingsError`."""
    gc.set_threshold(COLLECT_AFTER)
    settings, policy = MeterSettings.read(os.environ), Policy.load()
    ports = connected(settings, policy)
    meter = SpendMeter(policy, ports, settings.management_key_secret, settings.concurrency)
    check = broadcast_check(settings, policy, ports, meter)
    return meter, Waker(policy, ports, meter), check, Telemetry(Logger(use_rfc3339=True))


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """One run, one reading that a tip asks for, or one check of Broadcast. Raises `BadEvent`, and what kept the
    account from being read once that is recorded."""
    now = utc_now()
    asked = None if asks_for_check(event) else tip_in(event) or Tick.received(event, now)
    meter, waker, check, telemetry = build()
    left = seconds_left(context)
    if asked is None:
        return telemetry.tell_checked(check.check(now, left) if check else Checked("off"))
    if isinstance(asked, Tip):
        return telemetry.tell_woken(waker.wake(asked, now, left))
    report = meter.tick(asked, left)
    telemetry.tell(asked, report)
    if report.failure:
        raise report.failure
    return {"outcome": report.outcome, "keys_read": report.keys_read, "events": len(report.events)}
