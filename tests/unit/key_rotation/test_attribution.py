"""Whose a new key is: a key follows the guardrail, budget and BYOK access of the member who created it."""

from datetime import timedelta

import pytest

from governor.keys.lineage import Attribution, Lineage, LineageKey
from key_rotation.ports import Refused
from management_api import Rejected, WriteForbidden
from tests.unit.key_rotation.doubles import FIRST, NOW, World, api_key, guardrail

ANA = "user_ana"
KEY = {"limit_usd": 100.0, "limit_reset": "monthly"}


def test_a_new_key_is_its_predecessors_members_and_external_users() -> None:
    world = World(api_key(limit=100.0, limit_reset="monthly", creator_user_id=ANA, external_user="tenant-7"))
    world.rotate()
    assert (world.made.creator_user_id, world.made.external_user) == (ANA, "tenant-7")
    assert {key.attribution for key in world.lineage.keys} == {Attribution(ANA, "tenant-7")}


def test_a_key_of_nobody_is_followed_by_a_key_of_nobody() -> None:
    world = World(api_key())
    world.rotate()
    assert Attribution.of(world.made) == Attribution()


def test_the_policys_creator_goes_before_the_predecessors_and_nobody_is_a_word_of_its_own() -> None:
    for declared, wanted in (("user_bob", "user_bob"), ("nobody", None)):
        world = World(api_key(creator_user_id=ANA, external_user="tenant-7"), key={**KEY, "creator_user_id": declared})
        world.rotate()
        assert Attribution.of(world.made) == Attribution(wanted, "tenant-7")


def test_a_first_key_is_the_members_whom_the_policy_declares() -> None:
    world = World(key={**KEY, "creator_user_id": ANA})
    world.rotate()
    assert world.made.creator_user_id == ANA


def test_a_key_that_came_out_without_its_creator_is_not_switched_to() -> None:
    """Red before: the key of a member was replaced by a key of nobody, past the member's guardrail."""
    world = World(api_key(creator_user_id=ANA))
    world.account.drops_creators = True
    with pytest.raises(Refused, match="its creator is nobody, not user_ana") as refused:
        world.rotate()
    assert refused.value.rule == "key_differs"
    assert world.secrets.stages["first"] == {"AWSCURRENT"}
    assert "Rotation Failed" in world.bus.kinds()


def test_a_key_that_its_members_budget_does_not_bind_is_not_switched_to() -> None:
    world = World(api_key(creator_user_id=ANA))
    world.account.guards = [guardrail(id="people", name="people", limit_usd=5.0)]
    world.account.member_guards, world.account.binds_members = {ANA: "people"}, False
    with pytest.raises(Refused, match="guardrail people of its creator is not among its budgets"):
        world.rotate()
    world.account.binds_members = True
    world.rotate()
    assert world.made.creator_user_id == ANA


def test_a_member_who_left_ends_the_rotation_with_the_way_out_and_no_wider_key() -> None:
    world = World(api_key(creator_user_id="user_gone"))
    with pytest.raises(Refused, match="no member of the organization any more") as refused:
        world.rotate()
    assert refused.value.rule == "creator_gone"
    assert world.account.own() == {}
    assert "key.creator_user_id" in world.bus.events[-1].reason


@pytest.mark.parametrize(
    "error",
    [
        Rejected("refused", request="POST /keys", status=400),
        WriteForbidden("the key may be read-only", request="POST /keys", status=403),
    ],
)
def test_a_refused_creation_says_what_may_be_refused_and_makes_nothing(error: Rejected) -> None:
    world = World(api_key(creator_user_id=ANA))
    world.account.refuses = error
    with pytest.raises(Refused) as refused:
        world.rotate()
    assert refused.value.rule == "new_key_refused"
    reason = world.bus.events[-1].reason
    for named in ("key.creator_user_id", "key.expires_in", "The present key goes on"):
        assert named in reason
    assert str(error) in reason
    assert world.account.own() == {}


def test_the_row_remembers_whose_a_key_was_when_the_key_is_gone() -> None:
    world = World(api_key(creator_user_id=ANA))
    world.rotate()
    world.account.held.clear()
    second = "00000000-0000-4000-8000-000000000002"
    world.ask(second)
    world.rotate(second)
    assert world.made.creator_user_id == ANA


def test_an_old_row_of_a_key_that_is_gone_tells_nothing_and_the_policy_must() -> None:
    gone = LineageKey(FIRST, "prod-agent", "current", NOW - timedelta(days=60))
    world = World()
    world.lineages.write(Lineage("prod-agent", (gone,)))
    with pytest.raises(Refused, match="never saw whose it was") as refused:
        world.rotate()
    assert refused.value.rule == "creator_unknown"
    declared = World(key={**KEY, "creator_user_id": "nobody"})
    declared.lineages.write(Lineage("prod-agent", (gone,)))
    declared.rotate()
    assert declared.made.creator_user_id is None
