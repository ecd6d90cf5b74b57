"""A wire, and a stage on it that makes worlds."""

from collections.abc import Iterator

import pytest

from tests.faults.harness import Wire
from tests.faults.preset_promotion.opening import Worlds, worlds


@pytest.fixture
def fresh(wire: Wire) -> Iterator[Worlds]:
    with worlds(wire) as stage:
        yield stage
