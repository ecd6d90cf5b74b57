"""An organization in the simulator, reached without sockets, and failover checks over it; all else is in memory."""

import copy
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
from pydantic import SecretStr

from byok_failover.ports import Ports
from byok_failover.service import ByokFailover, Report
from byok_failover.settings import Asked
from governor.approvals.store import Approvals
from governor.events import Event
from governor.ledger import MemoryLedger
from governor.policy import Policy
from governor.secrets import SecretUnavailable
from governor.storage.pages import MemoryPages
from management_api import Deadline, OpenRouter, Retry
from sandbox.openrouter import Simulator
from sandbox.openrouter.bodies import CredentialCreation
from sandbox.openrouter.credentials import Credential
from sandbox.openrouter.resources import add_credential
from tests.faults.routed import Routed

START = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
"""A Tuesday, in the usual window."""
PLACE, NAME = "platform", "platform/anthropic"
WORKLOAD, SECRET = "prod-agent", "openrouter/prod/agent"
MODEL = "anthropic/claude-haiku-4.5"
MANAGEMENT_KEY = "sk-or-v1-fake-management-key"
DECISION: dict[str, Any] = {
    "workspace": PLACE, "provider": "anthropic", "reason": "committed spend", "owner": "cloud-platform",
    "exit": "the contract ends", "probe": {"model": MODEL, "secret": SECRET},
}  # fmt: skip


class _Incomplete(httpx.BaseTransport):
    """Lists, answered with 200, that leave something out: `left_out` by id or hash."""

    def __init__(self, whole: httpx.BaseTransport, left_out: set[str]) -> None:
        self._whole, self._left_out = whole, left_out

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._whole.handle_request(request)
        if request.method != "GET" or answer.status_code != 200 or not self._left_out:
            return answer
        body = json.loads(answer.content)
        if not isinstance(body.get("data"), list):
            return answer
        kept = [one for one in body["data"] if not self._left_out & {one.get("id"), one.get("hash")}]
        counted = {"total_count": len(kept)} if "total_count" in body else {}
        return httpx.Response(200, json={**body, "data": kept, **counted})


@dataclass
class World:
    """`decision`: fields that differ from `DECISION`. Time stands still unless told otherwise."""

    decision: dict[str, Any] = field(default_factory=dict)
    more: list[dict[str, Any]] = field(default_factory=list)
    now: datetime = START
    events: list[Event] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    waited: float = 0.0
    by_event: bool = True
    approvers: tuple[str, ...] | list[str] = ("U0LEAD",)
    left_out: set[str] = field(default_factory=set)
    """Ids and hashes that OpenRouter's lists leave out, though what they name is there."""

    def __post_init__(self) -> None:
        self.simulator = Simulator(MANAGEMENT_KEY, clock=lambda: self.now.timestamp())
        self.organization.create_workspace("Platform", PLACE)
        self.key, plaintext = self.simulator.create_key(WORKLOAD, workspace=PLACE)
        self.secrets = {SECRET: plaintext}
        self.ledger, self.pages = MemoryLedger(), MemoryPages()
        self.approvals = Approvals(self.ledger, MemoryLedger())

    @property
    def organization(self) -> Any:
        return self.simulator.organization

    def credential(
        self, name: str, provider: str = "anthropic", workspace: str | None = PLACE, **more: Any
    ) -> Credential:
        made = add_credential(
            self.organization,
            CredentialCreation(provider=provider, key=f"fake-{name}-key", name=name, workspace_id=workspace, **more),
        )
        if workspace is None:
            made.workspace_id = None
        return made

    def policy(self) -> Policy:
        workload = {"name": WORKLOAD, "workspace": PLACE, "owner": {"slack": "U0OWNER"}, "secret": SECRET}
        return Policy.model_validate(
            {
                "version": 1,
                "workloads": [workload],
                "byok": [{**DECISION, **self.decision}, *self.more],
                "approvals": {"channel": "C0GOVERNOR", "approvers": [*self.approvers], "by_event": self.by_event},
            }
        )

    def ports(self) -> Ports:
        account = OpenRouter(
            SecretStr(MANAGEMENT_KEY),
            transport=_Incomplete(Routed(self.simulator.app), self.left_out),
            retry=Retry(sleep=lambda _: None),
        )

        def probe_key(secret: str) -> SecretStr:
            if secret not in self.secrets:
                raise SecretUnavailable(f"secret {secret}: ResourceNotFoundException")
            return SecretStr(self.secrets[secret])

        def connect(deadline: Deadline, *, fresh: bool = False) -> OpenRouter:
            return account.within(deadline)

        return Ports(
            policy=self.policy(),
            probe_key=probe_key,
            ledger=self.ledger,
            approvals=self.approvals,
            bus=cast(Any, self),
            pages=self.pages,
            connect=connect,
            clock=lambda: self.now,
            pause=self._pause,
            log=cast(Any, self),
        )

    def tick(self, minutes: float = 10) -> Report:
        """The schedule's next run."""
        self.now += timedelta(minutes=minutes)
        return ByokFailover(self.ports()).act(Asked(), lambda: 100.0)

    def drill(self, id: str = "1", name: str = NAME, *, granted: bool = False) -> Report:
        return ByokFailover(self.ports()).act(Asked(name, "U0LEAD", id, granted), lambda: 100.0)

    def spend(self, usd: float, requests: int = 10) -> None:
        """The workload's requests, routed as they would be."""
        for _ in range(requests):
            answer = self.simulator.ask(self.secrets[SECRET], usd / requests, model=MODEL)
            assert answer.status == 200, answer

    def told(self, *kinds: str) -> list[Event]:
        """What was published, each id once."""
        once = {event.id: event for event in self.events}
        return [event for event in once.values() if not kinds or event.detail_type.value in kinds]

    def rules(self, kind: str = "Failover Gap Found") -> list[str]:
        return [event.evidence["rule"] for event in self.told(kind)]

    def kinds(self) -> list[str]:
        return [event.detail_type.value for event in self.told()]

    def probes(self) -> int:
        return sum(one.path.endswith("/chat/completions") for one in self.simulator.requests)

    def copy(self) -> "World":
        """This world once more, to go another way from here."""
        other = World(self.decision, self.more, self.now, list(self.events))
        other.simulator.organization = copy.deepcopy(self.organization)
        other.secrets, other.ledger = dict(self.secrets), copy.deepcopy(self.ledger)
        return other

    def publish(self, events: list[Event]) -> None:
        self.events += events
        json.dumps([event.detail() for event in events])

    def info(self, msg: object, *, extra: object = None) -> None:
        self.lines.append(f"{msg} {extra}")

    warning = info

    def _pause(self, seconds: float) -> None:
        self.waited += seconds
        self.now += timedelta(seconds=seconds)
