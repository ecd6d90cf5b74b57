"""A wire, and worlds on it."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults.approval_desk.world import World, worlds
from tests.faults.harness import Wire


@pytest.fixture
def fresh(wire: Wire) -> Iterator[Callable[[], World]]:
    with worlds(wire) as make:
        yield make
