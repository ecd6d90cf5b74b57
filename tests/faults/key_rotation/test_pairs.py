"""Two accidents in one rotation: whatever befalls a write, and then whatever call of the retry, it converges."""

from collections.abc import Iterator, Sequence

import pytest

from tests.faults.harness import Accident, Fault, Wire, case, writes
from tests.faults.key_rotation.driving import assert_rotated, rotate, up_to
from tests.faults.key_rotation.opening import Worlds
from tests.faults.key_rotation.world import STEPS

_FIRST = (Fault.KILLED_BEFORE, Fault.KILLED_AFTER, Fault.TIMED_OUT_AFTER)


@pytest.mark.parametrize("again", STEPS)
@pytest.mark.parametrize("step", STEPS)
def test_an_accident_at_a_write_and_another_at_any_call_of_the_retry_converge(
    step: str, again: str, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    """The retry runs every step anew, whichever it was that failed."""
    before, later = up_to(fresh, step), up_to(fresh, again)
    names = wire.calls_of(fresh(before).step(step))
    retried = wire.calls_of(fresh(later).step(again))
    for at in writes(names):
        for fault in _FIRST:
            first = Accident(at, fault, names[at], lasting=not fault.kills)
            for second in _seconds(retried):
                with case(counted, f"{step}: {first}, then {again}: {second}"):
                    world = fresh(before)
                    assert rotate(world, {(0, step): first, (1, again): second}, start=step)
                    assert_rotated(world)


def _seconds(calls: Sequence[str]) -> Iterator[Accident]:
    """Death after any call, and a write whose answer is lost however often it is asked."""
    for at, name in enumerate(calls):
        yield Accident(at, Fault.KILLED_AFTER, name)
    for at in writes(calls):
        yield Accident(at, Fault.TIMED_OUT_AFTER, calls[at], lasting=True)
