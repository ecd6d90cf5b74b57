"""A review in memory: the simulator without a socket, everything else a double."""

from collections.abc import Callable
from datetime import timedelta

import yaml
from pydantic import SecretStr

from account_review.ports import Ports
from account_review.report import Report
from account_review.service import AccountReview
from account_review.settings import Run
from governor.ledger import MemoryLedger
from governor.policy import Policy
from governor.slack.memory import MemorySlack
from governor.storage.readings import MemoryReadingStore
from governor.topic import MemoryTopic
from management_api import Deadline, OpenRouter, Retry
from sandbox.openrouter.simulator import Simulator
from sandbox.reviewed import NOW, found, policy
from tests.doubles.bus import Bus
from tests.doubles.log import MemoryLog
from tests.faults.routed import Routed

MANAGEMENT_KEY = "sk-or-v1-fake-management-key"
URL = "https://openrouter.ai/api/v1"


class MemoryShelf:
    """`objects` by name."""

    def __init__(self) -> None:
        self.objects: dict[str, str] = {}

    def put(self, name: str, content: str, kind: str) -> None:
        self.objects[name] = content

    def link(self, name: str) -> str:
        return f"https://reviews.example.com/{name}?signature=fake"


class MemoryChannel(MemorySlack):
    """`files`: name and text of each."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[tuple[str, str]] = []

    def upload(self, name: str, text: str, comment: str) -> str:
        self.files.append((name, text))
        return f"https://slack.example.com/files/{name}"


def parsed(text: str) -> Policy:
    return Policy.model_validate(yaml.safe_load(text))


class World:
    """The clean organization, with what `faults` does to it. `more`: lines of the policy's `review`.

    `since`: when the management key was made.
    """

    def __init__(self, more: str = "", *, faults: Callable[[Simulator], None] | None = None) -> None:
        self.now = NOW
        self.simulator = Simulator(MANAGEMENT_KEY, clock=lambda: self.now.timestamp(), credits=1_000_000.0)
        self.hashes = found(self.simulator)
        if faults:
            faults(self.simulator)
        self.since = NOW - timedelta(days=30)
        self.policy = parsed(policy(URL, more))
        self.memory, self.shelf, self.bus, self.topic = MemoryReadingStore(), MemoryShelf(), Bus(), MemoryTopic()
        self.channel: MemoryChannel | None = MemoryChannel()
        self.ledger, self.decisions = MemoryLedger(), MemoryLedger()
        self._transport = Routed(self.simulator.app)

    def review(self, run: Run | None = None) -> Report:
        """One run, the week's where none is given; what it raises passes."""
        ports = Ports(
            policy=self.policy,
            connect=self._connect,
            key_since=lambda: self.since,
            ledger=self.ledger,
            decisions=self.decisions,
            memory=self.memory,
            shelf=self.shelf,
            channel=self.channel,
            topic=self.topic,
            bus=self.bus,
            clock=lambda: self.now,
            log=MemoryLog(),
            name="governor",
        )
        return AccountReview(ports).act(run or Run(f"weekly-{self.now:%Y-%m-%d}"), lambda: 600.0)

    def _connect(self, deadline: Deadline) -> OpenRouter:
        retry = Retry(attempts=1)
        return OpenRouter(SecretStr(MANAGEMENT_KEY), base_url=URL, transport=self._transport, retry=retry)


def ids(report: Report) -> set[str]:
    """The open findings."""
    return {one.finding.id for one in report.findings.open}
