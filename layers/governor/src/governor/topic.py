"""The alert topic: plain mail to people, for when Slack cannot be reached or is not used."""

from typing import TYPE_CHECKING, Protocol

from redaction import redact

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

MAX_SUBJECT = 99
MAX_BODY_BYTES = 250_000


class Topic(Protocol):
    """Where mail goes out."""

    def send(self, subject: str, body: str) -> None:
        """Send one mail, at least once: SNS drops no repeats and cannot be read back. An AWS error passes through."""


class AlertTopic:
    """`Topic` over SNS."""

    def __init__(self, client: "SNSClient", arn: str) -> None:
        self._client = client
        self._arn = arn

    def send(self, subject: str, body: str) -> None:
        message = redact(body).encode()[:MAX_BODY_BYTES].decode(errors="ignore")
        self._client.publish(TopicArn=self._arn, Subject=mail_subject(subject), Message=message)


def mail_subject(text: str) -> str:
    """The text as SNS takes a subject: one line of printable ASCII, shorter than 100 characters, never empty."""
    ascii = redact(text).replace("…", "...").replace("×", "x").encode("ascii", errors="ignore").decode()
    line = " ".join(ascii.split())
    return (line or "Governor")[:MAX_SUBJECT]


class MemoryTopic:
    """`Topic` in memory, for tests: `sent` holds subject and body of each mail."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def send(self, subject: str, body: str) -> None:
        self.sent.append((mail_subject(subject), body))
