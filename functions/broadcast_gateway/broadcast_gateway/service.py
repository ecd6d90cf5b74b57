"""Takes a delivery whose token fits, and puts what its requests cost on the stream; nothing is remembered here.

A delivery that comes twice is put there twice, under the same generations: the tally counts each once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from broadcast_gateway.decide import Delivery, Refused, unpacked
from broadcast_gateway.notification import named
from broadcast_gateway.otlp import Read, read
from governor.broadcast.header_token import BROADCAST, NOTIFICATIONS
from governor.broadcast.messages import Pushed


class Token(Protocol):
    """The tokens that OpenRouter is configured with."""

    def fits(self, token: str, purpose: str = BROADCAST) -> bool:
        """Whether it is the one for this purpose; compared in constant time."""


class Stream(Protocol):
    """Where costs are put to be added up."""

    def put(self, pushed: Sequence[Pushed]) -> None:
        """Hands every record over, at least once."""


@dataclass(frozen=True)
class Gateway:
    """What outlives an invocation."""

    token: Token
    stream: Stream

    def take(self, delivery: Delivery) -> Read:
        """What the delivery told. Raises `Refused` for what is not OpenRouter's, and whatever kept it from the stream.

        Of a delivery that holds prompts or completions nothing is kept but that there was one.
        """
        if not self.token.fits(delivery.token, NOTIFICATIONS if delivery.is_notification else BROADCAST):
            raise Refused(401, "the token does not fit")
        if delivery.is_notification:
            return self._notified(delivery)
        if delivery.is_test:
            return Read()
        found = read(unpacked(delivery))
        if found.content:
            self.stream.put([Pushed(content=True)])
        elif found.pushed:
            self.stream.put(found.pushed)
        return found

    def _notified(self, delivery: Delivery) -> Read:
        """A notification of OpenRouter's own: whom it may name goes on the stream, as a tip. `uncounted` is 1 where it
        could not be read."""
        try:
            names = named(unpacked(delivery))
        except Refused:
            names = None
        if names:
            self.stream.put([Pushed(names=names)])
        return Read(uncounted=0 if names is not None else 1)
