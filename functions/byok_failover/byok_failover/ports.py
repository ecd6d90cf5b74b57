"""What failover checks work with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from governor.approvals.store import Approvals
from governor.clock import Clock
from governor.events import Publisher
from governor.ledger import Ledger
from governor.policy import Policy
from governor.ports import Connect, Log

if TYPE_CHECKING:
    from pydantic import SecretStr

    from management_api import OpenRouter


class ProbeKey(Protocol):
    """Reads an inference key that probes, past any cache. Raises `SecretUnavailable` and `SecretMalformed`."""

    def __call__(self, secret: str) -> "SecretStr": ...


class Pages(Protocol):
    """Where pages for people are put."""

    def put(self, name: str, text: str) -> None:
        """The page as it is from now on. Idempotent. An AWS error passes through."""


@dataclass(frozen=True)
class Ports:
    """What outlives an invocation. `pause`: seconds in which nothing is done, between a drill's probes only."""

    policy: Policy
    probe_key: ProbeKey
    ledger: Ledger
    approvals: Approvals
    bus: Publisher
    pages: Pages
    connect: "Connect[OpenRouter]"
    clock: Clock
    pause: Callable[[float], None]
    log: Log
