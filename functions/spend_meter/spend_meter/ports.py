"""The outside world of the meter."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import SecretStr

from governor.events import Publisher
from governor.ledger import Ledger
from governor.secrets import Secrets
from governor.storage.readings import ReadingStore
from management_api import OpenRouter


@dataclass(frozen=True)
class Ports:
    """`connect`: a client for a key. `woken`, `watch`: what is kept for readings between two minutes; None: there are
    none. `needs`: what is kept for `key_retirement` of workloads with an allowance."""

    store: ReadingStore
    ledger: Ledger
    publisher: Publisher
    secrets: Secrets
    connect: Callable[[SecretStr], OpenRouter]
    woken: ReadingStore | None = None
    watch: ReadingStore | None = None
    needs: ReadingStore | None = None
