"""What the page shows, in parts: each is sent only when it has changed."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sandbox.play import account_view, records, slack_view, tour
from sandbox.play.driver import Driver
from sandbox.play.money import Money
from sandbox.play.organization import PEOPLE
from sandbox.play.troubles import Stage
from sandbox.play.words import completions
from sandbox.scenario.world import World

MOST_BYTES = 2_000_000
"""Of one part; a larger one is an error, not a slow page."""
READERS = 16
"""Pages open at the same time."""


class Full(Exception):
    """Too many readers."""


def parts(world: World, stage: Stage, money: Money, driver: Driver) -> dict[str, Any]:
    """Every part as it is now."""
    rows = records.rows(world)
    money.read()
    return {
        "time": {
            "now": world.now.timestamp(),
            "pace": driver.pace,
            "doing": driver.doing,
            "outcome": driver.outcome,
            "runs": len(world.engine.invocations),
        },
        "slack": slack_view.view(world),
        "homes": slack_view.homes(world),
        "money": money.view(),
        "keys": account_view.keys(world, rows),
        "lineages": account_view.lineages(rows),
        "chains": account_view.chains(world, rows),
        "presets": account_view.presets(world, rows),
        "events": records.events(world),
        "troubles": stage.view(),
        "fixed": {
            "tour": tour.view(),
            "people": [{"id": one.id, "name": one.name, "role": one.role} for one in PEOPLE],
            "completions": completions(),
        },
    }


class Board:
    """The parts as JSON, for readers in other threads. The revision grows with every change of a part."""

    def __init__(self) -> None:
        self._revision = 0
        self._parts: dict[str, tuple[int, str]] = {}
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def show(self, parts: Mapping[str, Any]) -> None:
        """Takes the parts as they are now, and wakes the listeners when one has changed."""
        before = self._revision
        with self._lock:
            for name, part in parts.items():
                text = json.dumps(part, separators=(",", ":"))
                if len(text) > MOST_BYTES:
                    raise ValueError(f"the part {name} of the page has {len(text):,} characters")
                if self._parts.get(name, (0, ""))[1] != text:
                    self._revision += 1
                    self._parts[name] = (self._revision, text)
            listeners = list(self._listeners) if self._revision > before else []
        for wake in listeners:
            wake()

    def since(self, revision: int) -> tuple[int, str]:
        """The revision now, and what changed after the given one as one JSON object; empty for nothing."""
        with self._lock:
            newer = [f'"{name}":{text}' for name, (changed, text) in self._parts.items() if changed > revision]
            return self._revision, f"{{{','.join(newer)}}}" if newer else ""

    @contextlib.contextmanager
    def listening(self, wake: Callable[[], None]) -> Iterator[None]:
        """`wake` is called, in whatever thread, after each change. Raises `Full` for one reader too many."""
        with self._lock:
            if len(self._listeners) >= READERS:
                raise Full(f"{READERS} pages are open already: close one")
            self._listeners.append(wake)
        try:
            yield
        finally:
            with self._lock:
                self._listeners.remove(wake)
