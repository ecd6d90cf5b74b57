"""The one thread that owns the world: it passes the time, and carries out what the page asks for, one after the other.

At rest the virtual clock stands still and the thread waits for the next order: a paused page costs no processor time.
"""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from sandbox.scenario.world import World

type Pace = Literal["paused", "x1", "x60"]
type Story = Generator[timedelta, None, str]
"""Something that takes virtual time: it yields how long to let pass, step by step, and answers what came of it."""
MINUTE = timedelta(minutes=1)
WAITING = 64
"""Orders that may wait; more are refused."""
LOOK_SECONDS = 1.0
"""Real seconds between two looks at a world whose clock runs by itself, and between two minutes at x60."""


_LOG = logging.getLogger(__name__)


class Busy(Exception):
    """The driver cannot take the order now; the message says why."""


@dataclass
class _Order:
    work: Callable[[], Any]
    done: Future[Any] = field(default_factory=Future)


class Driver:
    """`on_change` is called in the driver's thread after everything that may have changed the world."""

    def __init__(
        self,
        world: World,
        before_step: Callable[[], None] = lambda: None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.world = world
        self.pace: Pace = "paused"
        self.doing = ""
        """The title of the story that runs, empty for none."""
        self.outcome = ""
        """What came of the last story."""
        self._story: Story | None = None
        self._before_step, self._on_change = before_step, on_change
        self._orders: queue.Queue[_Order | None] = queue.Queue(maxsize=WAITING)
        self._thread = threading.Thread(target=self._run, name="play driver", daemon=True)
        self._closed = False
        self._looked = 0.0

    def start(self) -> None:
        self.world.engine.clock.stand_still()
        self._show()
        self._thread.start()

    def close(self) -> None:
        """Ends the thread after the step that it is in."""
        self._closed = True
        with contextlib.suppress(queue.Full):
            self._orders.put_nowait(None)
        self._thread.join(timeout=60)

    def order(self, work: Callable[[], Any]) -> Future[Any]:
        """Has `work` done in the driver's thread while the clock runs. Raises `Busy` when too much waits."""
        order = _Order(work)
        try:
            self._orders.put_nowait(order)
        except queue.Full:
            raise Busy(f"{WAITING} orders are waiting already: try again in a moment") from None
        return order.done

    def set_pace(self, pace: Pace) -> None:
        """In the driver's thread: how time passes from now on. Whatever story runs is broken off."""
        if self._story is not None:
            self._story.close()
            self._story, self.doing, self.outcome = None, "", "It was broken off."
        self.pace = pace

    def tell(self, title: str, story: Story) -> None:
        """In the driver's thread: begins the story. Raises `Busy` while another runs."""
        if self._story is not None:
            raise Busy(f"“{self.doing}” is under way: wait for it, or pause it")
        self.pace, self.doing, self.outcome, self._story = "paused", title, "", story

    @property
    def at_rest(self) -> bool:
        return self.pace == "paused" and self._story is None

    def _run(self) -> None:
        clock = self.world.engine.clock
        while not self._closed:
            try:
                order = self._orders.get(timeout=self._patience())
            except queue.Empty:
                self._advance()
                continue
            if order is not None:
                clock.tick()
                self._carry_out(order)
                if self.at_rest:
                    clock.stand_still()
                self._show()

    def _patience(self) -> float | None:
        """Real seconds to wait for an order before time passes; None: for ever."""
        if self._story is not None:
            return 0.001
        if self.pace == "paused":
            return None
        return max(0.001, self._looked + LOOK_SECONDS - time.monotonic())

    def _carry_out(self, order: _Order) -> None:
        try:
            order.done.set_result(order.work())
        except Exception as error:  # noqa: BLE001 whatever it is, whoever ordered it is told, and the thread lives on
            order.done.set_exception(error)

    def _advance(self) -> None:
        self._looked = time.monotonic()
        clock = self.world.engine.clock
        clock.tick()
        try:
            if self._story is not None:
                self._tell_on(self._story)
            elif self.pace == "x60":
                self.step(MINUTE)
            else:
                self.step(timedelta(milliseconds=20))
        except Exception as error:  # noqa: BLE001 the page says it, and stays usable
            self._story, self.pace, self.doing = None, "paused", ""
            missing = isinstance(error, LookupError)  # a button or a trouble that a step before it would have made
            what = "This cannot be done now" if missing else f"The sandbox failed, {type(error).__name__}"
            self.outcome = f"{what}: {error}"
        if self.at_rest:
            clock.stand_still()
        self._show()

    def _show(self) -> None:
        try:
            self._on_change()
        except Exception:  # noqa: BLE001 a page that stays as it was is better than one that answers nobody
            _LOG.exception("The page could not be drawn anew; it shows what was true before.")

    def _tell_on(self, story: Story) -> None:
        try:
            self.step(next(story))
        except StopIteration as end:
            self._story, self.doing, self.outcome = None, "", str(end.value)

    def step(self, span: timedelta) -> None:
        """Lets so much time pass, with everything due in it."""
        self._before_step()
        self.world.run(self.world.now + span, every=max(span, MINUTE))
