"""Delivers what inference put in the outbox: one OTLP/HTTP JSON request per generation and destination.

From a thread of its own, after the answer: a destination that fails or hangs never touches the request it reports.
"""

import queue
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx

TIMEOUT = 5.0
"""Seconds a destination is given."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One payload on its way to one destination."""

    destination_id: str
    method: str
    url: str
    headers: dict[str, str]
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of one; `status` 0 when the destination did not answer, `error` then says why."""

    destination_id: str
    url: str
    status: int
    error: str | None = None


class Broadcaster:
    """`transport` replaces the network in tests."""

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        self.delivered: list[Delivered] = []
        self.transport = transport
        self._waiting: queue.Queue[Delivery] = queue.Queue()
        self._worker: threading.Thread | None = None

    def send(self, deliveries: Iterable[Delivery]) -> None:
        """Queue them and return at once."""
        for delivery in deliveries:
            self._waiting.put(delivery)
            if self._worker is None:
                self._worker = threading.Thread(target=self._run, daemon=True, name="broadcast")
                self._worker.start()

    def wait(self) -> None:
        """Return when everything queued so far has been delivered or has failed."""
        self._waiting.join()

    def _run(self) -> None:
        with httpx.Client(transport=self.transport, timeout=TIMEOUT, trust_env=False) as client:
            while True:
                delivery = self._waiting.get()
                try:
                    self.delivered.append(_deliver(client, delivery))
                finally:
                    self._waiting.task_done()


def _deliver(client: httpx.Client, delivery: Delivery) -> Delivered:
    try:
        answer = client.request(delivery.method, delivery.url, json=delivery.payload, headers=delivery.headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Delivered(delivery.destination_id, delivery.url, 0, f"{type(error).__name__}: {error}")
    return Delivered(delivery.destination_id, delivery.url, answer.status_code)
