"""A real SIGINT to each command in a process and a terminal of its own, while the far side has its request and has not
answered: it ends with 130, without a traceback, with nothing half-written, and the cursor is there again.

The signal is sent by the far side, so that it comes during that request, however slow the machine is. In one process,
at every request and every wait: tests/unit/cli/test_every_interrupt.py.
"""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandbox.openrouter import Simulator
from tests.contract.cli.far_side import SECONDS, FarSide, Gate, far_side
from tests.unit.cli.surroundings import COMMANDS, TOKEN, Command, furnish, populate
from tests.unit.cli.terminal import MANAGEMENT

GOVERNOR = Path(sys.executable).with_name("governor")
CURSOR_GONE, CURSOR_BACK = b"\x1b[?25l", b"\x1b[?25h"
LATE = {
    "import": 4, "policy check": 4, "plan": 12, "terraform drift": 4, "explain": 4, "status": 2, "keys": 2, "doctor": 2,
    "review": 2, "broadcast check": 4, "broadcast setup": 5, "broadcast rotate": 6, "broadcast notifications": 3,
}  # fmt: skip
"""By command, the request that is interrupted, from 1: where several are under way in threads, or something is about to
be written. Of the orders it is the second, with which the order goes to the bus."""


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it wrote: to a pipe, and to the terminal."""

    code: int
    stdout: bytes
    terminal: bytes


@dataclass
class Process:
    """Runs commands over `far`, each in `folder` and a terminal of 80 columns."""

    far: FarSide
    folder: Path
    program: tuple[str, ...] = (str(GOVERNOR),)
    environment: dict[str, str] = field(default_factory=dict)

    def interrupted(self, command: Command, at: int, answers: bool = True) -> Ended:
        gate = self.far.gate = Gate(at=at, answers=answers)
        ended = self.run(command, gate)
        assert gate.seen >= at, f"it asked {gate.seen} times, and was not interrupted\n{ended.terminal.decode()}"
        return ended

    def run(self, command: Command, gate: Gate) -> Ended:
        ours, theirs = pty.openpty()
        kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
        environment = {**kept, **self.far.environment, "COLUMNS": "80", "TERM": "xterm-256color", **self.environment}
        words = [*self.program, *command.name.split(), *command.words.split()]
        try:
            with subprocess.Popen(
                words, cwd=self.folder, env=environment, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs
            ) as process:
                os.close(theirs)
                gate.process = process.pid
                gate.known.set()
                seen = _all_of(ours)
                gate.ended.set()
                stdout, _ = process.communicate(timeout=SECONDS)
        finally:
            gate.ended.set()
            os.close(ours)
        return Ended(process.returncode, stdout, seen)


def _all_of(terminal: int) -> bytes:
    """All that is written, until nobody holds the other end."""
    seen = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            return seen
        if not part:
            return seen
        seen += part


@pytest.fixture(scope="module", autouse=True)
def _signals_are_not_ignored() -> Iterator[None]:
    """Whoever was started in the background ignores SIGINT, and so would its children."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@pytest.fixture(scope="module")
def far() -> Iterator[FarSide]:
    simulator = Simulator(MANAGEMENT)
    populate(simulator)
    with far_side(simulator) as made:
        yield made


@pytest.fixture
def process(far: FarSide, tmp_path: Path) -> Process:
    furnish(far.simulator, tmp_path)
    return Process(far, tmp_path)


def _assert_interrupted(process: Process, ended: Ended) -> None:
    shown = ended.terminal.decode()
    assert ended.code == 130, shown
    assert ended.stdout == b""
    assert "Interrupted." in shown
    assert "Traceback" not in shown
    assert "Exception ignored" not in shown
    assert ended.terminal.rfind(CURSOR_BACK) > ended.terminal.rfind(CURSOR_GONE) > -1
    assert sorted(one.name for one in process.folder.iterdir()) == ["policy.yaml", "state.json"]


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_an_interrupt_ends_it_and_leaves_nothing_half_written(process: Process, command: Command) -> None:
    _assert_interrupted(process, process.interrupted(command, LATE.get(command.name, 2)))
    secret = process.far.secret()
    assert TOKEN in (secret["token"], secret.get("former")), "what the destinations send is taken"


@pytest.mark.parametrize(
    ("name", "at"), [("import", 6), ("explain", 6), ("disable", 2), ("broadcast setup", 1)], ids=str
)
def test_one_that_is_never_answered_ends_all_the_same(process: Process, name: str, at: int) -> None:
    """Threads that wait for an answer keep nobody from leaving: at its sixth request `import` waits for those that read
    what belongs to a workspace."""
    command = next(one for one in COMMANDS if one.name == name)
    _assert_interrupted(process, process.interrupted(command, at, answers=False))


@pytest.mark.parametrize(
    "program", [(str(GOVERNOR),), (sys.executable, "-m", "cli")], ids=["governor", "python -m cli"]
)
def test_an_interrupt_while_the_program_is_loaded_shows_no_traceback(
    process: Process, program: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    _assert_interrupted_while_loading(
        process,
        program,
        tmp_path_factory.mktemp("libraries"),
        "os.kill(os.getpid(), signal.SIGINT)\nwhile True: pass\n",
    )


def test_what_an_interrupt_caught_half_made_shows_no_traceback(process: Process, tmp_path: Path) -> None:
    """As `http.client.HTTPResponse`, whose finalizer looks for what its constructor had not yet set."""
    half_made = (
        "class HalfMade:\n"
        "    def __init__(self): os.kill(os.getpid(), signal.SIGINT); self.file = None\n"
        "    def __del__(self): self.file\n"
        "try: HalfMade()\n"
        "except KeyboardInterrupt: pass\n"
        "raise KeyboardInterrupt\n"
    )
    _assert_interrupted_while_loading(process, (str(GOVERNOR),), tmp_path, half_made)


def _assert_interrupted_while_loading(process: Process, program: tuple[str, ...], libraries: Path, code: str) -> None:
    (libraries / "typer.py").write_text(f"import os, signal\n{code}")
    path = os.pathsep.join([str(libraries), os.environ.get("PYTHONPATH", "")])
    loading = Process(process.far, process.folder, program, {"PYTHONPATH": path})
    ended = loading.run(COMMANDS[0], Gate())
    assert (ended.code, ended.stdout) == (130, b"")
    assert ended.terminal.endswith(b"Interrupted.\r\n")
    assert b"Traceback" not in ended.terminal


def test_what_was_interrupted_is_run_again_and_ends(process: Process) -> None:
    setup = next(one for one in COMMANDS if one.name == "broadcast setup")
    assert process.interrupted(setup, 6).code == 130
    again = process.run(setup, Gate())
    assert again.code == 0, again.terminal.decode()
    (destination,) = process.far.simulator.organization.destinations.values()
    assert destination.settings["config"]["headers"] == {"x-governor-broadcast": process.far.secret()["token"]}
