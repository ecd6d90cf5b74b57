"""Sends one event, signed, once.

The one effect is the POST. It dies before: the message comes again. After, or the answer is lost: it is posted again
with the same id and a new time. Twice, late, or beside itself: the receiver knows the id. Events come in any order.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from pydantic import SecretStr

from webhook_sender.decide import headers, verdict
from webhook_sender.settings import Delivery


class NotTaken(Exception):
    """The receiver did not take an event; the message says which event, which host and what it answered."""


class Receiver(Protocol):
    """Where events go."""

    host: str

    def post(self, body: bytes, headers: dict[str, str]) -> int:
        """The status of its answer, of which nothing else is read. Raises `governor.https_post.NoAnswer`."""


class Sender:
    """`secrets` are asked for at each event, so that a rotated one needs no deployment."""

    def __init__(
        self, receiver: Receiver, secrets: Callable[[], Sequence[SecretStr]], now: Callable[[], datetime]
    ) -> None:
        self._receiver, self._secrets, self._now = receiver, secrets, now

    def send(self, delivery: Delivery) -> str:
        """What the receiver answered, once it has taken the event. Raises `NotTaken`, and what its ports raise."""
        signed = headers(delivery.id, delivery.body, self._secrets(), self._now())
        found = verdict(self._receiver.post(delivery.body.encode(), signed))
        if not found.taken:
            raise NotTaken(f"event {delivery.id}: {self._receiver.host} {found.reason}")
        return found.reason
