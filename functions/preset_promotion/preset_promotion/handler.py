"""Asks people about a preset's new version, promotes it when they say yes, and takes it back when it does not hold."""

import functools
import os
from typing import Any

from governor.account.inference import InferenceKeys
from governor.approvals.store import Approvals
from governor.clock import seconds_left, utc_now
from governor.events.redelivery import redelivered
from governor.policy import Policy
from governor.slack.channel import SlackChannel
from governor.wiring import Wiring
from management_api import Pacing
from preset_promotion.ports import Ports
from preset_promotion.service import PresetPromotion
from preset_promotion.settings import PromotionSettings, received

MARGIN_SECONDS = 8.0
"""Kept back from OpenRouter's calls, so that what was done can still be written down and told."""


@functools.cache
def build() -> PresetPromotion:
    """Preset promotion over AWS, OpenRouter and Slack, made at the first event. Raises `SettingsError`."""
    settings, policy = PromotionSettings.read(os.environ), Policy.load()
    aws = Wiring("preset_promotion")
    ledger = aws.ledger(settings.table_name)
    files = None
    if settings.slack_secret and policy.approvals:
        files = SlackChannel(aws.bot_token(settings.slack_secret), policy.approvals.channel, settings.slack_api_url)
    pacing = Pacing(settings.requests_per_second) if settings.requests_per_second else None
    ports = Ports(
        policy=policy,
        ledger=ledger,
        approvals=Approvals(ledger, aws.ledger(settings.decisions_table_name)),
        bus=aws.bus(ledger, settings.event_bus_name),
        connect=InferenceKeys(aws.secrets, policy.account.base_url, pacing=pacing),
        files=files,
        clock=utc_now,
        log=aws.log,
    )
    return PresetPromotion(ports)


@redelivered
def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """A run, a request or a decision in; raises what Lambda is to try again."""
    command = received(event)
    looked_at = build().act(command, seconds_left(context, MARGIN_SECONDS))
    return {"looked_at": looked_at}
