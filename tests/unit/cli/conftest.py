"""A simulator whose clock stands, and a terminal beside it."""

import pytest

from sandbox.openrouter import Simulator
from tests.unit.cli.terminal import MANAGEMENT, NOW, Terminal


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(MANAGEMENT, clock=lambda: NOW)


@pytest.fixture
def terminal(simulator: Simulator) -> Terminal:
    return Terminal(simulator)
