"""Each command in each surrounding that people run it in: terminals of 80 columns, light and dark, without colour, in a
pipe, interrupted, without a network, with the wrong key or a lesser one. An account of ten thousand keys:
tests/long/test_ten_thousand_keys.py.

A command that is new is a row of `COMMANDS`, or a test here fails.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import EndpointConnectionError
from typer.testing import CliRunner

from cli.main import build
from cli.session import KEY_VARIABLE, Outside
from management_api import Retry
from sandbox.openrouter import Simulator
from tests.unit.cli.stack import StackDouble, stack_double
from tests.unit.cli.terminal import MANAGEMENT, NOW, InProcess, Ran, Unreachable

WORKLOAD = "prod-search-agent"
LONG = "An old key with a long name, made by hand and never renamed since " * 2
POLICY = f"""
version: 1
alerts: {{channel: C0GOVERNOR}}
approvals: {{channel: C0GOVERNOR, approvers: [U0LEAD]}}
workloads:
  - {{name: {WORKLOAD}, workspace: platform, owner: {{slack: U0SEARCH}}, key: {{limit_usd: 20, limit_reset: daily}}}}
"""
TERMINAL: dict[str, Any] = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "TTY_COMPATIBLE": "1"}
VANISHES = {30, 37, 38, 48, 90, 97, *range(40, 48), *range(100, 108)}
"""Codes that set black, white, grey, a colour by number, or a background: seen on light or on dark terminals only."""


@dataclass(frozen=True)
class Command:
    """`words`: its arguments, in a folder with `policy.yaml` and `state.json`. `code`: how it ends when all is well.

    `far`: whom it needs. `lists`: it reads or shows every key.
    """

    name: str
    words: str
    far: str
    code: int = 0
    lists: bool = False


FROM_FILE = "--policy policy.yaml"
COMMANDS = (
    Command("import", "new.yaml", "openrouter", lists=True),
    Command("policy check", "policy.yaml --account", "openrouter", lists=True),
    Command("plan", "policy.yaml --days 1 --no-cache --terraform state.json", "openrouter", 1, lists=True),
    Command("terraform drift", "state.json", "openrouter", 1, lists=True),
    Command("explain", f"{WORKLOAD} {FROM_FILE}", "both", lists=True),
    Command("status", FROM_FILE, "aws", lists=True),
    Command("keys", FROM_FILE, "aws", 1, lists=True),
    Command("doctor", FROM_FILE, "aws", 1),
    *(Command(name, WORKLOAD, "aws") for name in ("disable", "restore", "expected", "rotate", "rollback-key")),
    *(Command(name, "4f1c", "aws") for name in ("pause", "resume", "stop")),
    Command("promote", "support-triage", "aws"),
    Command("rollback", "support-triage", "aws"),
    Command("drill", "platform anthropic", "aws"),
    Command("review", "--now", "aws"),
)
OF_OPENROUTER = [one for one in COMMANDS if one.far == "openrouter"]
OF_AWS = [one for one in COMMANDS if one.far == "aws"]


class Desk:
    """Somebody's terminal, in a folder of their own."""

    def __init__(self, stack: StackDouble, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self.simulator = Simulator(MANAGEMENT, clock=lambda: NOW)
        self.simulator.organization.create_workspace("Platform", "platform")
        self.simulator.create_key(WORKLOAD, workspace="platform", limit=20.0, limit_reset="daily")
        self.simulator.create_key(LONG)
        self.transport: httpx.BaseTransport = InProcess(self.simulator.app)
        (folder / "policy.yaml").write_text(POLICY)
        place = self.simulator.organization.workspace("platform")
        stated = {"id": place.id, "slug": "platform", "name": "Another"}
        resource = {
            "mode": "managed",
            "type": "openrouter_workspace",
            "name": "it",
            "instances": [{"attributes": stated}],
        }
        (folder / "state.json").write_text(json.dumps({"version": 4, "resources": [resource]}))
        stack.on_sleep = lambda: stack.answer("disable", "It is being done; <@U0LEAD> is told.")

    def run(self, command: Command, key: str = MANAGEMENT, as_json: bool = False, **given: Any) -> Ran:
        """`given`: fields of `Outside`, and variables of the environment in capitals."""
        variables = {name: given.pop(name) for name in list(given) if name.isupper()}
        outside = Outside(
            environment={KEY_VARIABLE: key} if key else {},
            transport=self.transport,
            aws=self.stack._client,
            credentials=lambda: ReadOnlyCredentials("FAKEACCESSKEY0000001", "fake", "fake-token"),
            now=lambda: datetime.fromtimestamp(NOW, UTC),
            retry=Retry(sleep=lambda _: None),
            sleep=lambda _: self.stack.on_sleep(),
            web=_nowhere,
        )
        words = [
            *command.name.split(),
            *command.words.split(),
            *(["--stack", "governor"] if command.far != "openrouter" else []),
        ]
        words += ["--json"] if as_json else []
        environment = {"COLUMNS": "80", "NO_COLOR": None, "FORCE_COLOR": None, **variables}
        result = CliRunner().invoke(build(), words, obj=replace(outside, **given), env=environment)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    def files(self) -> dict[str, str]:
        return {one.name: one.read_text() for one in self.folder.iterdir()}


def _nowhere(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("Name or service not known", request=request)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.chdir(tmp_path)
    with stack_double() as stack:
        yield Desk(stack, tmp_path)


every = pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.name)


ELSEWHERE = {"broadcast setup", "broadcast check", "broadcast rotate", "broadcast notifications"}
"""Not in the table yet: `tests/unit/cli` has files of their own, without these surroundings."""


def test_every_command_is_here() -> None:
    app: Any = typer.main.get_command(build())
    known = {
        f"{name} {part}" if part else name
        for name, one in app.commands.items()
        for part in (one.commands if hasattr(one, "commands") else [""])
    }
    assert known == {one.name for one in COMMANDS} | ELSEWHERE


@every
def test_piped_it_has_no_colour_no_bar_and_eighty_columns(desk: Desk, command: Command) -> None:
    ran = desk.run(command)
    assert ran.code == command.code, ran.stdout + ran.stderr
    assert "\x1b" not in ran.stdout + ran.stderr
    assert not [line for line in ran.stdout.splitlines() if len(line) > 80 and "─" in line]
    assert ran.stdout


@every
def test_its_json_is_one_document(desk: Desk, command: Command) -> None:
    ran = desk.run(command, as_json=True)
    assert ran.code == command.code, ran.stdout + ran.stderr
    json.loads(ran.stdout)


@every
def test_a_terminal_of_eighty_columns_shows_it_on_light_and_on_dark(desk: Desk, command: Command) -> None:
    ran = desk.run(command, **TERMINAL)
    assert ran.code == command.code
    shown = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", ran.stdout)
    assert max(map(len, shown.splitlines())) <= 80
    runs = re.findall(r"\x1b\[([0-9;]*)m", ran.stdout + ran.stderr)
    codes = {int(code) for run in runs for code in run.split(";") if code}
    assert not codes & VANISHES, codes


@every
def test_without_colour_it_says_the_same(desk: Desk, command: Command) -> None:
    ran = desk.run(command, **TERMINAL, NO_COLOR="1")
    assert ran.code == command.code
    assert not re.findall(r"\x1b\[[0-9;]*\b(3[0-8]|4[0-8]|9[0-7])m", ran.stdout + ran.stderr)


@every
def test_its_help_fits_and_holds_an_example(desk: Desk, command: Command) -> None:
    ran = desk.run(replace(command, words="--help", far="openrouter"))
    assert ran.code == 0
    assert "Example:" in ran.stdout
    assert max(map(len, ran.stdout.splitlines())) <= 80


@every
def test_interrupted_it_says_so_and_leaves_every_file_as_it_was(desk: Desk, command: Command) -> None:
    def interrupted(*_: object) -> Any:
        raise KeyboardInterrupt

    class Interrupted(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            raise KeyboardInterrupt

    before = desk.files()
    ran = desk.run(command, transport=Interrupted(), aws=interrupted)
    assert (ran.code, ran.stdout) == (130, "")
    assert "Interrupted." in ran.stderr
    assert desk.files() == before


@every
def test_without_a_network_it_says_so_and_what_to_do(desk: Desk, command: Command) -> None:
    def unreachable(service: str, _region: str | None) -> Any:
        raise EndpointConnectionError(endpoint_url=f"https://{service}.us-east-1.amazonaws.com/")

    before = desk.files()
    ran = desk.run(command, transport=Unreachable(), aws=unreachable)
    assert (ran.code, ran.stdout) == (3, "")
    assert "could not be reached" in " ".join(ran.stderr.split())
    assert "fix: " in ran.stderr
    assert desk.files() == before


@pytest.mark.parametrize("command", OF_OPENROUTER, ids=lambda one: one.name)
def test_an_inference_key_is_told_from_a_management_key(desk: Desk, command: Command) -> None:
    _, inference = desk.simulator.create_key("mine")
    before = desk.files()
    ran = desk.run(command, key=inference)
    assert (ran.code, ran.stdout) == (3, "")
    assert "is an inference key" in " ".join(ran.stderr.split())
    assert inference not in ran.stderr
    assert desk.files() == before


@pytest.mark.parametrize("command", OF_OPENROUTER, ids=lambda one: one.name)
def test_a_read_only_key_is_enough(desk: Desk, command: Command) -> None:
    desk.simulator.restrict_management(read_only=True)
    assert desk.run(command).code == command.code


@pytest.mark.parametrize("command", OF_OPENROUTER, ids=lambda one: one.name)
def test_a_key_of_one_workspace_is_said_to_see_one(desk: Desk, command: Command) -> None:
    desk.simulator.restrict_management(read_only=True, workspace="platform")
    ran = desk.run(command)
    assert ran.code in (0, 1)
    assert "The key sees one workspace, platform." in " ".join(ran.stderr.split())


@pytest.mark.parametrize("restrict", [{"read_only": True}, {"workspace": "platform"}, {}], ids=str)
def test_explain_reads_with_a_lesser_key_and_says_what_it_did_not_read(desk: Desk, restrict: dict[str, Any]) -> None:
    explain = next(one for one in COMMANDS if one.far == "both")
    _, inference = desk.simulator.create_key("mine")
    if restrict:
        desk.simulator.restrict_management(**restrict)
    ran = desk.run(explain, key=MANAGEMENT if restrict else inference)
    assert ran.code == (0 if restrict else 1), ran.stderr
    assert ("not read" in ran.stderr) == (not restrict)


@pytest.mark.parametrize("command", OF_AWS, ids=lambda one: one.name)
def test_what_asks_the_stack_alone_needs_no_key_of_openrouter(desk: Desk, command: Command) -> None:
    assert desk.run(command, key="").code == command.code
    assert not desk.simulator.requests
