"""One batch of a shard: add it up, and ask the meter for whoever crossed a line.

| effect | dies before | dies after | twice, late, beside itself |
|---|---|---|---|
| tip to the meter | Lambda delivers the batch again, with its first state | the same, and one reading more | as after |
| who pushed is noted | a minute is missing; silence is judged over twenty | noted | the newest minute stays |

The batches of a shard come one at a time and in order. A record of long ago asks for nothing.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from broadcast_tally.decide import Tally, add, decide, notified
from governor.broadcast.messages import BadBroadcast, LastPushed, Pushed, Tip, Watch
from governor.storage.readings import ReadingConflict, ReadingStore

log = logging.getLogger("broadcast_tally")
WATCH_SECONDS = 5
"""Seconds that a watch is used before its store is asked for a newer one."""
NOTE_TRIES = 3
"""Shards whose windows end at the same moment write the same object."""


class Meter(Protocol):
    """The spend meter."""

    def tip(self, tip: Tip) -> None:
        """Asks it for a reading, at least once."""


@dataclass
class Counter:
    """What outlives an invocation. `clock`: epoch seconds."""

    store: ReadingStore
    meter: Meter
    clock: Callable[[], float]
    sampling_rate: float
    shards: int
    pushed: ReadingStore
    _watch: Watch = field(default_factory=lambda: Watch(0))
    _tag: str | None = None
    _read_at: float = float("-inf")

    def count(self, tally: Tally, records: Sequence[bytes]) -> Tally:
        """The tally after a batch. Raises what kept a tip from the meter; the batch may then be counted again."""
        now = int(self.clock())
        watch = self._read()
        pushed = [_decoded(record) for record in records]
        spent = add(tally, pushed, watch, now, self.sampling_rate)
        decision = decide(tally, spent, watch, now, self.shards, notified(tally, pushed, watch))
        for start in range(0, len(decision.keys), Tip.MOST):
            self.meter.tip(Tip(decision.keys[start : start + Tip.MOST]))
        if decision.content:
            self.meter.tip(Tip(content=True))
        return tally

    def note(self, tally: Tally) -> None:
        """Notes which workspaces pushed in a window that is over, for the check of Broadcast. Raises nothing: a note
        that is lost is one minute's, and the sums do not wait for it."""
        if not tally.places:
            return
        try:
            for _ in range(NOTE_TRIES):
                stored = self.pushed.get()
                last = LastPushed.decode(stored.content or b"") if stored else LastPushed()
                news = last.with_pushed(tally.places, int(self.clock()) // 60)
                try:
                    self.pushed.put(news.encode(), stored.etag if stored else None)
                except ReadingConflict:
                    continue
                return
            log.warning("which workspaces pushed was not noted: %d shards were first", NOTE_TRIES)
        except Exception:
            log.exception("which workspaces pushed was not noted")

    def _read(self) -> Watch:
        """The watch, as the store has it or had it a moment ago. One that cannot be read leaves the former in use: its
        lines are a minute or two old, which makes a tip early or late by as much. Where this container has none yet,
        what kept it from being read is raised: costs of names that no watch knows would be in no sum."""
        if self.clock() - self._read_at < WATCH_SECONDS:
            return self._watch
        self._read_at = self.clock()
        try:
            stored = self.store.get(self._tag)
            if stored and stored.content is not None:
                self._watch, self._tag = Watch.decode(stored.content), stored.etag
        except BadBroadcast:
            log.exception("the watch is kept as it was")
        except Exception:
            if self._tag is None:
                self._read_at = float("-inf")
                raise
            log.exception("the watch could not be read; the former one is used")
        return self._watch


def _decoded(data: bytes) -> Pushed | None:
    try:
        return Pushed.decode(data)
    except BadBroadcast:
        return None
