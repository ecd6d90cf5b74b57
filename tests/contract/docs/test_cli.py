"""Every `governor` line in a document is one that the command line takes, and each of its commands has a line."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from cli.main import build

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
BLOCKS = {
    path: re.findall(r"^```sh\n(.*?)^```", path.read_text(), flags=re.MULTILINE | re.DOTALL) for path in DOCUMENTS
}
LINES = sorted(
    {
        line
        for blocks in BLOCKS.values()
        for block in blocks
        for line in block.splitlines()
        if line.startswith("governor ")
    }
)
APP = typer.main.get_command(build())


@pytest.mark.parametrize("line", LINES)
def test_every_command_in_a_document_is_understood(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, *words = shlex.split(line.partition(" #")[0])[1:]
    monkeypatch.chdir(tmp_path)
    for file in (word for word in words if word.endswith((".json", ".yaml", ".txt")) and not word.startswith("/")):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).touch()
    assert isinstance(APP, typer.core.TyperGroup)
    command = APP.commands[name]
    with command.make_context(name, words):
        pass


def test_every_command_stands_in_the_command_lines_document() -> None:
    assert isinstance(APP, typer.core.TyperGroup)
    text = (ROOT / "docs" / "cli.md").read_text()
    assert [name for name in APP.commands if f"governor {name}" not in text] == []


def test_the_documents_put_events_by_hand_in_one_place() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    places = {path.name for path in DOCUMENTS if "put-events --entries" in path.read_text()}
    assert places == {"operations.md"}
    assert "put-events" not in text.partition("\n## Requests as events\n")[0]
