"""Asks for the pictures of incidents that people were just told about; nobody waits for one (promise 15).

The one effect is a message to the queue. Dies before it: the batch comes again, is told no more, and asks again. Twice
or late: `incident_picture` knows what it shows, and draws the newest. Where the queue takes nothing, the text stands.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aws_lambda_powertools import Logger

from governor.events import Event
from notifier.decide import PICTURED
from notifier.service import Told


class Queue(Protocol):
    """Where work waits its turn."""

    def send(self, bodies: Sequence[str]) -> None:
        """Hands every body over, at least once."""


@dataclass
class PictureRequests:
    """One batch's. `queue`: None where no picture is drawn."""

    queue: Queue | None
    log: Logger
    _incidents: dict[str, None] = field(default_factory=dict, init=False)

    def note(self, event: Event, told: Told) -> None:
        """People were told of the event. By mail, there is no thread to show a picture in; what nobody confirms
        (`unconfirmed#`) gets none."""
        incident = told.incident.rpartition("#")[0]
        confirmed = incident and not incident.startswith("unconfirmed#")
        if confirmed and event.detail_type in PICTURED and told.via != "mail":
            self._incidents[incident] = None

    def send(self) -> None:
        """Asks for them, each incident once. Raises nothing: people have been told, and the next event asks again."""
        if self.queue is None or not self._incidents:
            return
        try:
            self.queue.send([json.dumps({"incident": one}) for one in self._incidents])
        except Exception:
            self.log.exception("no picture could be asked for; the text stands")
