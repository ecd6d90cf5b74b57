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
    """Who of several threads may move."""

    def __init__(self, count: int, chance: random.Random) -> None:
        self._moved = threading.Condition()
        self._waiting = set(range(count))
        self._chance = chance
        self._turn = chance.randrange(count)
        self._of_thread = threading.local()

    def enter(self, index: int) -> None:
        self._of_thread.index = index
        self._wait(index)

    def pass_on(self) -> None:
        with self._moved:
            self._choose()
        self._wait(self._of_thread.index)

    def leave(self, index: int) -> None:
        with self._moved:
            self._waiting.discard(index)
            self._choose()

    def _choose(self) -> None:
        if self._waiting:
            self._turn = self._chance.choice(sorted(self._waiting))
        self._moved.notify_all()

    def _wait(self, index: int) -> None:
        with self._moved:
            self._moved.wait_for(lambda: self._turn == index)
