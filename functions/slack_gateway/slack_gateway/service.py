"""Takes what Slack signed and puts it on the queue; the work is done behind it, after Slack has its answer.

Nothing is remembered here: a retry or a replay is put on the queue again, under the same id, and the desk does nothing
twice. So a first attempt that was lost on the way is made good by Slack's next one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from slack_gateway.decide import Refused, Signed
from slack_gateway.events import challenge, opened
from slack_gateway.payloads import read

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
    """What outlives an invocation. `homes`: the queue of those who open the app's Home."""

    signature: Signature
    queue: Queue
    homes: Queue

    def take(self, signed: Signed) -> dict[str, Any] | None:
        """The answer to show the person who did it, or None for nothing to show.

        Raises `Refused` for what Slack did not sign or would not send, and whatever kept it from the queue.
        """
        if not self.signature.is_valid(signed.body, signed.timestamp, signed.signature):
            raise Refused(401, "the signature does not fit")
        if signed.is_event:
            return self._event(signed)
        asked = read(signed)
        if asked is None:
            return None
        self.queue.send([asked.encode()])
        return ONE_MOMENT if asked.kind == "command" else None

    def _event(self, signed: Signed) -> dict[str, Any] | None:
        """An event of Slack's own, already verified."""
        wanted = challenge(signed)
        if wanted is not None:
            return {"challenge": wanted}
        who = opened(signed)
        if who is not None:
            self.homes.send([who.encode()])
        return None
