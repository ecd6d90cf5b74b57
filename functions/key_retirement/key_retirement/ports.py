"""What key retirement works with, and one lineage as it is tended in a run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from governor.approvals.store import Approvals
from governor.clock import Clock
from governor.events import Publisher
from governor.keys.allowance import Needs
from governor.keys.attachments import NOTHING, Attachments
from governor.keys.causes import CauseStore
from governor.keys.lineage import Lineage, Lineages
from governor.keys.rotation_end import Finishing
from governor.ledger import ABSENT
from governor.policy import Policy, Rotation, Workload
from governor.ports import Connect, Log
from governor.secrets.copies import SecretCopies
from governor.secrets.versions import SecretVersions
from key_retirement.leaving import Leaving

if TYPE_CHECKING:
    from management_api import ApiKey, Guardrail, OpenRouter


@dataclass(frozen=True)
class Ports:
    """What outlives an invocation."""

    policy: Policy
    secrets: SecretVersions
    copies: SecretCopies
    lineages: Lineages
    causes: CauseStore
    approvals: Approvals
    bus: Publisher
    connect: Connect["OpenRouter"]
    clock: Clock
    log: Log
    needs: Callable[[], Needs | None] = lambda: None
    """The meter's word on the needs of workloads with an allowance; None: it has said nothing yet."""


@dataclass(frozen=True)
class Place:
    """A workspace as it was read in this run: its keys, its guardrails, and what points at which hash. The latter two
    may be read when they are first looked at.

    `attachments`: only hashes that something points at. `unlisted`: hashes of a lineage that the list of keys left out
    and that OpenRouter has all the same, here or in another workspace; `keys` holds them.
    """

    id: str
    keys: "Mapping[str, ApiKey]"
    guardrails: "Sequence[Guardrail]"
    attachments: Mapping[str, Attachments]
    unlisted: frozenset[str] = frozenset()


@dataclass(frozen=True)
class LineageRun:
    """One lineage in hand. `now`: of this run. `before`: the row's version when `place` was about to be read.

    `leaving`: the keys that the run takes out of lists at its end.
    """

    ports: Ports
    account: "OpenRouter"
    workload: Workload
    place: Place
    now: datetime
    seconds_left: Callable[[], float] = field(repr=False)
    before: int = ABSENT
    needs: Needs | None = None
    leaving: Leaving = field(default_factory=Leaving)

    @property
    def finishing(self) -> Finishing:
        ports, secret = self.ports, self.workload.secret or ""
        return Finishing(self.workload, secret, ports.secrets, ports.lineages, ports.causes, ports.bus, ports.clock)

    @property
    def rules(self) -> Rotation:
        return self.finishing.rules

    def attachments(self, hash: str) -> Attachments:
        return self.place.attachments.get(hash, NOTHING)

    def seeing(self, live: "ApiKey") -> "LineageRun":
        """With the key as it was just read."""
        return replace(self, place=replace(self.place, keys={**self.place.keys, live.hash: live}))

    def own(self, lineage: Lineage) -> "dict[str, ApiKey]":
        """The lineage's keys that OpenRouter still has, by hash; the place may show one that this run deleted."""
        live = [key.hash for key in lineage.keys if key.state != "deleted"]
        return {hash: self.place.keys[hash] for hash in live if hash in self.place.keys}
