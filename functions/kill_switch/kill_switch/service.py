"""Acts on a request from whatever point an earlier attempt reached (promise 1).

The order is the safety: live read, decision, intent in the ledger, PATCH, read back, outcome in the ledger, event out.
Whoever loses a conditional write reads and decides again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from governor.approvals.store import Approvals, NotGranted
from governor.clock import Clock
from governor.events import DetailType, Event, Publisher
from governor.ledger import LedgerConflict
from governor.policy import Policy
from governor.ports import Connect, Log
from kill_switch.disabling import disable, forbidden
from kill_switch.granting import KINDS, request_of
from kill_switch.ports import Account, Ports
from kill_switch.restoring import restore
from kill_switch.settings import DisableRequest, Grant, RestoreRequest
from kill_switch.store import KillSwitchStore
from management_api import AuthenticationFailed, Deadline, WriteForbidden

ATTEMPTS = 8
"""How often a lost conditional write is decided anew before the platform's retries take over."""


@dataclass(frozen=True)
class KillSwitch:
    """What outlives an invocation. `connect` gives the account."""

    policy: Policy
    store: KillSwitchStore
    approvals: Approvals
    bus: Publisher
    connect: Connect[Account]
    clock: Clock
    log: Log

    def act(self, request: DisableRequest | RestoreRequest | Grant, seconds_left: Callable[[], float]) -> Event | None:
        """Carries the request out and publishes the event that tells what came of it; that event.

        None for a grant that was carried out before: its event is an old one, told again.
        `seconds_left`: how long the account's calls may take from now.

        Raises whatever kept it from an end (`management_api.errors`, `LedgerConflict`, `PublishFailed`, an AWS error):
        deliver again. Raises `BadEvent` for a subject that is neither a workload nor a key, `NotGranted` for a grant
        that no decision bears out.
        """
        if not isinstance(request, Grant):
            return self._carry_out(request, seconds_left)
        try:
            grant = self.approvals.granted(request.approval, KINDS)
        except NotGranted as error:
            if error.state in ("done", "failed"):
                return None
            raise
        told = self._carry_out(request_of(grant), seconds_left)
        done = told.detail_type in (DetailType.KEY_DISABLED, DetailType.KEY_RESTORED)
        self.approvals.finish(request.approval, "done" if done else "failed", told.reason)
        return told

    def _carry_out(self, request: DisableRequest | RestoreRequest, seconds_left: Callable[[], float]) -> Event:
        ports = Ports(self.policy, self.store, self.clock, seconds_left, self.log)
        deadline = Deadline(seconds_left)
        try:
            event = self._under_a_good_key(ports, deadline, request)
        except (AuthenticationFailed, WriteForbidden) as error:
            if isinstance(request, DisableRequest):
                # Another try will most likely meet the same; people must know that nobody else stops the key.
                self.bus.publish([forbidden(ports, request, error)])
            raise
        self.bus.publish([event])
        return event

    def _under_a_good_key(self, ports: Ports, deadline: Deadline, request: DisableRequest | RestoreRequest) -> Event:
        try:
            return _decided(ports, self.connect(deadline), request)
        except AuthenticationFailed:
            self.log.warning("the management key was refused; its secret is read again")
            return _decided(ports, self.connect(deadline, fresh=True), request)


def _decided(ports: Ports, account: Account, request: DisableRequest | RestoreRequest) -> Event:
    for _ in range(ATTEMPTS - 1):
        try:
            return _once(ports, account, request)
        except LedgerConflict as conflict:
            ports.log.info("the ledger moved meanwhile; deciding again", extra={"conflict": str(conflict)})
    return _once(ports, account, request)


def _once(ports: Ports, account: Account, request: DisableRequest | RestoreRequest) -> Event:
    if isinstance(request, DisableRequest):
        return disable(ports, account, request)
    return restore(ports, account, request)
