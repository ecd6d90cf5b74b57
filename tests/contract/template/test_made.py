"""`template.yaml` is what `template/` makes, and what a person reads of it stays short (docs/decisions/0061)."""

from pathlib import Path

import pytest

from tools.template import ROOT, SOURCE, TARGET, render

FUNCTIONS = sorted((SOURCE / "functions").iterdir())


def test_the_template_is_what_its_source_makes() -> None:
    assert TARGET.read_text() == render(), "run: python -m tools.template"


def test_the_stack_can_be_read() -> None:
    assert len((SOURCE / "stack.yaml.j2").read_text().splitlines()) <= 600


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.name)
def test_a_function_takes_forty_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 40


def test_every_function_has_its_file() -> None:
    names = {path.name for path in (ROOT / "functions").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert {path.name.removesuffix(".yaml.j2") for path in FUNCTIONS} == names
