"""Shows an incident's picture in its thread, once, and brings it up to date.

What is drawn comes from the notifier's row of the incident, whose events it has held against what their publishers
stored. This function's own row (pk `picture#<thread's name>`) remembers the message and what it shows; it is written
before the first effect in Slack, with a lease, so that a copy beside this one waits and a retry looks for the message
before it posts one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from governor.clock import Clock, format_instant, parse_instant
from governor.events import Event
from governor.ledger import ABSENT, Ledger, LedgerConflict, Put, Row
from governor.slack.channel import SlackError, SlackGone
from governor.slack.pictures import Picture, PictureNotReady, Pictures
from incident_picture.decide import decide
from incident_picture.plot import Plot

LEASE = timedelta(seconds=90)
"""Longer than the function's timeout (60 s), shorter than the queue's visibility timeout (360 s)."""
KEPT = timedelta(days=120)
"""As long as the notifier keeps an incident."""
INCIDENT, PICTURE = "incident", "picture"
PAUSES = (1.0, 2.0, 4.0)
"""Seconds between attempts to show a file that Slack still works on."""


class Postponed(Exception):
    """Nothing is lost: let the queue deliver the message again."""


@dataclass(frozen=True)
class Illustrator:
    """What outlives an invocation. `draw` makes the PNG; `pause` waits so many seconds."""

    ledger: Ledger
    pictures: Pictures
    draw: Callable[[Plot], bytes]
    clock: Clock
    pause: Callable[[float], None]

    def illustrate(self, incident: str) -> str:
        """Shows the incident as it stands now; the rule by which it went: `shown`, `shown_before`, `no_incident`,
        `no_thread` (it was told by mail), `nothing_to_draw` or `thread_gone`.

        Raises `BadEvent`, `Postponed`, `SlackError` or an AWS error: deliver it again.
        """
        stored = self.ledger.get(f"incident#{incident}", INCIDENT)
        if stored is None:
            return "no_incident"
        now = stored.data["incident"]
        thread, reference = now["ts"], f"{incident}#{now['generation']}"
        if thread is None:
            return "no_thread"
        plot = decide([Event.received(step) for step in now["steps"]])
        if plot is None:
            return "nothing_to_draw"
        row = self.ledger.get(f"picture#{reference}", PICTURE)
        said = {"thread": thread, "digest": plot.digest}
        if row and row.data["status"] == "shown" and said.items() <= row.data.items():
            return "shown_before"
        return self._claim_and_show(plot, reference, row, said)

    def _claim_and_show(self, plot: Plot, reference: str, row: Row | None, said: Mapping[str, str]) -> str:
        leased = row.data.get("leased_until") if row else None
        if leased and parse_instant(leased) > self.clock():
            raise Postponed(f"another copy draws {reference} until {leased}")
        # A message in a former thread of this incident is no longer this one's.
        ts = row.data["ts"] if row and row.data["thread"] == said["thread"] else None
        version = self._write(reference, row.version if row else ABSENT, {**said, "ts": ts, "status": "intended"})
        try:
            picture = Picture("incident.png", plot.title, plot.alt, self.draw(plot))
            file = self.pictures.upload(picture)
            ts = self._shown(picture, file, reference, said["thread"], ts, look=row is not None)
            rule = "shown"
        except SlackGone:
            ts, rule = None, "thread_gone"
        except SlackError:
            self._write(reference, version, {**said, "ts": ts, "status": "intended"}, leased=False)
            raise
        self._write(reference, version, {**said, "ts": ts, "status": "shown"}, leased=False)
        return rule

    def _shown(self, picture: Picture, file: str, reference: str, thread: str, ts: str | None, *, look: bool) -> str:
        """The message's `ts`. `look`: an earlier attempt may have posted it. Raises `SlackGone` where the thread is no
        more, and `SlackError`."""
        metadata = {"incident": reference, "part": "picture"}
        if ts is None and look:
            found = self.pictures.find(metadata, thread_ts=thread)
            ts = found.ts if found else None
        if ts is not None:
            try:
                self._when_ready(lambda: self.pictures.replace(ts, file, picture))
            except SlackGone:
                pass  # somebody deleted the picture; there is news, so it is shown anew
            else:
                return ts
        return self._when_ready(lambda: self.pictures.show(file, picture, metadata, thread_ts=thread))

    def _when_ready[T](self, ask: Callable[[], T]) -> T:
        for seconds in PAUSES:
            try:
                return ask()
            except PictureNotReady:
                self.pause(seconds)
        return ask()

    def _write(self, reference: str, expect: int, data: Mapping[str, Any], *, leased: bool = True) -> int:
        """The row's version after this write. Raises `Postponed`."""
        now = self.clock()
        until = format_instant(now + LEASE) if leased else None
        put = Put(f"picture#{reference}", PICTURE, {**data, "leased_until": until}, expect, now + KEPT)
        try:
            self.ledger.commit(put)
        except LedgerConflict as error:
            raise Postponed(f"another copy was first: {error}") from error
        return expect + 1
