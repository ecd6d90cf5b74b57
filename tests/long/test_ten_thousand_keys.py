"""Each command that reads or shows every key, on an account of ten thousand, each a workload of the policy."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.cli.stack import stack_double
from tests.unit.cli.surroundings import COMMANDS, POLICY, Command, Desk

KEYS = 10_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("large")
    with stack_double() as stack:
        desk = Desk(stack, folder)
        names = [f"prod-team-w{number}" for number in range(KEYS)]
        for name in names:
            desk.simulator.create_key(name, workspace="platform")
        declared = "".join(f"  - {{name: {one}, workspace: platform, owner: {{slack: U0TEAM}}}}\n" for one in names)
        (folder / "policy.yaml").write_text(POLICY + declared)
        yield desk


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.lists], ids=lambda one: one.name)
def test_ten_thousand_keys_are_no_accident(
    large: Desk, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The past of so many keys takes an hour to play (docs/plan.md): the present stands for the plan here."""
    for name in ("policy.yaml", "state.json"):
        shutil.copy(large.folder / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    words = command.words.replace("--days 1 --no-cache", "--now").replace(" --html plan.html", "")
    ran = large.run(replace(command, words=words), "--json")
    assert ran.code in (0, 1), ran.stderr
    json.loads(ran.stdout)
