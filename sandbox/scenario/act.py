"""One act of the demo: a world of its own, its scenarios in order, and what is left of it to be shown."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from rich.table import Table

from sandbox.scenario.departed import departed, departed_account
from sandbox.scenario.failover import failover
from sandbox.scenario.fleet import fleet
from sandbox.scenario.leaked import leaked, leaked_account
from sandbox.scenario.night import night
from sandbox.scenario.organization import Founding, founding
from sandbox.scenario.provider_keys import provider_keys
from sandbox.scenario.publishing import publisher, week
from sandbox.scenario.rotations import sixty
from sandbox.scenario.scenario import Scenario
from sandbox.scenario.seconds import PARAMETERS, SECRETS, seconds
from sandbox.scenario.timeline import timeline
from sandbox.scenario.world import CHANNEL, World, open_world

type Steps = Iterator[tuple[Scenario, datetime, datetime]]
ACTS: dict[str, tuple[Callable[[], Founding], Callable[[World], Steps]]] = {
    "a night": (founding, night),
    "sixty days": (fleet, sixty),
    "provider keys": (provider_keys, failover),
    "a preset's week": (publisher, week),
    "seconds": (founding, seconds),
    "everything leaked": (leaked_account, leaked),
    "an administrator leaves": (departed_account, departed),
}
PUSHED = {"seconds": (PARAMETERS, SECRETS)}
"""Acts with Broadcast on: parameters of the stack, and secrets."""


@dataclass
class Act:
    """An act that was played. `played`: each scenario and the virtual time it took."""

    name: str
    played: list[tuple[Scenario, datetime, datetime]] = field(default_factory=list)
    timeline: Table | None = None
    ticks: int = 0


def play(
    name: str,
    folder: Path,
    on_tick: Callable[[datetime, int, int], None] = lambda *_: None,
    on_scenario: Callable[[Scenario, datetime, datetime], None] = lambda *_: None,
) -> Act:
    """Plays the act; `folder` takes its world and `slack.txt`. Acts share nothing: each may have a process of its own.

    `on_tick` hears the moment, the runs and the scenarios so far.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    account, scenarios = ACTS[name]
    act = Act(name)
    parameters, secrets = PUSHED.get(name, ({}, {}))
    with open_world(folder, parameters, account(), secrets) as world:
        world.on_tick = lambda moment: on_tick(moment, world.ticks, len(act.played))
        for scenario, started, ended in scenarios(world):
            act.played.append((scenario, started, ended))
            on_scenario(scenario, started, ended)
        act.timeline, act.ticks = timeline(world), world.ticks
        folder.joinpath("slack.txt").write_text(world.slack.transcript(CHANNEL))
    return act
