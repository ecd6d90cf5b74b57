"""Questions asked beside each other, each of which may fail or take too long without holding up the others."""

import queue
import threading
import time
from collections.abc import Callable, Mapping


class TooSlow(Exception):
    """There was no answer in time."""


AT_ONCE = 8
"""Threads that ask; a client of boto3's keeps ten connections."""


def beside[T](questions: Mapping[str, Callable[[], T]], seconds: float) -> dict[str, T | Exception]:
    """The answer to each question, or what it raised; `TooSlow` where there was none after so many seconds.

    The threads are daemons: one that still waits does not keep the process from ending.
    """
    turn = threading.Semaphore(AT_ONCE)
    answers: queue.SimpleQueue[tuple[str, T | Exception]] = queue.SimpleQueue()

    def ask(name: str, question: Callable[[], T]) -> None:
        try:
            with turn:
                answers.put((name, question()))
        except Exception as error:  # noqa: BLE001  # whatever it is, it is this question's answer
            answers.put((name, error))

    for name, question in questions.items():
        threading.Thread(target=ask, args=(name, question), name=name, daemon=True).start()
    found: dict[str, T | Exception] = {}
    end = time.monotonic() + seconds
    while len(found) < len(questions):
        try:
            name, answer = answers.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            break
        found[name] = answer
    slow = TooSlow(f"no answer within {seconds:g} seconds")
    return {name: found.get(name, slow) for name in questions}
