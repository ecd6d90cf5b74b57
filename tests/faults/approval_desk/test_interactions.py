"""Every outside call of the desk fails in every way: what a person did is done once, told once, and answered."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from governor.slack_requests import SlackRequest
from tests.faults.approval_desk.world import APPROVERS, OWNER, PRESET, ROTATED, WORKLOAD, World
from tests.faults.harness import Accident, Fault, Wire, accidents, case

LEAD = APPROVERS[0]
BACK = {"subject": ROTATED, "back": "c" * 64, "goes": "d" * 64}
Fresh = Callable[[], World]


@dataclass(frozen=True)
class Scene:
    """Something that a person does, and what must have come of it."""

    does: Callable[[World, dict[str, str]], SlackRequest]
    told: tuple[str, ...] = ()
    votes: tuple[tuple[str, str], ...] = ()
    answered: str = ""
    writes_first: bool = True
    needed: int = 1


SCENES = {
    "approve": Scene(
        lambda world, held: world.click(LEAD, "approve", held),
        ("Approval Granted",), ((LEAD, "approve"),), "Approved",
    ),
    "first of two": Scene(
        lambda world, held: world.click(LEAD, "approve", held),
        ("Approval Counted",), ((LEAD, "approve"),), "Your approval counts. 1 more is needed.", needed=2,
    ),
    "order of two": Scene(
        lambda world, _: world.click(LEAD, "adopt", {"preset": PRESET, "version": "3"}),
        ("Approval Requested", "Approval Counted"), answered="Your approval counts. 1 more",
    ),
    "reject": Scene(
        lambda world, held: world.reason(LEAD, held), ("Approval Rejected",), ((LEAD, "reject"),), "Rejected"
    ),
    "not entitled": Scene(lambda world, held: world.click(OWNER, "approve", held), answered="You are not among"),
    "order": Scene(
        lambda world, _: world.command(OWNER, f"disable {WORKLOAD}"), ("Approval Granted",), answered="It is being done"
    ),
    "ask": Scene(
        lambda world, _: world.click(OWNER, "restore", {"subject": WORKLOAD, "cause": "runaway"}),
        ("Approval Requested",), answered="The approvers are asked",
    ),
    "roll back": Scene(
        lambda world, _: world.click(OWNER, "rollback-key", BACK), ("Approval Granted",),
        answered=f"{ROTATED} is to get",
    ),
    "ask to roll back": Scene(
        lambda world, _: world.command("U0ANYBODY", f"rollback-key {ROTATED}"), ("Approval Requested",),
        answered=f"{ROTATED} is to get",
    ),
    "expected": Scene(
        lambda world, _: world.click(OWNER, "expected", {"subject": WORKLOAD}), ("Runaway Expected",),
        answered="The detector leaves",
    ),
    "rotate": Scene(
        lambda world, _: world.command(OWNER, f"rotate {WORKLOAD}"), ("Rotation Requested",), answered="A new key",
        writes_first=False,
    ),
    "status": Scene(lambda world, _: world.command(OWNER, "status"), answered="*Disabled*"),
}  # fmt: skip


def _begun(world: World, scene: Scene) -> SlackRequest:
    request = scene.does(world, world.arrange(scene.needed))
    if scene.writes_first:
        world.watch()
    return request


def _calls(world: World, scene: Scene) -> list[str]:
    request = _begun(world, scene)
    return world.wire.calls_of(lambda: world.run(request))


def _holds(world: World, scene: Scene, request: SlackRequest) -> None:
    world.wire.begin()
    assert tuple(world.told_once()) == scene.told
    assert tuple(world.votes()) == scene.votes
    assert world.too_early == []
    row = world.ledger.get("interaction", request.id)
    assert row
    assert row.data["told"] is True


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_whatever_call_fails_it_is_done_once_and_the_person_is_answered(
    scene: Scene, fault: Fault, wire: Wire, fresh: Fresh, counted: list[str]
) -> None:
    calls = _calls(fresh(), scene)
    for accident in accidents(calls, (fault,)):
        with case(counted, accident):
            world = fresh()
            request = _begun(world, scene)
            world.drain(request, accident)
            _holds(world, scene, request)
            answers = world.slack.told(request.user)
            # Slack cannot be asked whether it has answered: where the note of it is lost, the person is told again.
            lost = fault.after or fault.kills or (accident.lasting and accident.at == len(calls) - 1)
            assert 1 <= len(answers) <= (2 if lost else 1)
            assert all(answer.startswith(scene.answered) for answer in answers)
            world.drain(request)
            _holds(world, scene, request)
            assert len(world.slack.told(request.user)) == len(answers), "a replay says nothing"


@pytest.mark.parametrize("name", ["approve", "first of two", "order of two", "order", "ask", "roll back", "expected"])
def test_two_deaths_in_two_deliveries_are_survived_as_well(
    name: str, wire: Wire, fresh: Fresh, counted: list[str]
) -> None:
    scene = SCENES[name]
    calls = _calls(fresh(), scene)
    for first in range(len(calls)):
        for second in range(len(calls)):
            with case(counted, (first, second)):
                world = fresh()
                request = _begun(world, scene)
                world.drain(request, Accident(first, Fault.KILLED_AFTER), Accident(second, Fault.KILLED_AFTER))
                _holds(world, scene, request)


@pytest.mark.parametrize("name", ["approve", "first of two", "order of two", "reject", "order", "roll back"])
def test_a_copy_beside_it_at_any_call_changes_nothing(name: str, wire: Wire, fresh: Fresh, counted: list[str]) -> None:
    scene = SCENES[name]
    for at in range(len(_calls(fresh(), scene))):
        with case(counted, at):
            world = fresh()
            request = _begun(world, scene)

            def copy(world: World = world, request: SlackRequest = request) -> None:
                world.run(request)

            with wire.beside(copy, at):
                world.drain(request)
            _holds(world, scene, request)


def test_a_slack_that_never_answers_undoes_nothing_and_the_message_leaves_the_queue(
    fresh: Fresh, counted: list[str]
) -> None:
    for kind in ("fail_before", "rate_limited", "server_error", "refused"):
        with case(counted, kind):
            world = fresh()
            request = _begun(world, SCENES["approve"])
            world.slack.fault("*", kind, times=0)
            world.drain(request)
            _holds(world, SCENES["approve"], request)
            assert world.slack.told(LEAD) == []


def test_the_modal_is_asked_for_in_vain_and_nothing_is_decided(wire: Wire, fresh: Fresh, counted: list[str]) -> None:
    scene = Scene(lambda world, held: world.click(LEAD, "reject", held))
    for accident in accidents(_calls(fresh(), scene)):
        with case(counted, accident):
            world = fresh()
            request = world.click(LEAD, "reject", world.arrange())
            world.drain(request, accident)
            assert world.votes() == []
            assert world.told == []
            opened, answers = len(world.slack.workspace.views), world.slack.told(LEAD)
            assert opened + len(answers) >= 1, "left without a word"
            assert all("Click Reject again" in answer for answer in answers)
