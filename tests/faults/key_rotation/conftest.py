"""A stage of worlds, and the wire that its accidents happen on."""

from collections.abc import Iterator

import pytest

from tests.faults.harness import Wire
from tests.faults.key_rotation.opening import Worlds, worlds


@pytest.fixture
def fresh(wire: Wire) -> Iterator[Worlds]:
    with worlds(wire) as stage:
        yield stage
