"""No module needs itself: not by way of others, not inside a function, not for a type alone."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from sandbox.build import ROOT

SOURCES = [ROOT, *ROOT.glob("layers/*/src"), *(path for path in ROOT.glob("functions/*") if path.is_dir())]
OURS = ("cli", "sandbox", "tests", "tools")
"""Packages that lie in the root itself, beside folders that are none."""


def _modules() -> Iterator[tuple[str, Path]]:
    for source in SOURCES:
        folders = [source] if source != ROOT else [ROOT / name for name in OURS]
        for path in (one for folder in folders for one in folder.rglob("*.py")):
            names = path.relative_to(source).with_suffix("").parts
            yield ".".join(names[:-1] if names[-1] == "__init__" else names), path


def _imported(path: Path, modules: dict[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in modules else node.module


def test_no_module_needs_itself_by_way_of_others() -> None:
    modules = dict(_modules())
    graph = {
        name: {one for one in _imported(path, modules) if one in modules} - {name} for name, path in modules.items()
    }
    assert len(graph) > 900
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(" -> ".join(reversed(circle.args[1])))
