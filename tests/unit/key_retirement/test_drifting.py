"""What differs from the policy is told once, and set back only where the policy says so."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from governor.events import Event
from governor.keys.causes import CauseRow
from governor.keys.lineage import Attribution
from management_api import KeyPatch
from tests.unit.key_retirement.doubles import Retirement
from tests.unit.key_rotation.doubles import PLACE, WORKLOAD, World, api_key, guardrail

CAP: dict[str, Any] = {"limit_usd": 100.0, "limit_reset": "monthly"}


def provisioned(**key: Any) -> World:
    """A workload with one key that Governor made, looked at once."""
    world = World(key=CAP | key)
    if "guardrail" in key:
        world.account.guards = [guardrail(name=key["guardrail"])]
    world.rotate()
    tick(world)
    assert told(world) == []
    return world


def tick(world: World) -> None:
    """The first run of the next hour."""
    Retirement(world).tick()


def told(world: World) -> list[Event]:
    return [event for event in world.bus.events if event.detail_type.value == "Key Drifted"]


def change(world: World, **fields: Any) -> str:
    """Somebody's PATCH; the key's hash."""
    hash = world.made.hash
    world.account.update(hash, KeyPatch(**fields))
    return hash


@pytest.mark.parametrize(
    ("field", "live", "changed"),
    [
        ("limit", "$500.00 monthly", {"limit": 500.0}),
        ("limit", "$20.00 monthly", {"limit": 20.0}),
        ("limit", "none", {"limit": None}),
        ("limit", "$100.00 daily", {"limit_reset": "daily"}),
        ("include_byok_in_limit", "true", {"include_byok_in_limit": True}),
        ("disabled", "disabled", {"disabled": True}),
    ],
)
def test_a_change_by_hand_is_told_once_and_left_alone(field: str, live: str, changed: dict[str, Any]) -> None:
    world = provisioned()
    change(world, **changed)
    after = world.made
    for _ in range(30):
        tick(world)

    (event,) = told(world)
    assert (event.evidence["field"], event.evidence["live"], event.evidence["repair"]) == (field, live, "")
    assert world.made == after


@pytest.mark.parametrize(
    "changed", [{"limit": 500.0}, {"limit": 20.0}, {"limit_reset": "daily"}, {"include_byok_in_limit": True}]
)
def test_it_is_set_back_where_the_policy_says_repair(changed: dict[str, Any]) -> None:
    world = provisioned(drift="repair")
    before = world.made
    change(world, **changed)
    tick(world)

    assert world.made == before
    (event,) = told(world)
    assert event.evidence["repair"]
    tick(world)
    change(world, **changed)
    world.now += timedelta(days=1)
    tick(world)
    assert len(told(world)) == 2, "the same change again is news again"


def test_a_key_that_a_person_disabled_is_never_enabled_by_a_repair() -> None:
    world = provisioned(drift="repair")
    change(world, disabled=True)
    tick(world)
    assert world.made.disabled
    assert [event.evidence["repair"] for event in told(world)] == [""]


def test_a_guardrail_taken_off_is_told_and_assigned_again_where_the_policy_says_repair() -> None:
    for drift, after in (("alert", None), ("repair", "g")):
        world = provisioned(guardrail="production", drift=drift)
        hash = world.made.hash
        del world.account.assigned[hash]
        tick(world)
        assert [event.evidence["field"] for event in told(world)] == ["guardrail"]
        assert world.account.assigned.get(hash) == after


def test_a_guardrail_that_is_gone_from_the_workspace_is_told_and_mended_by_nobody() -> None:
    world = provisioned(guardrail="production", drift="repair")
    world.account.guards.clear()
    tick(world)
    (event,) = told(world)
    assert event.evidence["repair"] == ""
    assert "no guardrail production" in event.reason


def test_a_key_that_was_moved_is_told_and_left_where_it_is() -> None:
    world = provisioned(drift="repair")
    change(world, workspace_id="ws-other")
    tick(world)
    (event,) = told(world)
    assert (event.evidence["policy"], event.evidence["live"]) == (PLACE, "ws-other")


def test_a_deleted_key_is_told_and_a_rotation_asked_for_where_the_policy_says_repair() -> None:
    for drift, repair in (("alert", ""), ("repair", "Governor asks for a rotation.")):
        world = provisioned(drift=drift)
        world.account.delete(world.made.hash)
        tick(world)
        tick(world)
        assert [(event.evidence["field"], event.evidence["repair"]) for event in told(world)] == [("hash", repair)]


def test_a_person_who_sets_the_policys_cap_again_ends_the_difference() -> None:
    world = provisioned()
    change(world, limit=500.0)
    tick(world)
    change(world, limit=100.0)
    tick(world)
    current = world.lineage.current
    assert len(told(world)) == 1
    assert current
    assert current.drifted is None


def test_a_limit_raised_while_two_keys_live_is_lowered_all_the_same_and_told() -> None:
    world = World(api_key(spent=10.0, limit=100.0, limit_reset="monthly"))
    world.rotate()
    tick(world)
    change(world, limit=5000.0)
    tick(world)

    live = [key for key in world.account.held.values() if not key.disabled]
    assert len(live) == 2
    assert sum(max(key.limit or 0.0, key.usage) for key in live) <= 100.0 + 1e-6
    assert [event.evidence["live"] for event in told(world)] == ["$5,000.00 monthly"]


def test_a_limit_that_governor_was_about_to_set_when_it_died_is_its_own() -> None:
    world = World(api_key(spent=10.0, limit=100.0, limit_reset="monthly"))
    world.rotate()
    row = world.lineage.key("a" * 64)
    assert row
    assert [limit.limit_usd for limit in row.given] == [100.0, 55.0]
    assert world.account.held[row.hash].limit == 55.0


def test_nothing_is_told_of_a_workload_that_is_held_disabled() -> None:

    world = provisioned()
    world.causes.write(CauseRow(WORKLOAD, "runaway", "disabled", "e", (world.made.hash,), world.now))
    change(world, disabled=True)
    tick(world)
    assert told(world) == []


def test_a_death_after_the_event_tells_it_again_under_the_same_id() -> None:
    world = provisioned()
    change(world, limit=500.0)
    tick(world)
    current = world.lineage.current
    assert current
    world.lineages.write(world.lineage.with_key(replace(current, drifted=None)))
    world.now -= timedelta(hours=1)
    tick(world)
    assert len(told(world)) == 2
    assert len({event.id for event in told(world)}) == 1


def test_a_key_of_another_creator_than_the_policys_is_told_and_only_a_rotation_mends_it() -> None:
    world = provisioned(creator_user_id="user_ana", drift="repair")
    hash = world.made.hash
    world.account.held[hash] = replace(world.account.held[hash], creator_user_id="user_bob")
    tick(world)
    (event,) = told(world)
    assert (event.evidence["field"], event.evidence["live"]) == ("creator_user_id", "user_bob")
    assert event.evidence["repair"] == ""


def test_a_row_from_before_creators_were_noted_learns_its_keys_creator() -> None:
    world = provisioned()
    hash = world.made.hash
    world.account.held[hash] = replace(world.account.held[hash], creator_user_id="user_ana")
    lineage = world.lineage
    assert lineage.current
    world.lineages.write(lineage.with_key(replace(lineage.current, attribution=None)))
    tick(world)
    assert world.lineage.current
    assert world.lineage.current.attribution == Attribution("user_ana", None)
