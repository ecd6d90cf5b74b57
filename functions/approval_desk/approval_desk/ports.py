"""What the approval desk works with."""

from collections.abc import Callable
from dataclasses import dataclass

from approval_desk.bulk import Pace
from governor.approvals.store import Approvals
from governor.aws_identity import Identities
from governor.clock import Clock
from governor.events import Publisher
from governor.keys.bulk_order import BulkOrders
from governor.ledger import Ledger
from governor.policy import Policy
from governor.ports import Log
from governor.slack.identity import Directory
from governor.slack.replies import Replies


@dataclass(frozen=True)
class Ports:
    """What outlives an invocation. `replies` and `directory`: None where Slack is not used.

    `stack`: the ARN of the bus, to which a command's signature is bound. `pace`: of the account, as it is now.
    """

    policy: Policy
    ledger: Ledger
    approvals: Approvals
    orders: BulkOrders
    pace: Callable[[], Pace]
    bus: Publisher
    replies: Replies | None
    directory: Directory | None
    identities: Identities
    stack: str
    clock: Clock
    log: Log
