"""What preset promotion works with, and one preset in hand."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from governor.approvals.store import Approvals
from governor.clock import Clock
from governor.events import Event, Publisher
from governor.ledger import Ledger, Put
from governor.policy import Policy, Preset
from governor.ports import Log
from governor.slack.channel import Files
from management_api import NotFound
from preset_promotion.content import Content
from preset_promotion.record import NONE, Record, Seen

if TYPE_CHECKING:
    from management_api import Deadline, OpenRouter, PresetVersion


class ConnectWith(Protocol):
    """The way to a workspace by its inference key, whose secret is named."""

    def __call__(self, secret: str, deadline: "Deadline", *, fresh: bool = False) -> "OpenRouter":
        """Raises `SecretUnavailable` and `SecretMalformed`. `fresh` passes over a cached key."""


@dataclass(frozen=True)
class Ports:
    """What outlives an invocation. `files`: where diffs go; None where Slack is not used."""

    policy: Policy
    ledger: Ledger
    approvals: Approvals
    bus: Publisher
    connect: ConnectWith
    files: Files | None
    clock: Clock
    log: Log


@dataclass(frozen=True)
class Live:
    """What a workspace serves. `seen`: its version; number 0 and no content where there is no such preset."""

    seen: Seen = NONE
    content: Content | None = None


@dataclass
class Turn:
    """One preset in hand, and its record as it stands. `fresh`: keys are read anew."""

    ports: Ports
    preset: Preset
    record: Record
    deadline: "Deadline"
    fresh: bool = False

    @cached_property
    def staging(self) -> "OpenRouter":
        return self.ports.connect(self.preset.from_secret, self.deadline, fresh=self.fresh)

    @cached_property
    def production(self) -> "OpenRouter":
        return self.ports.connect(self.preset.to_secret, self.deadline, fresh=self.fresh)

    def live(self, api: "OpenRouter") -> Live:
        """What is designated there now."""
        try:
            found = api.presets.get(self.preset.slug).designated_version
        except NotFound:
            return Live()
        return Live() if found is None else looked_at(found)

    def version(self, api: "OpenRouter", number: int) -> Live:
        """One version; an empty `Live` where there is none of this number."""
        try:
            return looked_at(api.presets.version(self.preset.slug, number))
        except NotFound:
            return Live()

    def write(self, record: Record, *beside: Put) -> None:
        """The record in place of the one in hand, and the writes beside it, all or none. Raises `LedgerConflict`."""
        self.ports.ledger.commit(record.put(), *beside)
        self.record = replace(record, row=record.row + 1)

    def flush(self) -> None:
        """Tells what the record still has to tell, and notes what came of a grant. Again is no harm."""
        record = self.record
        if record.finishing:
            done = record.finishing
            self.ports.approvals.finish(done.approval, done.result, done.why)
        if record.saying:
            self.ports.bus.publish([Event.received(one) for one in record.saying])
        if record.saying or record.finishing:
            self.write(replace(record, saying=(), finishing=None))


def looked_at(version: "PresetVersion") -> Live:
    content = Content.of(version)
    return Live(Seen(version.version, content.digest, version.creator_id), content)
