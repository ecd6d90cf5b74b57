"""Takes what Slack signed and puts it on the queue; the work is done behind it, after Slack has its answer.

Nothing is remembered here: a retry or a replay is put on the queue again, under the same id, and the desk does nothing
twice. So a first attempt that was lost on the way is made good by Slack's next one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from slack_gateway.decide import Refused, Signed
from slack_gateway.reading import read

ONE_MOMENT = {"response_type": "ephemeral", "text": "One moment …"}


class Signature(Protocol):
    """Slack's signature."""

    def is_valid(self, body: bytes, timestamp: str, signature: str) -> bool:
        """Whether Slack signed these bytes."""


class Queue(Protocol):
    """Where work waits its turn."""

    def send(self, bodies: Sequence[str]) -> None:
        """Hands every body over, at least once."""


@dataclass(frozen=True)
class Gateway:
    """What outlives an invocation."""

    signature: Signature
    queue: Queue

    def take(self, signed: Signed) -> dict[str, Any] | None:
        """The answer to show the person who did it, or None for nothing to show.

        Raises `Refused` for what Slack did not sign or would not send, and whatever kept it from the queue.
        """
        if not self.signature.is_valid(signed.body, signed.timestamp, signed.signature):
            raise Refused(401, "the signature does not fit")
        asked = read(signed)
        if asked is None:
            return None
        self.queue.send([asked.encode()])
        return ONE_MOMENT if asked.kind == "command" else None
