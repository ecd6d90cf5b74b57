"""What Secrets Manager and the schedules do to a world, with the promises held after each invocation."""

from collections.abc import Mapping

from tests.faults.harness import Accident, Ended, invoke
from tests.faults.key_rotation import promises
from tests.faults.key_rotation.opening import Worlds
from tests.faults.key_rotation.world import STEPS, World
from tests.faults.stage import Photo

SPENT = 40.0
"""USD of the month's cap that the first key has spent when a rotation is asked for."""


def asked(fresh: Worlds) -> World:
    """A workload that has spent, and whose rotation was asked for."""
    world = fresh()
    world.simulator.spend(world.first, SPENT)
    world.ask()
    return world


def up_to(fresh: Worlds, step: str) -> Photo:
    """The world just before a step, the ones before it undisturbed."""
    world = asked(fresh)
    for before in STEPS[: STEPS.index(step)]:
        assert invoke(world.wire, world.step(before)) == Ended.DONE
    return fresh.photo()


def rotate(
    world: World,
    plan: Mapping[tuple[int, str], Accident] | None = None,
    attempts: int = 4,
    start: str = STEPS[0],
    token: str | None = None,
) -> bool:
    """As Secrets Manager does: the four steps in order, all anew after a failure. Whether it came to its end.

    `plan`: accidents by attempt and step. `start`: where the first attempt stands already.
    """
    for attempt in range(attempts):
        ended = Ended.DONE
        for step in STEPS[0 if attempt else STEPS.index(start) :]:
            accident = (plan or {}).get((attempt, step))
            ended = invoke(world.wire, world.step(step, token), *([accident] if accident else []))
            promises.the_secret_works(world)
            promises.the_cap_holds(world)
            if ended != Ended.DONE:
                break
        if ended == Ended.DONE:
            return True
        world.later(minutes=5)
    return False


def rotated(world: World) -> str:
    """The new key's hash, after a rotation that nothing disturbed."""
    world.ask()
    assert rotate(world, attempts=1)
    return str(world.secret()["hash"])


def ticks(world: World, count: int = 3, minutes: int = 10) -> None:
    """Runs of the retirement's schedule, each of which must pass."""
    for _ in range(count):
        assert invoke(world.wire, world.tick()) == Ended.DONE
        promises.the_secret_works(world)
        promises.the_cap_holds(world)
        world.later(minutes=minutes)


def states(world: World) -> dict[str, str]:
    return {key.hash: key.state for key in world.lineage().keys}


def assert_rotated(world: World) -> None:
    """One rotation came to its end, and widened nothing."""
    lineage = promises.one_rotation_ended(world)
    assert lineage.current
    promises.the_new_key_may_do_what_the_old_one_may(world, world.first, lineage.current.hash)
    promises.nothing_is_said_that_is_secret(world)
    assert world.kinds() == ["Rotation Started", "Key Rotated"]
    assert "AWSCURRENT" in world.stages()[world.token]
