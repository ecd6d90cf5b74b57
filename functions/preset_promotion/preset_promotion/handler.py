"""Asks people about a preset's new version, promotes it when they say yes, and takes it back when it does not hold."""

import functools
import os
from typing import Any

import boto3
from aws_lambda_powertools.logging import Logger

from governor.account.inference import InferenceKeys
from governor.approvals.store import Approvals
from governor.aws import AWS
from governor.clock import utc_now
from governor.events.published import recorded_bus
from governor.events.redelivery import redelivered
from governor.ledger.dynamodb import DynamoLedger
from governor.policy import Policy
from governor.secrets import SecretsManager
from governor.slack.channel import SlackChannel
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
    session = boto3.session.Session()
    secrets = SecretsManager(session.client("secretsmanager", config=AWS))
    table = session.client("dynamodb", config=AWS)
    ledger = DynamoLedger(table, settings.table_name)
    files = None
    if settings.slack_secret and policy.approvals:
        token = functools.partial(secrets.field, settings.slack_secret, "bot_token")
        files = SlackChannel(token, policy.approvals.channel, settings.slack_api_url)
    pacing = Pacing(settings.requests_per_second) if settings.requests_per_second else None
    ports = Ports(
        policy=policy,
        ledger=ledger,
        approvals=Approvals(ledger, DynamoLedger(table, settings.decisions_table_name)),
        bus=recorded_bus("preset_promotion", ledger, session.client("events", config=AWS), settings.event_bus_name),
        connect=InferenceKeys(secrets, policy.account.base_url, pacing=pacing),
        files=files,
        clock=utc_now,
        log=Logger(use_rfc3339=True),
    )
    return PresetPromotion(ports)


@redelivered
def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """A run, a request or a decision in; raises what Lambda is to try again."""
    command = received(event)
    looked_at = build().act(command, lambda: int(context.get_remaining_time_in_millis()) / 1000 - MARGIN_SECONDS)
    return {"looked_at": looked_at}
