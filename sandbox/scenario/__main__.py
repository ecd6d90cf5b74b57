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
from rich.table import Table

from sandbox import build
from sandbox.scenario.night import Scenario, night
from sandbox.scenario.world import CHANNEL, World, open_world

FOLDER = build.ROOT / "build" / "demo"


def main() -> int:
    """Plays every scenario; the exit status."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    scenarios: list[Scenario] = []
    with console.status("building the stack with sam (once per change of its sources) ...") as status:
        build.stack()
        status.update("deploying it to the sandbox: functions, rules, schedules, roles ...")
        with open_world(FOLDER) as world:
            world.on_beat = lambda moment: status.update(f"{moment:%a %d %b %H:%M} UTC, beat {world.beats} ...")
            for scenario, started, ended in night(world):
                scenarios.append(scenario)
                _tell(console, scenario, started, ended)
            _timeline(console, world)
            FOLDER.joinpath("slack.txt").write_text(world.slack.transcript(CHANNEL))
            beats = world.beats
    _write(FOLDER / "report.json", scenarios)
    broken = [scenario.name for scenario in scenarios if not scenario.passed]
    console.print(f"\n{len(scenarios) - len(broken)} passed, {len(broken)} failed", style="bold")
    console.print(f"{beats} beats; quiet stretches were thinned to one beat in 5, 15 or 30 minutes.")
    console.print("Facts: build/demo/report.json. What Slack's channel reads: build/demo/slack.txt")
    return 1 if broken else 0


def _tell(console: Console, scenario: Scenario, started: datetime, ended: datetime) -> None:
    mark = "[green]held[/]  " if scenario.passed else "[bold red]BROKEN[/]"
    console.print(f"{mark} {started:%d %b %H:%M}-{ended:%d %b %H:%M}  {scenario.name}")
    for name, value in scenario.facts.items():
        shown = value if isinstance(value, str | int | float) else json.dumps(value, default=str, ensure_ascii=False)
        console.print(f"         {name}: {shown}", style="dim", soft_wrap=True, markup=False)
    for what in scenario.broken:
        console.print(f"         should have held: {what}", style="red", markup=False)


def _timeline(console: Console, world: World) -> None:
    """Everything Governor published, in order."""
    table = Table(title="Timeline (UTC)", title_justify="left", box=None, pad_edge=False)
    for column in ("when", "event", "subject", "reason"):
        table.add_column(column, overflow="fold")
    names = {traffic.hash: name for name, traffic in world.traffic.items()}
    for event in world.events():
        detail = event["detail"]
        when = f"{datetime.fromisoformat(detail['occurred_at']):%d %b %H:%M}"
        table.add_row(when, event["detail-type"], names.get(detail["subject"], detail["subject"]), detail["reason"])
    console.print()
    console.print(table)


def _write(path: Path, scenarios: list[Scenario]) -> None:
    report: list[dict[str, Any]] = [
        {"name": one.name, "passed": one.passed, "facts": one.facts, "broken": one.broken} for one in scenarios
    ]
    path.write_text(json.dumps(report, indent=2, default=str, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
