"""`make demo`: plays its acts, shows them, prints their timelines, writes `build/demo/report.json`.

Exits with 1 when a promise broke.
"""

import json
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from sandbox import build
from sandbox.scenario.act import play
from sandbox.scenario.scenario import Scenario

INDENT = (0, 0, 0, 21)
FOLDER = build.ROOT / "build" / "demo"
SHOWN = {
    "a night": FOLDER,
    "a preset's week": FOLDER / "preset",
    "provider keys": FOLDER / "provider-keys",
    "seconds": FOLDER / "seconds",
    "everything leaked": FOLDER / "leaked",
    "an administrator leaves": FOLDER / "departed",
}
"""Played one after the other, and shown as they go."""
BESIDE = {"sixty days": FOLDER / "sixty-days"}
"""Played meanwhile, on the other processor."""
COLUMNS = 100
"""Where nobody says how wide the paper is."""


def main() -> int:
    """Plays the acts on two processors; the exit status."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else COLUMNS)
    acts = []
    spawning = multiprocessing.get_context("spawn")
    with (
        console.status("building the stack with sam (once per change of its sources) ...") as status,
        ProcessPoolExecutor(1, mp_context=spawning) as beside,
    ):
        if not console.is_terminal:
            print("building the stack with sam, then deploying it to the sandbox ...", flush=True)
        build.stack()
        status.update("deploying it to the sandbox: functions, rules, schedules, roles ...")
        others = [beside.submit(play, name, folder) for name, folder in BESIDE.items()]
        for name, folder in SHOWN.items():
            acts.append(
                play(
                    name,
                    folder,
                    lambda moment, ticks, done: status.update(
                        f"{moment:%a %d %b %H:%M} UTC, run {ticks}, {done} scenarios done ..."
                    ),
                    lambda *played: _tell(console, *played),
                )
            )
        status.update(f"{', '.join(BESIDE)}: played meanwhile ...")
        for other in others:
            acts.append(other.result())
            for played in acts[-1].played:
                _tell(console, *played)
    for act in acts:
        console.print()
        console.print(act.timeline)
    scenarios = [scenario for act in acts for scenario, _, _ in act.played]
    _write(FOLDER / "report.json", scenarios)
    broken = [scenario.name for scenario in scenarios if not scenario.passed]
    console.print(f"\n{len(scenarios) - len(broken)} scenarios held, {len(broken)} broken", style="bold")
    console.print(f"{sum(act.ticks for act in acts)} stretches; quiet ones were thinned, by up to twelve hours a run.")
    console.print("Facts: build/demo/report.json. What people read in Slack: build/demo/**/slack.txt")
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
