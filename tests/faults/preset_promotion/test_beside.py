"""Invocations beside each other, and people who edit between any two calls: one end, and no version posted twice."""

import contextlib
from collections.abc import Callable

import pytest

from governor.ledger import LedgerConflict
from preset_promotion.service import InHand
from tests.faults.harness import Ended, Wire, case, invoke
from tests.faults.preset_promotion.history import EDITED, drifted, granted, promoted, requested
from tests.faults.preset_promotion.opening import Worlds
from tests.faults.preset_promotion.promises import BEFORE, CANDIDATE, assert_kept, settle
from tests.faults.preset_promotion.world import PRODUCTION, STAGING, World
from tests.faults.stage import Photo
from tests.faults.turns import in_turns

SEEDS = 25


@pytest.mark.parametrize(
    "pair",
    [
        ("the event of a grant twice", granted, lambda world: [world.granted(), world.granted()]),
        ("a grant and a run", granted, lambda world: [world.granted(), world.tick()]),
        ("two runs", granted, lambda world: [world.tick(), world.tick()]),
    ],
    ids=lambda pair: pair[0],
)
def test_whoever_is_beside_whom_a_grant_is_posted_once(
    pair: tuple[str, Callable[[Worlds], Photo], Callable[[World], list[Callable[[], object]]]],
    wire: Wire,
    fresh: Worlds,
    counted: list[str],
) -> None:
    _, before, together = pair
    photo = before(fresh)
    for seed in range(SEEDS):
        with case(counted, f"seed {seed}"):
            world = fresh(photo)
            in_turns(wire, together(world), seed)
            settle(world)
            assert world.versions() == [BEFORE, CANDIDATE]
            assert world.kinds() == ["Approval Requested", "Preset Promoted"]
            assert_kept(world)


@pytest.mark.parametrize("other", ["a run", "the same event"])
def test_a_whole_invocation_between_any_two_calls_of_a_grant_posts_nothing_twice(
    other: str, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    photo = granted(fresh)
    calls = wire.calls_of(fresh(photo).granted())
    for at in range(len(calls)):
        with case(counted, f"{other} before call {at} ({calls[at]})"):
            world = fresh(photo)
            between = world.tick() if other == "a run" else world.granted()
            with wire.beside(lambda: _ended(between), at):  # noqa: B023 - called within this case
                _ended(world.granted())
            settle(world)
            assert world.versions() == [BEFORE, CANDIDATE]
            assert world.kinds() == ["Approval Requested", "Preset Promoted"]
            assert_kept(world)


def _ended(run: Callable[[], object]) -> None:
    """However it ends: who loses a write, or finds a posting in hand, is tried again."""
    with contextlib.suppress(LedgerConflict, InHand):
        run()


def test_a_process_that_was_held_up_between_its_row_and_its_post_posts_nothing(wire: Wire, fresh: Worlds) -> None:
    world = fresh(granted(fresh))

    def held_up(_: int, name: str) -> None:
        if name == "dynamodb.PutItem":
            world.later(seconds=46)

    wire.before = held_up
    assert invoke(wire, world.granted()) == Ended.FAILED
    wire.before = None
    assert world.versions() == [BEFORE]
    settle(world)
    assert world.versions() == [BEFORE, CANDIDATE]
    assert world.kinds() == ["Approval Requested", "Preset Promoted"]


@pytest.mark.parametrize("other", ["the same request", "another request", "a run"])
def test_whoever_is_beside_whom_people_are_asked_once(
    other: str, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    photo = requested(fresh)
    for seed in range(SEEDS):
        with case(counted, f"seed {seed}"):
            world = fresh(photo)
            beside = {
                "the same request": world.request(),
                "another request": world.request(by="U0OTHER", id="request-2"),
                "a run": world.tick(),
            }[other]
            in_turns(wire, [world.request(), beside], seed)
            settle(world)
            asked = world.approvals().pending()
            assert len(asked) == 1
            assert world.asked() == asked[0].request.id
            assert world.kinds().count("Approval Requested") - world.kinds().count("Approval Voided") == 1
            assert_kept(world)


def test_two_clicks_on_roll_back_beside_each_other_post_one_version(
    wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    photo = promoted(fresh)
    for seed in range(SEEDS):
        with case(counted, f"seed {seed}"):
            world = fresh(photo)
            in_turns(wire, [world.order("rollback", id=f"order-{one}") for one in (1, 2)], seed)
            settle(world)
            assert world.versions() == [BEFORE, CANDIDATE, BEFORE]
            assert_kept(world)


def test_adopt_and_revert_beside_each_other_end_in_one_of_the_two(
    wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    photo = drifted(fresh)
    for seed in range(SEEDS):
        with case(counted, f"seed {seed}"):
            world = fresh(photo)
            orders = [world.order(kind, id=f"order-{kind}", version="3") for kind in ("adopt", "revert")]
            in_turns(wire, orders, seed)
            for order in orders:  # whoever lost a write is tried again, as Lambda does
                world.later(minutes=2)
                assert invoke(wire, order) == Ended.DONE
            settle(world)
            served = world.record()["served"]["version"][0]
            assert served == len(world.versions())
            assert world.serves() in (EDITED, CANDIDATE)
            states = {kind: _state(world, f"order-{kind}") for kind in ("adopt", "revert")}
            assert sorted(states.values()) == ["done", "failed"]


@pytest.mark.parametrize("place", [STAGING, PRODUCTION])
def test_an_edit_between_any_two_calls_of_a_grant_is_never_called_promoted(
    place: str, wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    photo = granted(fresh)
    calls = wire.calls_of(fresh(photo).granted())
    for at in range(len(calls)):
        with case(counted, f"an edit before call {at} ({calls[at]})"):
            world = fresh(photo)
            with wire.beside(lambda: world.save(place, *EDITED), at):  # noqa: B023 - called within this case
                assert invoke(wire, world.granted()) == Ended.DONE
            settle(world)
            assert_kept(world, edited=place == PRODUCTION)
            if place == PRODUCTION and world.serves() == EDITED:
                # Before it was posted: void and asked anew. After it: told, with both ways to go on.
                assert {"Approval Voided", "Preset Drifted"} & set(world.kinds())
            elif place == PRODUCTION:
                # Between the last look and the POST there is no way to know: the edit stays in the list.
                assert EDITED in world.versions()


def _state(world: World, id: str) -> str:
    standing = world.approvals().get(id)
    assert standing
    return standing.state
