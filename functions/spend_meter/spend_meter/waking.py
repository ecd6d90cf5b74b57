"""A reading between two minutes: a tip names keys, each is asked for by its hash, and the detector judges them.

| effect | dies before | dies after | twice, late, beside itself or a run |
|---|---|---|---|
| memory kept | nothing was found; the tally asks again | the next one, or run, publishes | the second is dropped |
| event published | the next one, or run, publishes it | it is published once more | consumers drop repeats by id |
| outbox emptied | as above | | as above |

A run writes another object: a reading beside it neither overtakes it nor is overtaken.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol

from governor.broadcast.messages import BadBroadcast, Tip, Watch
from governor.events import Event
from governor.keys.owners import owned
from governor.policy import Policy
from governor.storage.readings import ReadingConflict, ReadingStore
from management_api import ApiKey, AuthenticationFailed, Deadline, NotFound, OpenRouter, OpenRouterError
from spend_meter.detector_rows import DETECTOR, DetectorRows
from spend_meter.periods import minute_of
from spend_meter.ports import Ports
from spend_meter.slow_layers import why
from spend_meter.state import State
from spend_meter.subjects import Subjects
from spend_meter.woken import A_MINUTE, EPISODE, GAP, Content, Found, Memory, before, grew, news
from spend_meter.woken_judgement import Told, content_event, judge_between, keys_of, minute_between

MOST_KEYS = 20
"""Keys that one reading asks for, one call each: of as many of the tip's names as have no more together. A name of more
keys is left to the runs."""
KEPT_FOR = 60
"""Seconds."""


@dataclass(frozen=True)
class Woken:
    """What a tip came to. `nothing`: no reading was made, because nobody by that name is known, or the clock went back.
    `bounded`: as many readings were made in this minute as may be. `unread`: OpenRouter did not answer, and `error`
    says how; the tally asks again, and that nothing can be read is the runs' to tell."""

    outcome: Literal["read", "unread", "overtaken", "nothing", "bounded", "content"]
    keys_read: int = 0
    events: Sequence[str] = ()
    error: str = ""


class Meter(Protocol):
    """The runs' part, whose stored reading and client a woken reading shares."""

    def stored(self, minute: int) -> State:
        """The stored reading. `minute`: whose news it is, where it cannot be read."""

    def connected(self, *, fresh: bool) -> OpenRouter:
        """OpenRouter under the management key; `fresh`: its secret is read again."""


