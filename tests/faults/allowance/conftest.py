"""A stage of worlds with an allowance, and the wire that its accidents happen on."""

from collections.abc import Iterator

import pytest

from tests.faults.allowance.opening import allowing
from tests.faults.harness import Wire
from tests.faults.key_rotation.opening import Worlds


@pytest.fixture
def fresh(wire: Wire) -> Iterator[Worlds]:
    with allowing(wire) as stage:
        yield stage
