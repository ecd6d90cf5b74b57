"""However they interleave, no more keys are disabled than the rate limit allows (promise 9)."""

from collections.abc import Callable

import pytest

from governor.events import DetailType
from tests.faults.harness import Accident, Ended, Fault, Wire, case, invoke
from tests.faults.kill_switch.world import OTHERS, World
from tests.faults.turns import in_turns


@pytest.mark.parametrize("seed", range(25))
def test_of_four_workloads_that_leak_in_parallel_three_are_disabled_and_one_is_told_of(
    seed: int, wire: Wire, fresh: Callable[[], World], counted: list[str]
) -> None:
    with case(counted, f"interleaving {seed}"):
        world = fresh()
        leaks = [world.leaked(name) for name in OTHERS]
        runs = [world.run(event) for _, event in leaks]
        ended = in_turns(wire, runs, seed)
        for run, end in zip(runs, ended, strict=True):
            if end != Ended.DONE:  # the ledger moved under it all the while: Lambda comes back
                assert invoke(wire, run) == Ended.DONE
        assert len(world.disabled() & {hash for hash, _ in leaks}) == 3
        assert len(world.recent_disables()) == 3
        withheld = world.told_of(DetailType.DISABLE_WITHHELD)
        assert [entry["Detail"]["evidence"]["rule"] for entry in withheld] == ["account_leash"]


def test_a_crash_anywhere_never_spends_the_leash_twice_nor_passes_it(
    wire: Wire, fresh: Callable[[], World], counted: list[str]
) -> None:
    world = fresh()
    calls = wire.calls_of(world.run(world.leaked(OTHERS[0])[1]))
    for at in range(len(calls)):
        with case(counted, f"each of four killed after call {at}"):
            world = fresh()
            leaks = [world.leaked(name) for name in OTHERS]
            for _, event in leaks:
                invoke(wire, world.run(event), Accident(at, Fault.KILLED_AFTER))
            for _, event in leaks:
                assert invoke(wire, world.run(event)) == Ended.DONE
            assert len(world.recent_disables()) == 3
            assert len(world.disabled() & {hash for hash, _ in leaks}) == 3
