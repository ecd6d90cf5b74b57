"""People's decisions and commands in, from Slack's gateway or the bus; decisions, events and answers out."""

import functools
import os
from typing import Any

import boto3
from aws_lambda_powertools.logging import Logger

from approval_desk.messages import carried_out, commanded
from approval_desk.ports import Ports
from approval_desk.service import ApprovalDesk
from approval_desk.settings import Beat, Commanded, Decided, DeskSettings, received
from governor.approvals import Approvals
from governor.aws import AWS
from governor.aws_identity import StsIdentities, regional
from governor.clock import utc_now
from governor.dynamo_ledger import DynamoLedger
from governor.events import EventBus
from governor.policy import Policy
from governor.redelivery import redelivered
from governor.secrets import SecretsManager
from governor.slack_identity import SlackDirectory
from governor.slack_replies import SlackReplies

logger = Logger(service="approval_desk", use_rfc3339=True)


@functools.cache
def build() -> ApprovalDesk:
    """The desk over AWS and Slack, made at the first event. Raises `SettingsError`."""
    settings, session = DeskSettings.read(os.environ), boto3.session.Session()
    ledger, decisions = (DynamoLedger(session.client("dynamodb", config=AWS), name) for name in settings.tables)
    replies = directory = None
    if settings.slack_secret:
        secrets = SecretsManager(session.client("secretsmanager", config=AWS))
        token = functools.partial(secrets.field, settings.slack_secret, "bot_token")
        replies = SlackReplies(token, settings.slack_api_url)
        directory = SlackDirectory(token, utc_now, settings.slack_api_url)
    bus = EventBus(session.client("events", config=AWS), settings.event_bus_name)
    sts = functools.partial(session.client, "sts")
    identities = StsIdentities(lambda: regional(sts().meta.endpoint_url, session.region_name), session.region_name)
    policy, approvals, stack = Policy.load(), Approvals(ledger, decisions), settings.event_bus_arn
    return ApprovalDesk(Ports(policy, ledger, approvals, bus, replies, directory, identities, stack, utc_now, logger))


@redelivered
def lambda_handler(event: Any, _context: Any) -> dict[str, Any]:
    """A batch of interactions, a decision as an event, or the beat that ends what has expired. Raises: tried again."""
    asked, desk = received(event), build()
    if isinstance(asked, Beat):
        return {"expired": desk.expire()}
    if isinstance(asked, Decided):
        return {"rule": desk.decided(asked)}
    if isinstance(asked, Commanded):
        return commanded(desk, asked)
    return {"batchItemFailures": [{"itemIdentifier": one.id} for one in asked if not carried_out(desk, one, logger)]}
