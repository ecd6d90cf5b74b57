"""The event bus in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from governor.events import Event


@dataclass
class Bus:
    """`Publisher` that keeps what it is given, in order. `fails`: what it raises instead, as long as it is set."""

    events: list[Event] = field(default_factory=list)
    fails: Exception | None = None

    def publish(self, events: Sequence[Event]) -> None:
        if self.fails:
            raise self.fails
        self.events += events

    @property
    def last(self) -> Event:
        return self.events[-1]

    def kinds(self) -> list[str]:
        """Each event once, by its id, in order."""
        return [*{event.id: event.detail_type.value for event in self.events}.values()]
