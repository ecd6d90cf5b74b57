"""The check of OpenRouter's Broadcast, every ten minutes: is it set up as it must be, and is it silent?

An invocation of its own with an object of its own: a run neither waits for it nor fails with it. It changes nothing at
OpenRouter; `governor broadcast setup` does, when a person says so.

| effect | dies before | dies after | twice, late, beside itself |
|---|---|---|---|
| memory kept | the next check finds the same | the next check publishes | the second write is dropped |
| events published | the next check publishes | once more, under the same ids | consumers drop repeats by id |
| outbox emptied | as above | | as above |
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from governor.broadcast.destination import Expected, differences, ours
from governor.broadcast.messages import LastPushed
from governor.policy import Policy
from governor.storage.readings import ReadingConflict, ReadingStore
from management_api import AuthenticationFailed, Deadline, Listing, OpenRouter, OpenRouterError, Workspace
from spend_meter.broadcast_rules import Memory, Place, judge
from spend_meter.periods import minute_of
from spend_meter.ports import Ports
from spend_meter.state import State
from spend_meter.waking import Meter

KEEPING_SECONDS = 10.0
"""Left aside of the invocation's time, to keep the memory and to publish."""
STALE = 5
"""Minutes after which the stored reading tells nothing of now."""


@dataclass(frozen=True)
class Checked:
    """`unread`: workspaces whose destinations could not be read; of them nothing is said. `failure`: why, where it was
    all of them. `stale`: no run read the account lately, so that nobody knows what was spent; nothing was judged."""

    outcome: str
    workspaces: int = 0
    unread: int = 0
    events: Sequence[str] = ()
    failure: Exception | None = None


@dataclass(frozen=True)
class Stores:
    """`memory`: this check's own. `pushed`: which workspaces pushed last; the tally's."""

    memory: ReadingStore
    pushed: ReadingStore


class BroadcastCheck:
    """Checks one account."""

    def __init__(self, policy: Policy, ports: Ports, meter: Meter, stores: Stores, expected: Expected) -> None:
        self._policy, self._ports, self._meter = policy, ports, meter
        self._stores, self._expected = stores, expected

    def check(self, now: datetime, seconds_left: Callable[[], float]) -> Checked:
        """Raises what the stores and the publisher raise; all of it may be run again."""
        minute = minute_of(now)
        state = self._meter.stored(minute)
        stored = self._stores.memory.get()
        etag = stored.etag if stored else None
        memory = Memory.decode(stored.content or b"") if stored else Memory()
        if not minute - STALE <= state.tick <= minute + STALE:
            return Checked("stale")
        watched = self._watched(state, memory)
        try:
            places, errors = self._read(state, watched, lambda: seconds_left() - KEEPING_SECONDS)
        except OpenRouterError as error:
            return Checked("unread", len(watched), len(watched), failure=error)
        after = judge(memory, places, minute, self._expected.sampling_rate)
        told = [event.detail_type.value for event in after.outbox]
        if not self._keep_and_publish(after, etag):
            return Checked("overtaken", len(watched), len(errors))
        failure = errors[0] if errors and len(errors) == len(watched) else None
        return Checked("checked", len(watched), len(errors), told, failure)

    def _watched(self, state: State, memory: Memory) -> dict[str, str]:
        """Workspace id to name: where a workload of the policy is, or Broadcast was once set up."""
        meant = {workload.workspace for workload in self._policy.workloads}
        once = {place for place, one in memory.places.items() if one.set_up}
        return {
            id: name for id, (name, slug) in state.layers.workspaces.items() if id in once or meant & {id, name, slug}
        }

    def _read(
        self, state: State, watched: Mapping[str, str], seconds_left: Callable[[], float]
    ) -> tuple[dict[str, Place], list[OpenRouterError]]:
        stored = self._stores.pushed.get()
        last = LastPushed.decode(stored.content or b"") if stored else LastPushed()
        client = self._meter.connected(fresh=False).within(Deadline(seconds_left))
        try:
            workspaces = client.workspaces.each()
        except AuthenticationFailed:
            client = self._meter.connected(fresh=True).within(Deadline(seconds_left))
            workspaces = client.workspaces.each()
        places, errors = {}, []
        for id, name in watched.items():
            kept = state.places.get(id)
            # The minute's own clock counts: what a run metered late was spent when it says.
            spent = [(at, usd) for at, usd, _ in kept.spent] if kept else []
            place = Place(name, spent, last.minutes.get(id, 0), None)
            try:
                place = self._compared(client, workspaces, id, place)
            except OpenRouterError as error:
                errors.append(error)
            places[id] = place
        return places, errors

    def _compared(self, client: OpenRouter, workspaces: Listing[Workspace], id: str, place: Place) -> Place:
        workspace = next((one for one in workspaces.items if one.id == id), None)
        if workspace is None:
            return place
        destinations = client.destinations.list(id)
        wrong = differences(workspace.is_observability_broadcast_enabled, destinations, self._expected)
        return replace(place, differences=wrong, is_set_up=bool(ours(destinations, self._expected)))

    def _keep_and_publish(self, memory: Memory, etag: str | None) -> bool:
        """False where another check was first: this one is thrown away, events and all."""
        try:
            etag = self._stores.memory.put(memory.encode(), etag)
        except ReadingConflict:
            return False
        if memory.outbox:
            self._ports.publisher.publish(memory.outbox)
            # Where another check was made meanwhile, the next one publishes these once more, under the same ids.
            with contextlib.suppress(ReadingConflict):
                self._stores.memory.put(replace(memory, outbox=()).encode(), etag)
        return True
