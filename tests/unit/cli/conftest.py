"""A simulator whose clock stands, a terminal beside it, and a desk with a stack, too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.openrouter import Simulator
from tests.unit.cli.stack import stack_double
from tests.unit.cli.surroundings import Desk
from tests.unit.cli.terminal import MANAGEMENT, NOW, Terminal


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(MANAGEMENT, clock=lambda: NOW)


@pytest.fixture
def terminal(simulator: Simulator) -> Terminal:
    return Terminal(simulator)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.chdir(tmp_path)
    with stack_double() as stack:
        yield Desk(stack, tmp_path)
