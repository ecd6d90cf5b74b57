"""Several invocations beside each other, interleaved at their outside calls as a seed decides."""

import random
import threading
from collections.abc import Callable, Sequence

from tests.faults.harness import Ended, Wire


def in_turns(wire: Wire, runs: Sequence[Callable[[], object]], seed: int) -> list[Ended]:
    """Several invocations beside each other, each in a thread; at every outside call the seed decides who goes on.

    One at a time moves, so a seed always gives the same interleaving.
    """
    turns = _Turns(len(runs), random.Random(seed))
    ended = [Ended.KILLED] * len(runs)

    def run_in_turn(index: int) -> None:
        turns.enter(index)
        try:
            runs[index]()
            ended[index] = Ended.DONE
        except Exception:  # noqa: BLE001 - as in `invoke`
            ended[index] = Ended.FAILED
        finally:
            turns.leave(index)

    wire.begin()
    wire.before = lambda _at, _name: turns.pass_on()
    threads = [threading.Thread(target=run_in_turn, args=(index,)) for index in range(len(runs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wire.before = None
    return ended


class _Turns:
    """Who of several threads may move. Each waits for its own turn: to wake all of them each time is slow."""

    def __init__(self, count: int, chance: random.Random) -> None:
        self._turns = [threading.Semaphore(0) for _ in range(count)]
        self._waiting = list(range(count))
        self._chance = chance
        self._of_thread = threading.local()
        self._turns[chance.choice(self._waiting)].release()

    def enter(self, index: int) -> None:
        self._of_thread.index = index
        self._turns[index].acquire()

    def pass_on(self) -> None:
        """At an outside call: goes on, or waits while another does."""
        index = self._of_thread.index
        chosen = self._chance.choice(self._waiting)
        if chosen != index:
            self._turns[chosen].release()
            self._turns[index].acquire()

    def leave(self, index: int) -> None:
        self._waiting.remove(index)
        if self._waiting:
            self._turns[self._chance.choice(self._waiting)].release()
