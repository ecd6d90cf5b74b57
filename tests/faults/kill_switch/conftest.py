"""Worlds on the wire."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults.harness import Wire
from tests.faults.kill_switch.world import World, worlds


@pytest.fixture
def fresh(wire: Wire) -> Iterator[Callable[[], World]]:
    with worlds(wire) as make:
        yield make
