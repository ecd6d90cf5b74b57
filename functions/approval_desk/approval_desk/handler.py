"""People's decisions and commands in, from Slack's gateway or the bus; decisions, events and answers out."""

import functools
import os
from typing import Any

from aws_lambda_powertools.logging import Logger

from approval_desk.messages import carried_out, commanded
from approval_desk.service import ApprovalDesk
from approval_desk.settings import Commanded, Decided, DeskSettings, Tick, received
from approval_desk.wiring import desk_over
from governor.clock import utc_now
from governor.events.redelivery import redelivered

logger = Logger(service="approval_desk", use_rfc3339=True)


@functools.cache
def build() -> ApprovalDesk:
    """The desk over AWS and Slack, made at the first event. Raises `SettingsError`."""
    return desk_over(DeskSettings.read(os.environ), utc_now, logger)


@redelivered
def lambda_handler(event: Any, _context: Any) -> dict[str, Any]:
    """A batch of interactions, a decision as an event, or the run that ends what has expired. Raises: tried again."""
    asked, desk = received(event), build()
    if isinstance(asked, Tick):
        return {"expired": desk.expire()}
    if isinstance(asked, Decided):
        return {"rule": desk.decided(asked)}
    if isinstance(asked, Commanded):
        return commanded(desk, asked)
    return {"batchItemFailures": [{"itemIdentifier": one.id} for one in asked if not carried_out(desk, one, logger)]}
