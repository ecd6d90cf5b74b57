"""A demo organization of the simulator, with a past that nobody wrote a policy for, and the product's own meter and
kill switch over it, so that what a plan says can be held against what they do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from cli.account import Account, read_account
from cli.output import Output
from governor.approvals.store import Approvals
from governor.events import DetailType, Event
from governor.ledger import MemoryLedger
from governor.policy import Policy
from governor.storage.readings import MemoryReadingStore
from kill_switch.service import KillSwitch
from kill_switch.settings import received
from kill_switch.store import KillSwitchStore
from management_api import OpenRouter, Retry
from sandbox.openrouter import Simulator
from spend_meter.periods import minute_of
from spend_meter.ports import Ports
from spend_meter.service import SpendMeter
from spend_meter.settings import Tick
from tests.doubles.log import MemoryLog
from tests.faults.harness import InProcess

MANAGEMENT = "sk-or-v1-fake-management"
START = datetime(2026, 11, 17, 20, 0, tzinfo=UTC)
"""A Tuesday evening: the product is switched on."""
DAY = 86_400.0
DESK, BATCH, BOT, SPIKY = "desk", "batch", "bot", "spiky"


@dataclass
class Demo:
    """The simulator and its clock; `hash` by key's name."""

    now: float = START.timestamp()
    simulator: Simulator = field(init=False)
    hash: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.simulator = Simulator(MANAGEMENT, clock=lambda: self.now, credits=1_000_000.0)
        self.transport = InProcess(self.simulator.app)
        self.client = OpenRouter(
            SecretStr(MANAGEMENT),
            base_url="http://localhost/api/v1",
            transport=self.transport,
            retry=Retry(attempts=1, sleep=lambda seconds: None),
        )

    def close(self) -> None:
        """Ends the transport, with its event loop."""
        self.transport.dispose()

    def declare(self, document: dict[str, Any], made_days_ago: int = 90) -> None:
        now, self.now = self.now, self.now - made_days_ago * DAY
        self.simulator.declare(document)
        self.now = now
        self.hash = {key.name: key.hash for key in self.simulator.organization.keys}

    def spend(self, name: str, usd: float, at: float, **traffic: Any) -> None:
        self.simulator.spend(self.hash[name], usd, at=at, **traffic)

    def account(self) -> Account:
        return read_account(self.client, Output(), datetime.fromtimestamp(self.now, UTC))


@dataclass
class Bus:
    """Keeps events, and hands the kill switch those that the stack's rules hand it."""

    act: Callable[[Event], object] = lambda event: None
    events: list[Event] = field(default_factory=list)

    def publish(self, events: Sequence[Event]) -> None:
        for event in events:
            self.events.append(event)
            self.act(event)


class Product:
    """The spend meter and the kill switch, wired as the stack wires them."""

    def __init__(self, demo: Demo, policy: Policy) -> None:
        ledger = MemoryLedger()
        self.demo, self.bus = demo, Bus()
        ports = Ports(MemoryReadingStore(), ledger, self.bus, _Secrets(), lambda key: demo.client)
        self.meter = SpendMeter(policy, ports, "management", concurrency=1)
        self.switch = KillSwitch(
            policy,
            KillSwitchStore(ledger),
            Approvals(ledger, MemoryLedger()),
            self.bus,
            lambda deadline, fresh=False: demo.client.within(deadline),
            lambda: datetime.fromtimestamp(demo.now, UTC),
            MemoryLog(),
        )
        self.bus.act = self._rules

    def tick(self) -> None:
        now = datetime.fromtimestamp(self.demo.now, UTC)
        report = self.meter.tick(Tick(now, now), lambda: 55.0)
        assert report.failure is None

    def _rules(self, event: Event) -> None:
        budget = event.detail_type is DetailType.BUDGET_THRESHOLD_REACHED and event.evidence["disable"]
        if budget or event.detail_type is DetailType.RUNAWAY_CONFIRMED:
            time = event.occurred_at.isoformat()
            envelope = {"detail-type": event.detail_type.value, "id": event.id, "time": time, "detail": event.detail()}
            self.switch.act(received(envelope), lambda: 30.0)


class _Secrets:
    def field(self, name: str, field: str, *, fresh: bool = False) -> SecretStr:
        return SecretStr(MANAGEMENT)


def minute(at: datetime) -> int:
    return minute_of(at)
