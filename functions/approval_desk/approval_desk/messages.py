"""One message of the queue: carried out and counted, or left for another delivery. A failure takes no other with it."""

from aws_lambda_powertools.logging import Logger

from approval_desk.service import ApprovalDesk
from approval_desk.settings import Message
from approval_desk.telemetry import count
from governor.slack_requests import SlackRequest


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
