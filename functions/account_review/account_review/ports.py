"""What a review works with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from governor.clock import Clock
from governor.events import Publisher
from governor.ledger import Ledger
from governor.policy import Policy
from governor.ports import Log
from governor.slack.channel import Files, Slack
from governor.storage.readings import ReadingStore
from governor.topic import Topic

if TYPE_CHECKING:
    from datetime import datetime

    from management_api import Deadline, OpenRouter


class Shelf(Protocol):
    """Where the page and the tables lie."""

    def put(self, name: str, content: str, kind: str) -> None:
        """The object as it is from now on, under `reviews/`. `kind`: its MIME type. Idempotent."""

    def link(self, name: str) -> str:
        """An address that shows the object to whoever has it, until it ends; nothing is asked of anybody."""


class Channel(Slack, Files, Protocol):
    """The channel that is told."""


@dataclass(frozen=True)
class Ports:
    """What outlives an invocation. `memory`: the review's own object. `channel`: None without Slack.

    `key_since`: when the management key's secret was last written. `name`: the stack's.
    """

    policy: Policy
    connect: "Callable[[Deadline], OpenRouter]"
    key_since: "Callable[[], datetime]"
    ledger: Ledger
    decisions: Ledger
    memory: ReadingStore
    shelf: Shelf
    channel: Channel | None
    topic: Topic
    bus: Publisher
    clock: Clock
    log: Log
    name: str


PAGE, FINDINGS, COSTS, FOCUS, FACTS = "index.html", "findings.csv", "costs.csv", "focus.csv", "review.json"
KINDS: Mapping[str, str] = {
    PAGE: "text/html; charset=utf-8",
    FINDINGS: "text/csv; charset=utf-8",
    COSTS: "text/csv; charset=utf-8",
    FOCUS: "text/csv; charset=utf-8",
    FACTS: "application/json",
}
"""The objects of a run, and what each is."""
