"""The desk with its adapters, from its settings."""

import functools

from aws_lambda_powertools.logging import Logger

from approval_desk.bulk import Pace
from approval_desk.ports import Ports
from approval_desk.service import ApprovalDesk
from approval_desk.settings import DeskSettings
from governor.account.backlog import backlog_seconds
from governor.approvals.store import Approvals
from governor.aws import AWS
from governor.aws_identity import StsIdentities, regional
from governor.clock import Clock
from governor.events import EventBus
from governor.keys.bulk_order import BulkOrders
from governor.policy import Policy
from governor.slack.identity import SlackDirectory
from governor.slack.replies import SlackReplies
from governor.wiring import Wiring


def desk_over(settings: DeskSettings, clock: Clock, logger: Logger) -> ApprovalDesk:
    """The desk over AWS and, where the settings name its secret, Slack."""
    aws = Wiring("approval_desk")
    session = aws.session
    ledger, decisions = map(aws.ledger, settings.tables)
    replies = directory = None
    if settings.slack_secret:
        token = aws.bot_token(settings.slack_secret)
        replies = SlackReplies(token, settings.slack_api_url)
        directory = SlackDirectory(token, clock, settings.slack_api_url)
    sts, region = functools.partial(session.client, "sts"), session.region_name

    def pace() -> Pace:
        behind = backlog_seconds(aws.dynamodb, settings.table_name, clock().timestamp())
        return Pace(settings.requests_per_second, behind)

    return ApprovalDesk(
        Ports(
            policy=Policy.load(),
            ledger=ledger,
            approvals=Approvals(ledger, decisions),
            orders=BulkOrders(decisions),
            pace=pace,
            bus=EventBus(session.client("events", config=AWS), settings.event_bus_name),
            replies=replies,
            directory=directory,
            identities=StsIdentities(lambda: regional(sts().meta.endpoint_url, region), region),
            stack=settings.event_bus_arn,
            clock=clock,
            log=logger,
        )
    )