class Waker:
    """Makes woken readings. Where the ports hold no store for them, none is made."""

    def __init__(self, policy: Policy, ports: Ports, meter: Meter) -> None:
        self._policy, self._ports, self._meter = policy, ports, meter

    def wake(self, tip: Tip, now: datetime, seconds_left: Callable[[], float]) -> Woken:
        """Raises what the stores, the ledger and the publisher raise; all of it may be run again."""
        if self._ports.woken is None or self._ports.watch is None:
            return Woken("nothing")
        return self._wake(_Kept(self._ports.woken, self._ports.watch), tip, now, seconds_left)

    def _wake(self, kept: "_Kept", tip: Tip, now: datetime, seconds_left: Callable[[], float]) -> Woken:
        stored = kept.memory.get()
        etag = stored.etag if stored else None
        memory = Memory.decode(stored.content or b"") if stored else Memory()
        if tip.content:
            return self._tell_of_content(kept.memory, memory, etag, now)
        state = self._meter.stored(minute_of(now))
        readings = tuple(at for at in memory.readings if 0 <= now.timestamp() - at < KEPT_FOR)
        if len(readings) >= A_MINUTE:
            return Woken("bounded")
        if minute_between(state, minute_of(now)) is None:
            return Woken("nothing")
        places = _places(kept.watch, state, tip)
        if not places:
            return Woken("nothing")
        try:
            keys = self._read(places, seconds_left)
        except OpenRouterError as error:
            return Woken("unread", error=why(error))
        found = self._judge(state, memory, keys, now)
        others = {subject: one for subject, one in news(state, memory).items() if subject not in found}
        memory = replace(memory, found={**others, **found}, readings=(*readings, int(now.timestamp())))
        events = [event for one in memory.found.values() for event in one.outbox]
        if not self._keep_and_publish(kept.memory, memory, etag, events):
            return Woken("overtaken")
        read = sum(map(len, keys.values()))
        return Woken("read", read, [event.detail_type.value for event in events])

    def _read(self, places: Mapping[str, str], seconds_left: Callable[[], float]) -> dict[str, list[ApiKey]]:
        """The keys as OpenRouter has them now, by workspace. One that is gone is left out; any other failure fails all:
        a part of a lineage is not a reading of it."""
        try:
            return self._ask(self._meter.connected(fresh=False), places, seconds_left)
        except AuthenticationFailed:
            return self._ask(self._meter.connected(fresh=True), places, seconds_left)

    def _ask(
        self, openrouter: OpenRouter, places: Mapping[str, str], seconds_left: Callable[[], float]
    ) -> dict[str, list[ApiKey]]:
        client = openrouter.within(Deadline(seconds_left))
        keys: dict[str, list[ApiKey]] = {}
        for hash in places:
            try:
                key = client.keys.get(hash)
            except NotFound:
                continue
            keys.setdefault(key.workspace_id, []).append(key)
        return keys

    def _judge(
        self, state: State, memory: Memory, keys: Mapping[str, Sequence[ApiKey]], now: datetime
    ) -> dict[str, Found]:
        owners = owned(self._ports.ledger)
        rows = DetectorRows.of(self._ports.ledger.rows(DETECTOR))
        rebaselines, expected = rows.rebaselines, rows.expected
        subjects = Subjects(self._policy, state.layers.workspaces, owners)
        by_subject: dict[str, dict[str, list[ApiKey]]] = {}
        for place, some in keys.items():
            for key in some:
                by_subject.setdefault(subjects.of(key, place), {}).setdefault(place, []).append(key)
        number = max([state.woken, *(one.number for one in memory.found.values())]) + 1
        found = {}
        for subject, those in by_subject.items():
            previous = before(state, memory, subject)
            counted = {key.hash: subjects.counted(key) for some in those.values() for key in some}
            last = news(state, memory).get(subject)
            if last and (now.timestamp() - last.at < GAP or not grew(counted, last.counted)):
                continue
            told = Told(rebaselines, expected)
            suspicion, event = judge_between(state, those, subject, previous, now, self._policy, owners, told)
            outbox = (*(last.outbox if last else ()), *([event] if event else []))
            found[subject] = Found(number, now.timestamp(), suspicion, counted, outbox)
        return found

    def _keep_and_publish(self, store: ReadingStore, memory: Memory, etag: str | None, events: Sequence[Event]) -> bool:
        """False where another woken reading was first: this one is thrown away, events and all."""
        try:
            etag = store.put(memory.encode(), etag)
        except ReadingConflict:
            return False
        if events:
            self._ports.publisher.publish(events)
            found = {subject: replace(one, outbox=()) for subject, one in memory.found.items()}
            # Where another reading was made meanwhile, the next run publishes these once more, under the same ids.
            with contextlib.suppress(ReadingConflict):
                store.put(replace(memory, found=found).encode(), etag)
        return True

    def _tell_of_content(self, store: ReadingStore, memory: Memory, etag: str | None, now: datetime) -> Woken:
        at = int(now.timestamp())
        content = memory.content
        if content is None or not 0 <= at - content.last < EPISODE:
            content = Content(at, at)
        content = replace(content, last=at)
        events: list[Event] = []
        try:
            # Kept before it is told, so that whoever tells it, tells it under the same id.
            etag = store.put(replace(memory, content=content).encode(), etag)
            if not content.told:
                events = [content_event(content, now)]
                self._ports.publisher.publish(events)
                store.put(replace(memory, content=replace(content, told=True)).encode(), etag)
        except ReadingConflict:
            return Woken("overtaken", events=[event.detail_type.value for event in events])
        return Woken("content", events=[event.detail_type.value for event in events])


@dataclass(frozen=True)
class _Kept:
    """What is kept for woken readings."""

    memory: ReadingStore
    watch: ReadingStore


def _places(watch_store: ReadingStore, state: State, tip: Tip) -> dict[str, str]:
    """The keys that the tip names, each with its workspace: whose they are, the meter's own watch says."""
    stored = watch_store.get()
    try:
        watch = Watch.decode(stored.content or b"") if stored else Watch(0)
    except BadBroadcast:
        watch = Watch(0)
    beginnings: list[str] = []
    for digest in tip.keys:
        line = watch.lines.get(digest)
        if line and len(beginnings) + len(line.hashes) <= MOST_KEYS:
            beginnings += line.hashes
    return keys_of(state, beginnings) if beginnings else {}
