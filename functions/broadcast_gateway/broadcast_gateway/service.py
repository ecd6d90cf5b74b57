"""Takes a delivery whose token fits, and puts what its requests cost on the stream; nothing is remembered here.

A delivery that comes twice is put there twice, under the same generations: the tally counts each once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from broadcast_gateway.decide import Delivery, Refused, unpacked
from broadcast_gateway.reading import Read, read
from governor.broadcast import Pushed


class Token(Protocol):
    """The token that OpenRouter's destination is configured with."""

    def fits(self, token: str) -> bool:
        """Whether it is the one; compared in constant time."""


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
        if not self.token.fits(delivery.token):
            raise Refused(401, "the token does not fit")
        if delivery.is_test:
            return Read()
        found = read(unpacked(delivery))
        if found.content:
            self.stream.put([Pushed(content=True)])
        elif found.pushed:
            self.stream.put(found.pushed)
        return found
