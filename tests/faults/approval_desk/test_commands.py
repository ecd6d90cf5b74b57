"""A command from the command line: whatever call fails, it is done once, by whom STS names, or not at all."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from approval_desk import handler
from tests.faults.approval_desk.world import APPROVERS, IDENTITY, WORKLOAD, World
from tests.faults.harness import Ended, Fault, accidents, case, context, deliver

Fresh = Callable[[], World]


@dataclass(frozen=True)
class Scene:
    """What is typed, the events that must come of it, and the answer."""

    text: str
    told: tuple[str, ...]
    said: str


SCENES = (
    Scene(f"disable {WORKLOAD}", ("Approval Granted",), "It is being done"),
    Scene(f"restore {WORKLOAD}", ("Approval Granted",), "It is being done"),
    Scene(f"rotate {WORKLOAD}", ("Rotation Requested",), "A new key"),
    Scene(f"expected {WORKLOAD}", ("Runaway Expected",), "The detector leaves"),
)


def _run(world: World, text: str) -> Callable[[], object]:
    event = world.commanded(text)
    return lambda: handler.lambda_handler(event, context())


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.text.partition(" ")[0])
def test_a_command_is_done_once_by_whom_sts_names(scene: Scene, fault: Fault, fresh: Fresh, counted: list[str]) -> None:
    world = fresh()
    world.arrange()
    for accident in accidents(world.wire.calls_of(_run(world, scene.text)), (fault,)):
        with case(counted, accident):
            world = fresh()
            world.arrange()
            run = _run(world, scene.text)
            assert deliver(world.wire, run, accident, after=handler.build.cache_clear) == Ended.DONE
            assert deliver(world.wire, run) == Ended.DONE
            assert tuple(world.told_once()) == scene.told
            (row,) = world.ledger.rows("interaction")
            assert (row.data["by"], row.data["arn"], row.data["told"]) == (APPROVERS[0], IDENTITY, True)
            assert scene.said in row.data["said"]


def test_a_later_delivery_asks_sts_no_more_although_the_signature_has_grown_old(fresh: Fresh) -> None:
    """It would come back from the dead letters; who it is was settled at the first delivery."""
    world = fresh()
    world.arrange()
    run = _run(world, f"disable {WORKLOAD}")
    calls = world.wire.calls_of(run)
    assert sum("openrouter.POST" in call for call in calls) == 1
    told = world.told_once()
    world.now += timedelta(hours=3)
    assert not any("openrouter.POST" in call for call in world.wire.calls_of(run))
    assert world.told_once() == told


def test_two_deliveries_beside_each_other_are_one_command(fresh: Fresh, counted: list[str]) -> None:
    world = fresh()
    world.arrange()
    for at in range(len(world.wire.calls_of(_run(world, f"disable {WORKLOAD}")))):
        with case(counted, at):
            world = fresh()
            world.arrange()
            run = _run(world, f"disable {WORKLOAD}")
            with world.wire.beside(run, at):
                assert deliver(world.wire, run) == Ended.DONE
            assert world.told_once() == ["Approval Granted"]
            assert len(world.ledger.rows("interaction")) == 1


def test_what_proves_no_identity_is_written_nowhere_and_is_no_dead_letter(fresh: Fresh) -> None:
    world = fresh()
    run = _run(world, f"disable {WORKLOAD}")
    world.signed = "another digest"
    assert deliver(world.wire, run) == Ended.DONE
    assert (world.told, world.ledger.rows("interaction")) == ([], [])
