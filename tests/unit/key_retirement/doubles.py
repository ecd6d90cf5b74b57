"""A retirement over the account and the secret of a rotation's world."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from governor.approvals.store import Approvals
from governor.events import Event
from governor.keys.allowance import Needs
from governor.ledger import MemoryLedger
from governor.secrets import SecretUnavailable
from governor.secrets.versions import WorkloadSecret
from key_retirement.ports import Ports
from key_retirement.service import KeyRetirement, Report
from key_retirement.settings import Grant, Look, Rollback, Tick
from tests.unit.key_rotation.doubles import FakeSecrets, World


@dataclass
class FakeCopies:
    """`SecretCopies` in memory. `refused`: what can be neither read nor written. `lagging`: regions left behind."""

    secrets: FakeSecrets
    parameters: dict[str, WorkloadSecret] = field(default_factory=dict)
    regions: dict[str, str | None] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    lagging: set[str] = field(default_factory=set)
    writes: int = 0

    def parameter(self, name: str) -> WorkloadSecret | None:
        self._require(name)
        return self.parameters.get(name)

    def put_parameter(self, name: str, value: WorkloadSecret) -> None:
        self._require(name)
        self.writes += 1
        self.parameters[name] = value

    def replicate(self, secret: str, region: str) -> None:
        self._require(region)
        self.regions.setdefault(region, self.secrets.describe(secret).holder("AWSCURRENT"))

    def current_in(self, secret: str, region: str) -> str | None:
        self._require(region)
        if region not in self.lagging and region in self.regions:
            self.regions[region] = self.secrets.describe(secret).holder("AWSCURRENT")
        return self.regions.get(region)

    def _require(self, where: str) -> None:
        if where in self.refused:
            raise SecretUnavailable(f"{where}: refused")


class Retirement:
    """Runs of retirement over `world`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.copies = FakeCopies(world.secrets)
        self.approvals = Approvals(world.causes.ledger, MemoryLedger())
        self.says: Callable[[], Needs | None] = lambda: None

    def tick(self, after: timedelta | None = None) -> Report:
        """A run so long from now; without a time, the first of the next hour, which looks at every lineage."""
        world = self.world
        world.now = world.now + after if after else world.now.replace(minute=0) + timedelta(hours=1)
        return self.act(Tick(world.now))

    def act(self, asked: Tick | Look | Rollback | Grant) -> Report:
        world = self.world
        connect = cast(Any, world._connect)
        ports = Ports(
            policy=world.policy,
            secrets=world.secrets,
            copies=self.copies,
            lineages=world.lineages,
            causes=world.causes,
            approvals=self.approvals,
            bus=world.bus,
            connect=connect,
            clock=lambda: world.now,
            log=world.log,
            needs=self.says,
        )
        return KeyRetirement(ports, "governor/management-key").act(asked, lambda: 50.0)

    def told(self, kind: str) -> list[Event]:
        return [event for event in self.world.bus.events if event.detail_type.value == kind]
