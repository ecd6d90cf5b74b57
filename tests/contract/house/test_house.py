"""The house rules that no linter knows: where things stand, and how large they may grow."""

import re
import tomllib
from pathlib import Path

import pytest

from tools.import_rules import spelled_out

ROOT = Path(__file__).resolve().parents[3]
FUNCTIONS = sorted(path.name for path in (ROOT / "functions").iterdir() if path.is_dir())
PYTHON = sorted(
    path
    for folder in ("functions", "layers", "sandbox", "tools", "cli", "tests")
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_one_folder_with_its_readme_its_rules_and_samples_of_its_events(name: str) -> None:
    folder = ROOT / "functions" / name
    for file in (
        "README.md",
        "Makefile",
        *(f"{name}/{part}.py" for part in ("handler", "settings", "decide", "service")),
    ):
        assert (folder / file).exists(), file
    assert list((ROOT / "events" / name).glob("*.json"))
    assert len((folder / name / "handler.py").read_text().splitlines()) <= 60


@pytest.mark.parametrize("name", FUNCTIONS)
def test_setup_makes_every_function_importable(name: str) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert f"functions/{name}" in settings["hatch"]["build"]["dev-mode-dirs"]


def test_the_import_rules_name_no_function_but_hold_each() -> None:
    written = (ROOT / "pyproject.toml").read_text()
    rules = tomllib.loads(spelled_out(written, FUNCTIONS))["tool"]["importlinter"]
    (independent,) = (one for one in rules["contracts"] if one["type"] == "independence")
    assert independent["modules"] == FUNCTIONS
    assert {*FUNCTIONS} < {*rules["root_packages"]}
    assert not [name for name in FUNCTIONS if f'"{name}' in written[written.index("[tool.importlinter]") :]]


def test_a_long_file_says_why_it_is_one() -> None:
    for path in PYTHON:
        text = path.read_text()
        if "tests" in path.relative_to(ROOT).parts:
            continue
        if len(text.splitlines()) > 300:
            assert re.search(r"\blines\b", text.partition('"""')[2].partition('"""')[0]), path.relative_to(ROOT)


def test_nothing_is_called_what_says_nothing() -> None:
    empty = {"common", "utils", "util", "helpers", "helper", "manager", "misc"}
    assert not [path for path in PYTHON if path.stem in empty or path.parent.name in empty]
