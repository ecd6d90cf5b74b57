"""Work that waits its turn in an SQS queue."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SendFailed(Exception):
    """The queue did not take every message; send them all again."""


class WorkQueue:
    """Sends messages to one queue."""

    MAX_ENTRIES = 10

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def send(self, bodies: Sequence[str]) -> None:
        """Hands every body over, at least once. Raises `SendFailed`."""
        for start in range(0, len(bodies), self.MAX_ENTRIES):
            some = bodies[start : start + self.MAX_ENTRIES]
            answer = self._client.send_message_batch(
                QueueUrl=self._url,
                Entries=[{"Id": str(number), "MessageBody": body} for number, body in enumerate(some)],
            )
            if answer.get("Failed"):
                codes = sorted({one["Code"] for one in answer["Failed"]})
                raise SendFailed(f"{len(answer['Failed'])} messages refused by queue {self._url}: {codes}")

    def back_after(self, receipt: str, seconds: int) -> bool:
        """Has a message that was taken come back so soon, rather than after the queue's own time. Whether it will: a
        receipt that has expired, or a queue that did not answer, leaves it to the queue."""
        try:
            self._client.change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds)
        except (ClientError, BotoCoreError):
            return False
        return True
