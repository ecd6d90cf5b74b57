"""What key planning works with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from governor.approvals.store import Approvals
from governor.clock import Clock
from governor.events import Publisher
from governor.keys.bulk_order import BulkOrders
from governor.keys.causes import CauseStore
from governor.keys.lineage import Lineages
from governor.policy import Policy
from governor.ports import Log
from governor.secrets.versions import SecretVersions


class Queue(Protocol):
    """Where work waits its turn."""

    def send(self, bodies: Sequence[str]) -> None:
        """Hands every body over, at least once. Raises `SendFailed`."""

    def back_after(self, receipt: str, seconds: int) -> bool:
        """Has a message that was taken come back so soon, rather than after the queue's own time. Whether it will."""


@dataclass(frozen=True)
class Ports:
    """What outlives an invocation. `function_arn`: of the rotation function."""

    policy: Policy
    secrets: SecretVersions
    lineages: Lineages
    causes: CauseStore
    bus: Publisher
    queue: Queue
    function_arn: str
    approvals: Approvals
    orders: BulkOrders
    clock: Clock
    log: Log
