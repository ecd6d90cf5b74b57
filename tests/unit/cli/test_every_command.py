"""Each command as people and programs meet it: in terminals of 80 columns, light and dark, without colour, in a pipe;
its help, its documents, its progress, its hosts.

What it does where something is wrong: test_every_interrupt.py and test_every_key.py. An account of ten thousand keys:
tests/long/test_ten_thousand_keys.py.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from cli.main import HELP, build
from cli.output import ExitCode
from tests.unit.cli.surroundings import COMMANDS, POLICY, Command, Desk

TERMINAL: dict[str, Any] = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "TTY_COMPATIBLE": "1"}
VANISHES = {30, 37, 38, 48, 90, 97, *range(40, 48), *range(100, 108)}
"""Codes that set black, white, grey, a colour by number, or a background: seen on light or on dark terminals only."""
CURSOR_GONE, CURSOR_BACK = "\x1b[?25l", "\x1b[?25h"
"""A bar hides the cursor while it is shown."""
DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "cli.md").read_text()

every = pytest.mark.parametrize("command", COMMANDS, ids=str)
asking = pytest.mark.parametrize("command", [one for one in COMMANDS if one.openrouter], ids=str)


def test_every_command_is_here() -> None:
    app: Any = typer.main.get_command(build())
    known = {
        f"{name} {part}" if part else name
        for name, one in app.commands.items()
        for part in (one.commands if hasattr(one, "commands") else [""])
    }
    assert known == {one.name for one in COMMANDS}


@every
def test_piped_it_has_no_colour_no_bar_and_eighty_columns(desk: Desk, command: Command) -> None:
    ran = desk.run(command)
    assert ran.code == command.code, ran.stdout + ran.stderr
    assert "\x1b" not in ran.stdout + ran.stderr
    assert not [line for line in ran.stdout.splitlines() if len(line) > 80 and "─" in line]
    assert ran.stdout


@every
def test_its_json_is_one_document(desk: Desk, command: Command) -> None:
    ran = desk.run(command, "--json")
    assert ran.code == command.code, ran.stdout + ran.stderr
    json.loads(ran.stdout)


@every
def test_a_terminal_of_eighty_columns_shows_it_on_light_and_on_dark(desk: Desk, command: Command) -> None:
    ran = desk.run(command, **TERMINAL)
    assert ran.code == command.code
    shown = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", ran.stdout)
    # The address for Notifications is one word, which a person copies whole.
    wide = [shown.strip()] if command.name == "broadcast notifications" else []
    assert [line for line in shown.splitlines() if len(line) > 80] == wide
    runs = re.findall(r"\x1b\[([0-9;]*)m", ran.stdout + ran.stderr)
    codes = {int(code) for run in runs for code in run.split(";") if code}
    assert not codes & VANISHES, codes


@every
def test_without_colour_it_says_the_same(desk: Desk, command: Command) -> None:
    ran = desk.run(command, **TERMINAL, NO_COLOR="1")
    assert ran.code == command.code
    assert not re.findall(r"\x1b\[[0-9;]*\b(3[0-8]|4[0-8]|9[0-7])m", ran.stdout + ran.stderr)


@every
def test_whoever_waits_sees_that_something_is_under_way(desk: Desk, command: Command) -> None:
    """Any request and any wait may take over a second."""
    told: list[bool] = []

    def look() -> None:
        stderr: Any = sys.stderr
        stderr.flush()
        shown = stderr.buffer.getvalue().decode()
        told.append(shown.rfind(CURSOR_GONE) > shown.rfind(CURSOR_BACK))

    desk.on_request = look
    ran = desk.run(command, **TERMINAL)
    assert told
    assert all(told), f"nothing is shown during {[number for number, one in enumerate(told, 1) if not one]}"
    assert ran.stderr.rfind(CURSOR_BACK) > ran.stderr.rfind(CURSOR_GONE)


@every
def test_its_help_fits_and_holds_an_example(desk: Desk, command: Command) -> None:
    ran = desk.run(Command(command.name, "", stack=False), "--help")
    assert ran.code == 0
    assert f"Example: governor {command.name}" in " ".join(ran.stdout.split()) or "terraform show" in ran.stdout
    assert "--json" in ran.stdout
    assert max(map(len, ran.stdout.splitlines())) <= 80


@every
def test_its_help_and_its_document_say_when_it_ends_with_one(desk: Desk, command: Command) -> None:
    assert command.finds or not command.code
    ran = desk.run(Command(command.name, "", stack=False), "--help")
    assert ("Exit code 1" in ran.stdout) == command.finds
    sections = [one for one in DOCUMENT.split("\n## ") if f"governor {command.name}" in one]
    assert sections, "docs/cli.md has no word of it"
    assert not command.finds or any("xit code" in one for one in sections)


def test_the_codes_that_all_share_stand_in_the_help_and_in_the_document() -> None:
    for code in ExitCode:
        assert re.search(rf"\b{code.value} ", HELP.partition("Exit codes:")[2]), code
        assert f"\n| {code.value} |" in DOCUMENT, code


@asking
@pytest.mark.parametrize("host", ["eu.openrouter.ai", "us.openrouter.ai"])
def test_another_host_is_asked_and_no_other_beside_it(desk: Desk, command: Command, host: str) -> None:
    assert desk.run(command, GOVERNOR_HOST=host).code == command.code
    assert desk.transport.hosts == {host}
    desk.transport.hosts.clear()
    assert desk.run(command, "--host", host.split(".")[0], GOVERNOR_HOST="openrouter.ai").code in (0, 1)
    assert desk.transport.hosts == {host}


@pytest.mark.parametrize(
    "command", [one for one in COMMANDS if one.openrouter and "policy.yaml" in one.words], ids=str
)  # fmt: skip
def test_the_policys_host_is_asked_where_none_is_given(desk: Desk, command: Command) -> None:
    elsewhere = POLICY + "account: {base_url: https://eu.openrouter.ai/api/v1}\n"
    (desk.folder / "policy.yaml").write_text(elsewhere)
    desk.run(command)
    assert desk.transport.hosts == {"eu.openrouter.ai"}
