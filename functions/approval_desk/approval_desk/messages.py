"""One message of the queue, or one command: carried out and counted. A failed message takes no other with it."""

from typing import Any

from aws_lambda_powertools.logging import Logger

from approval_desk.service import ApprovalDesk
from approval_desk.settings import Commanded, Message
from approval_desk.telemetry import count
from governor.slack.requests import SlackRequest


def carried_out(desk: ApprovalDesk, message: Message, logger: Logger) -> bool:
    """Whether the message is done with; why not is in the log."""
    try:
        request = SlackRequest.decode(message.body)
        rule = desk.act(request, message.deliveries)
    except Exception:
        logger.exception("an interaction was not carried out", extra={"message_id": message.id})
        return False
    logger.info("acted", extra={"by": request.user, "action": request.action or request.kind, "rule": rule})
    count(rule)
    return True


def commanded(desk: ApprovalDesk, asked: Commanded) -> dict[str, Any]:
    """The rule by which a command went. Raises what kept it from being done: it is delivered again."""
    rule = desk.commanded(asked)
    count(rule)
    return {"rule": rule}
