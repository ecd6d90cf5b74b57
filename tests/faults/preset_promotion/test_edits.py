"""An edit of production by hand: whoever made it is never the only one by whose word it stays, or comes back."""

from typing import Any

import pytest

from tests.faults.harness import Wire, case
from tests.faults.preset_promotion.history import EDITED, promoted
from tests.faults.preset_promotion.opening import Worlds, worlds
from tests.faults.preset_promotion.promises import CANDIDATE, befall, mishaps, run
from tests.faults.preset_promotion.world import NEW, PRODUCTION, STAGING, World

LEAD, NOBODY = "user_fake_lead", "user_fake_machine"
BETTER = ("You sort tickets. Answer in JSON, kindly.", NEW)


def _edited(fresh: Worlds, member: str) -> World:
    """Promoted, then edited by this member, and told."""
    world = fresh(promoted(fresh))
    world.save(PRODUCTION, *EDITED, member=member)
    run(world, world.tick())
    return world


def _promoted_over(fresh: Worlds, member: str) -> World:
    """The edit was replaced by a promotion, so that a rollback would bring it back."""
    world = _edited(fresh, member)
    world.save(STAGING, *BETTER)
    run(world, world.request(id="request-2"))
    world.decide("U0SEC")
    run(world, world.granted())
    assert world.serves() == BETTER
    return world


def _refusal(world: World) -> str:
    told = [one["Detail"] for one in world.told if one["DetailType"] == "Preset Promotion Failed"][-1]
    assert told["evidence"]["rule"] == "not_enough_approvals"
    return str(told["reason"])


def test_the_message_of_an_edit_says_who_made_it(fresh: Worlds) -> None:
    for member, author, unknown in ((LEAD, "U0LEAD", ""), (NOBODY, "", f"who {NOBODY} is")):
        told = _edited(fresh, member).last("Preset Drifted")
        assert told["author"] == author
        assert unknown in told["author_unknown"]


def test_whoever_edited_production_cannot_adopt_it_alone_and_another_can(fresh: Worlds) -> None:
    world = _edited(fresh, LEAD)
    served = world.record()["served"]
    run(world, world.order("adopt", version="3"))
    assert "U0LEAD saved the version that production would serve" in _refusal(world)
    assert world.record()["served"] == served
    run(world, world.order("adopt", by="U0SEC", id="order-2", version="3"))
    assert world.last("Preset Promoted")["approved_by"] == ["U0SEC"]


def test_an_edit_of_nobody_knows_whom_is_adopted_by_two(fresh: Worlds) -> None:
    world = _edited(fresh, NOBODY)
    run(world, world.order("adopt", version="3"))
    assert "2 approvals are needed, and 1 counted (U0LEAD), because" in _refusal(world)
    run(world, world.order("adopt", id="order-2", also="U0SEC", version="3"))
    assert world.last("Preset Promoted")["approved_by"] == ["U0LEAD", "U0SEC"]


def test_an_edit_of_nobody_knows_whom_is_adopted_by_one_where_the_policy_says_so(wire: Wire) -> None:
    with worlds(wire, approvals_if_author_unknown=1) as fresh:
        world = _edited(fresh, NOBODY)
        run(world, world.order("adopt", version="3"))
        assert world.kinds()[-1] == "Preset Promoted"


@pytest.mark.parametrize("member", [LEAD, NOBODY])
def test_one_approver_may_revert_whoever_made_the_edit(member: str, fresh: Worlds) -> None:
    world = _edited(fresh, member)
    run(world, world.order("revert", version="3"))
    assert world.serves() == CANDIDATE


def test_a_rollback_to_an_edit_that_nobody_approved_is_not_for_its_author_alone(fresh: Worlds) -> None:
    world = _promoted_over(fresh, LEAD)
    run(world, world.order("rollback"))
    assert "U0LEAD saved the version that production would serve" in _refusal(world)
    assert world.serves() == BETTER
    run(world, world.order("rollback", by="U0SEC", id="order-2"))
    assert world.serves() == EDITED


def test_a_rollback_to_an_edit_of_nobody_knows_whom_takes_two(fresh: Worlds) -> None:
    world = _promoted_over(fresh, NOBODY)
    run(world, world.order("rollback"))
    assert "2 approvals are needed, and 1 counted (U0LEAD), because" in _refusal(world)
    run(world, world.order("rollback", id="order-2", also="U0SEC"))
    assert world.serves() == EDITED


def test_an_adopted_edit_counts_as_approved_afterwards(fresh: Worlds) -> None:
    world = _edited(fresh, LEAD)
    run(world, world.order("adopt", by="U0SEC", version="3"))
    world.save(STAGING, *BETTER)
    run(world, world.request(id="request-2"))
    world.decide("U0SEC")
    run(world, world.granted())
    run(world, world.order("rollback", id="order-2"))
    assert world.serves() == EDITED


@pytest.mark.parametrize(("kind", "change"), [("adopt", {"version": "3"}), ("rollback", {})])
def test_any_call_may_fail_while_an_order_that_lacks_approvals_is_refused(
    kind: str, change: dict[str, Any], wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    world = (_edited if kind == "adopt" else _promoted_over)(fresh, LEAD)
    before, serves = fresh.photo(), world.serves()
    for accident in mishaps(wire.calls_of(world.order(kind, **change))):
        with case(counted, accident):
            world = fresh(before)
            befall(world, world.order(kind, **change), accident)
            assert world.serves() == serves
            assert world.kinds()[-1] == "Preset Promotion Failed"
            assert "U0LEAD saved the version" in _refusal(world)
