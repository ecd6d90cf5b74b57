"""The built stack in the sandbox: real artifacts, every function under its own role, enforced. Virtual time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.scenario.world import World, open_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as opened:
        yield opened
