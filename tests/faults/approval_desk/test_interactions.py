"""Every outside call of the desk fails in every way: what a person did is done once, told once, and answered."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from approval_desk import handler
from governor.slack.requests import SlackRequest
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


WHO = {"secrets-manager.GetSecretValue", "slack.auth.test", "slack.users.info"}
"""Calls by which the desk learns who somebody is."""
REFUSED = "Nothing was done. Slack did not tell Governor who you are"


def _holds(world: World, scene: Scene, request: SlackRequest) -> None:
    world.wire.begin()
    assert tuple(world.told_once()) == scene.told
    assert tuple(world.votes()) == scene.votes
    assert world.too_early == []
    row = world.ledger.get("interaction", request.id)
    assert row
    assert row.data["told"] is True


def _refused(world: World, request: SlackRequest) -> bool:
    row = world.ledger.get("interaction", request.id)
    return row is not None and row.data.get("rule") == "unread"


def _asks_anew(world: World, scene: Scene, request: SlackRequest) -> SlackRequest:
    """Nothing came of what was refused, the person knows it, and does it again."""
    world.wire.begin()
    assert world.told == []
    assert world.votes() == []
    assert [answer.startswith(REFUSED) for answer in world.slack.told(request.user)] == [True]
    world.slack.workspace.ephemeral.clear()
    again = world.again(request)
    world.drain(again)
    return again


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
            if _refused(world, request):
                assert calls[accident.at] in WHO
                assert scene is not SCENES["order"], "the policy names the owner: an emergency must not wait for Slack"
                request = _asks_anew(world, scene, request)
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
            for method in ("response_url", "chat.postEphemeral", "views.open"):
                world.slack.fault(method, kind, times=0)
            world.drain(request)
            _holds(world, SCENES["approve"], request)
            assert world.slack.told(LEAD) == []


@pytest.mark.parametrize("kind", ["fail_before", "fail_after", "rate_limited", "server_error", "refused"])
@pytest.mark.parametrize("name", SCENES)
def test_while_slack_never_says_who_anybody_is_only_who_is_named_disables(
    name: str, kind: str, fresh: Fresh, counted: list[str]
) -> None:
    """And looks: an approver may, the owner who asks here may not."""
    for method in ("users.info", "auth.test", "*"):
        with case(counted, (kind, method)):
            world = fresh()
            request = _begun(world, SCENES[name])
            world.slack.fault(method, kind, times=0)
            world.drain(request)
            if name == "order":
                _holds(world, SCENES[name], request)
                continue
            assert _refused(world, request)
            assert world.told == []
            assert world.votes() == []
            heard = world.slack.told(request.user)
            assert all(answer.startswith(REFUSED) for answer in heard)
            assert heard or method == "*"


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
            assert all("Click Reject again" in answer or answer.startswith(REFUSED) for answer in answers)


GUEST = Scene(
    lambda world, _: world.command(OWNER, f"disable {WORKLOAD}"), answered="Nothing was done: you are a guest"
)


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
def test_whatever_call_fails_a_guest_does_nothing_and_is_told(
    fault: Fault, wire: Wire, fresh: Fresh, counted: list[str]
) -> None:
    """Of whom nothing was known before: a guest whom the policy names as an owner passes for one while Slack is silent
    (docs/decisions, "Slack says who somebody is"), so this one is not named."""
    scene = Scene(lambda world, _: world.command("U0GUEST", f"disable {WORKLOAD}"), answered=GUEST.answered)

    def guests() -> World:
        world = fresh()
        world.slack.person("U0GUEST", guest="single")
        return world

    calls = _calls(guests(), scene)
    for accident in accidents(calls, (fault,)):
        with case(counted, accident):
            world = guests()
            request = _begun(world, scene)
            world.drain(request, accident)
            if _refused(world, request):
                request = _asks_anew(world, scene, request)
            _holds(world, scene, request)
            answers = world.slack.told("U0GUEST")
            assert answers
            assert all(answer.startswith(scene.answered) for answer in answers)


def test_a_guest_known_as_one_does_nothing_while_slack_is_silent_though_the_policy_names_them(
    fresh: Fresh, counted: list[str]
) -> None:
    for kind in ("fail_before", "rate_limited", "server_error", "refused"):
        with case(counted, kind):
            world = fresh()
            world.slack.person(OWNER, guest="multi")
            world.drain(world.command(OWNER, "keys"))
            world.slack.fault("users.info", kind, times=0)
            world.now += timedelta(minutes=2)
            request = _begun(world, GUEST)
            world.drain(request)
            _holds(world, GUEST, request)


@pytest.mark.parametrize("name", ["approve", "reject", "order", "ask", "expected", "rotate"])
def test_two_copies_of_which_one_is_refused_come_to_one_end(
    name: str, wire: Wire, fresh: Fresh, counted: list[str]
) -> None:
    """Slack says of the person to one copy that they are a guest, to the other that they are not."""
    scene = SCENES[name]
    for at in range(len(_calls(fresh(), scene))):
        with case(counted, at):
            world = fresh()
            request = _begun(world, scene)

            def copy(world: World = world, request: SlackRequest = request) -> None:
                world.slack.person(request.user, guest="multi")
                handler.build.cache_clear()
                world.run(request)

            with wire.beside(copy, at):
                world.drain(request)
            row = world.ledger.get("interaction", request.id)
            assert row
            assert row.data["told"] is True
            (answer,) = set(world.slack.told(request.user))
            if row.data["rule"] == "guest":
                assert (world.told, world.votes()) == ([], [])
                assert answer.startswith("Nothing was done")
            else:
                assert tuple(world.told_once()) == scene.told
                assert answer.startswith(scene.answered)
