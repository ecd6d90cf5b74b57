"""`make demo`: plays the night, shows it as it goes, prints the timeline, writes `build/demo/report.json`.

Exits with 1 when a promise broke.
"""

import json
import logging
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from sandbox import build
from sandbox.scenario.night import night
from sandbox.scenario.scenario import Scenario
from sandbox.scenario.timeline import timeline
from sandbox.scenario.world import CHANNEL, open_world

INDENT = (0, 0, 0, 21)
FOLDER = build.ROOT / "build" / "demo"
COLUMNS = 100
"""Where nobody says how wide the paper is."""


def main() -> int:
    """Plays every scenario; the exit status."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else COLUMNS)
    scenarios: list[Scenario] = []
    with console.status("building the stack with sam (once per change of its sources) ...") as status:
        if not console.is_terminal:
            print("building the stack with sam, then deploying it to the sandbox ...", flush=True)
        build.stack()
        status.update("deploying it to the sandbox: functions, rules, schedules, roles ...")
        with open_world(FOLDER) as world:
            world.on_beat = lambda moment: status.update(
                f"{moment:%a %d %b %H:%M} UTC, beat {world.beats}, {len(scenarios)} scenarios done ..."
            )
            for scenario, started, ended in night(world):
                scenarios.append(scenario)
                _tell(console, scenario, started, ended)
            console.print()
            console.print(timeline(world))
            FOLDER.joinpath("slack.txt").write_text(world.slack.transcript(CHANNEL))
            beats = world.beats
    _write(FOLDER / "report.json", scenarios)
    broken = [scenario.name for scenario in scenarios if not scenario.passed]
    console.print(f"\n{len(scenarios) - len(broken)} scenarios held, {len(broken)} broken", style="bold")
    console.print(f"{beats} beats; quiet stretches were thinned to one beat in 5, 15 or 30 minutes.")
    console.print("Facts: build/demo/report.json. What people read in Slack: build/demo/slack.txt")
    return 1 if broken else 0


def _tell(console: Console, scenario: Scenario, started: datetime, ended: datetime) -> None:
    mark = "[green]held[/]  " if scenario.passed else "[bold red]BROKEN[/]"
    console.print(f"{mark} {started:%d %b %H:%M}  {scenario.name}")
    for line in scenario.told:
        console.print(Padding(Text(line), INDENT, expand=False), style="dim")
    for what in scenario.broken:
        console.print(Padding(Text(f"should have held: {what}"), INDENT, expand=False), style="red")
    if not console.is_terminal:
        sys.stdout.flush()


def _write(path: Path, scenarios: list[Scenario]) -> None:
    report: list[dict[str, Any]] = [
        {"name": one.name, "passed": one.passed, "facts": one.facts, "broken": one.broken} for one in scenarios
    ]
    path.write_text(json.dumps(report, indent=2, default=str, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
