"""Each command, given a file that is not what it takes: it names the file, says what to do, and ends with 2."""

from pathlib import Path

import pytest

from tests.unit.cli.surroundings import COMMANDS, Command, Desk

POLICY = sorted({one.name: one for one in COMMANDS if "policy.yaml" in one.words}.values(), key=lambda one: one.name)
FILES = {
    "import --map-file": Command("import", "new.yaml --map-file bad", stack=False),
    "import --terraform": Command("import", "new.yaml --terraform bad", stack=False),
    "import": Command("import", "bad", stack=False),
    "plan --terraform": Command("plan", "policy.yaml --now --terraform bad", stack=False),
    "terraform drift": Command("terraform drift", "bad", stack=False),
    **{one.name: Command(one.name, one.words.replace("policy.yaml", "bad"), stack=one.stack) for one in POLICY},
}
FORMS = ("a folder", "binary", "not there")


def _bad(folder: Path, form: str) -> None:
    path = folder / "bad"
    if form == "a folder":
        path.mkdir()
    elif form == "binary":
        path.write_bytes(b"\xff\xfe\x00\x00\x80")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", FILES)
def test_what_is_no_such_file_is_named(desk: Desk, name: str, form: str) -> None:
    if name == "import" and form == "not there":
        form = "a folder"  # a file that is not there is what it makes
    _bad(desk.folder, form)
    command = FILES[name]
    before = desk.files()
    ran = desk.run(command)
    assert ran.code == (1 if name == "policy check" else 2), ran.stderr
    assert "bad" in ran.stdout + ran.stderr
    assert desk.files() == before
    assert not desk.stack.entries


@pytest.mark.parametrize(
    "command",
    [
        Command("plan", "policy.yaml --days 1 --no-cache --html nowhere/plan.html", stack=False),
        Command("import", "nowhere/new.yaml", stack=False),
        Command("review", "--save state.json"),
    ],
    ids=lambda one: one.name,
)
def test_what_cannot_be_written_is_named(desk: Desk, command: Command) -> None:
    before = desk.files()
    ran = desk.run(command)
    assert (ran.code, ran.stdout) == (2, "")
    assert "could not be" in " ".join(ran.stderr.split())
    assert "fix: Give a" in ran.stderr
    assert desk.files() == before
