"""One virtual clock for the whole process: moto, boto3 and the engine all read it."""

from datetime import UTC, datetime

import time_machine


class VirtualClock:
    """Stands still at `start` until `tick`, then runs at real speed from wherever the engine moved it. Never goes back.

    Everything that asks this process for the date gets virtual time (`time.monotonic` stays real, so socket and lock
    timeouts are real). Standing still while the stack deploys makes every resource exactly as old as the clock.
    """

    def __init__(self, start: datetime) -> None:
        self._travel = time_machine.travel(start.timestamp(), tick=False)
        self._traveller: time_machine.Traveller | None = None
        self._ticking = False

    def start(self) -> None:
        self._traveller = self._travel.start()

    def tick(self) -> None:
        self._ticking = True
        self._move(self.now())

    def stand_still(self) -> None:
        """Until `tick`, time passes by `move_to` alone: no real second counts, however slow the machine is."""
        self._ticking = False
        self._move(self.now())

    def stop(self) -> None:
        if self._traveller is not None:
            self._traveller = None
            self._travel.stop()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def move_to(self, instant: datetime) -> None:
        """Moves forward to `instant`; an instant already past changes nothing."""
        if instant > self.now():
            self._move(instant)

    def _move(self, instant: datetime) -> None:
        assert self._traveller is not None
        self._traveller.move_to(instant.timestamp(), tick=self._ticking)
