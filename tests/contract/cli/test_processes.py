"""The command line as a process of its own: what a shell, a pipe and a terminal see of it."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.session import HOST_VARIABLE, KEY_VARIABLE
from sandbox.openrouter import Simulator
from tools.policy import compile_policy

GOVERNOR = Path(sys.executable).with_name("governor")
MANAGEMENT = "sk-or-v1-fake-management"


@pytest.fixture
def simulator() -> Simulator:
    made = Simulator(MANAGEMENT)
    made.organization.create_workspace("Platform", "platform")
    made.create_key("prod-platform-search", workspace="platform", limit=20.0, limit_reset="daily")
    made.create_key("An old key with a long name, made by hand and never renamed since " * 2)
    return made


@pytest.fixture
def environment(simulator: Simulator) -> Iterator[dict[str, str]]:
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    with simulator.serve() as url:
        yield {**kept, KEY_VARIABLE: MANAGEMENT, HOST_VARIABLE: url, "TERM": "xterm-256color"}


def _run(environment: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(GOVERNOR), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def _in_terminal(environment: dict[str, str], *arguments: object) -> str:
    """What a terminal of 80 columns is sent."""
    ours, theirs = pty.openpty()
    command = [str(GOVERNOR), *map(str, arguments)]
    with subprocess.Popen(command, env={**environment, "COLUMNS": "80"}, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            seen += part
        process.wait()
    os.close(ours)
    return seen.decode()


def test_a_pipe_gets_no_colour_no_bar_and_eighty_columns(environment: dict[str, str], tmp_path: Path) -> None:
    ran = _run(environment, "import", tmp_path / "policy.yaml")
    assert ran.returncode == 0
    assert "\x1b" not in ran.stdout + ran.stderr
    assert max(len(line) for line in ran.stdout.splitlines() if not line.startswith("/")) <= 80
    assert json.loads(_run(environment, "import", tmp_path / "policy.yaml", "--json").stdout)["written"] is False


def test_a_terminal_gets_colour_unless_it_says_no(environment: dict[str, str], tmp_path: Path) -> None:
    assert "\x1b[1m" in _in_terminal(environment, "import", tmp_path / "policy.yaml")
    plain = _in_terminal({**environment, "NO_COLOR": "1"}, "import", tmp_path / "policy.yaml")
    assert not [colour for colour in range(30, 38) if f"\x1b[{colour}m" in plain]
    assert "To fill in: 1" in plain


def test_help_fits_a_pipe(environment: dict[str, str]) -> None:
    ran = _run(environment, "import", "--help")
    assert ran.returncode == 0
    assert "\x1b" not in ran.stdout
    assert max(len(line) for line in ran.stdout.splitlines()) <= 80


@pytest.mark.parametrize("present", [None, "version: 1\n# ours\n"])
def test_an_interrupt_leaves_nothing_half_written(
    simulator: Simulator, environment: dict[str, str], tmp_path: Path, present: str | None
) -> None:
    policy, asked = tmp_path / "policy.yaml", threading.Event()
    if present:
        policy.write_text(present)

    def then_nothing(path: str, answer: Any) -> Any:
        if path == "/workspaces":
            simulator.latency = 600.0
            asked.set()
        return answer

    simulator.on_answer = then_nothing
    with subprocess.Popen(
        [str(GOVERNOR), "import", str(policy)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert asked.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == b""
    assert b"Interrupted." in err
    assert b"Traceback" not in err
    assert [one.name for one in tmp_path.iterdir()] == (["policy.yaml"] if present else [])
    assert not present or policy.read_text() == present


def test_the_wrong_keys_and_no_network_end_with_three(
    simulator: Simulator, environment: dict[str, str], tmp_path: Path
) -> None:
    _, inference = simulator.create_key("mine")
    for other, says in (
        ({KEY_VARIABLE: inference}, "inference key"),
        ({KEY_VARIABLE: "sk-or-v1-fake-other"}, "does not accept the key"),
        ({HOST_VARIABLE: "http://localhost:9/api/v1"}, "could not be reached"),
    ):
        ran = _run({**environment, **other}, "import", tmp_path / "policy.yaml")
        assert (ran.returncode, ran.stdout) == (3, "")
        assert says in ran.stderr.replace("\n", " ")
        assert "Traceback" not in ran.stderr
    ran = _run({name: value for name, value in environment.items() if name != KEY_VARIABLE}, "import", "policy.yaml")
    assert ran.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_key_and_one_of_a_workspace_import_what_they_see(
    simulator: Simulator, environment: dict[str, str], tmp_path: Path
) -> None:
    simulator.restrict_management(read_only=True, workspace="platform")
    ran = _run(environment, "import", tmp_path / "policy.yaml")
    assert ran.returncode == 0
    assert "The key sees one workspace, platform." in ran.stderr
    assert [one.name for one in compile_policy(tmp_path / "policy.yaml").workloads] == ["prod-platform-search"]


def test_ten_thousand_keys_are_imported(simulator: Simulator, environment: dict[str, str], tmp_path: Path) -> None:
    for number in range(10_000):
        simulator.create_key(f"prod-team-w{number}", workspace="platform")
    ran = _run(environment, "import", tmp_path / "policy.yaml", "--json")
    assert ran.returncode == 0
    assert len(json.loads(ran.stdout)["added"]["workloads"]) == 10_001


def test_a_pipe_that_closes_early_is_no_accident(environment: dict[str, str], tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\n" + "".join(f"zz{number}: 1\n" for number in range(30_000)))
    line = f"'{GOVERNOR}' policy check '{policy}' | head -1"
    ran = subprocess.run(["bash", "-c", line], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ran.stdout.startswith(str(policy))
    assert "Traceback" not in ran.stderr
