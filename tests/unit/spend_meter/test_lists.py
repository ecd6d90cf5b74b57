"""Lists that are read beside the keys: an odd entry costs itself, an emptied list removes no budget, both are told."""

from typing import Any

import pytest

from tests.unit.spend_meter.conftest import World

GUARD = {"name": "caps", "limit_usd": 100.0, "reset_interval": "monthly", "include_byok_in_budgets": False}
RULES = {"budget": {"alert_at": [0.5, 0.8, 1.0], "disable_at": 1.0}}


def told(world: World) -> list[tuple[str, str]]:
    events = world.bus.of("Monitor Blind", "Monitor Recovered")
    return [(event.detail_type.value, event.evidence["scope"]) for event in events]


def reached(world: World) -> list[tuple[str, float, bool]]:
    events = world.bus.of("Budget Threshold Reached")
    return [(one.evidence["scope"], one.evidence["threshold"], one.evidence["disable"]) for one in events]


def pass_minutes(world: World, minutes: int) -> None:
    for _ in range(minutes):
        world.tick()


@pytest.fixture
def guarded(world: Any) -> tuple[World, str]:
    """A key under a guardrail, of a member with a guardrail, in a workspace with a budget."""
    world.with_policy(defaults=RULES)
    hash = world.account.add("agent", creator_user_id="user_ana")
    world.account.guardrails = {"g": dict(GUARD), "m": {**GUARD, "name": "people", "limit_usd": 1000.0}}
    world.account.assignments = {hash: "g"}
    world.account.members = {"user_ana": "m"}
    world.account.caps = {"ws-1": {"monthly": 200.0}}
    world.tick()
    return world, hash


EMPTIED = {
    "guardrails": "guardrails",
    "assignments": "guardrail assignments of keys",
    "members": "guardrail assignments of members",
    "caps": "budgets of workspace ws-1",
}


@pytest.mark.parametrize("part", EMPTIED)
def test_an_emptied_list_removes_no_budget_and_is_told_once(guarded: tuple[World, str], part: str) -> None:
    """Red before: the budget was judged no more, and nobody was told."""
    world, hash = guarded
    setattr(world.account, part, {})
    pass_minutes(world, 6)
    world.account.spend(hash, 900.0)
    pass_minutes(world, 6)

    assert told(world) == [("Monitor Blind", EMPTIED[part])]
    (event,) = world.bus.of("Monitor Blind")
    assert event.evidence["kind"] == "partial_list"
    assert event.evidence["error"].startswith("EmptyList: it had ")
    assert {scope for scope, _, _ in reached(world)} == {"guardrail", "member", "workspace"}


@pytest.mark.parametrize("part", ["guardrails", "assignments"])
def test_what_is_only_held_disables_nothing_until_the_list_shows_it_again(
    guarded: tuple[World, str], part: str
) -> None:
    world, hash = guarded
    before = getattr(world.account, part)
    setattr(world.account, part, {})
    pass_minutes(world, 6)
    world.account.spend(hash, 120.0)
    pass_minutes(world, 2)
    assert [one for one in reached(world) if one[0] == "guardrail"] == [("guardrail", 0.8, False)]

    setattr(world.account, part, before)
    pass_minutes(world, 6)

    assert [one for one in reached(world) if one[0] == "guardrail"] == [
        ("guardrail", 0.8, False),
        ("guardrail", 1.0, True),
    ]
    assert told(world) == [("Monitor Blind", EMPTIED[part]), ("Monitor Recovered", EMPTIED[part])]


@pytest.mark.parametrize("part", EMPTIED)
def test_a_list_that_stays_empty_for_an_hour_is_believed_and_not_told_again(
    guarded: tuple[World, str], part: str
) -> None:
    world, hash = guarded
    setattr(world.account, part, {})
    pass_minutes(world, 75)
    world.account.spend(hash, 990.0)
    pass_minutes(world, 10)

    gone = {"guardrails": {"guardrail", "member"}, "assignments": {"guardrail"}, "members": {"member"}}
    expected = {"guardrail", "member", "workspace"} - gone.get(part, {"workspace"})
    assert {scope for scope, _, _ in reached(world)} == expected
    assert told(world) == [("Monitor Blind", EMPTIED[part])]


@pytest.mark.parametrize("part", EMPTIED)
def test_a_budget_told_before_its_list_was_empty_is_told_no_second_time(guarded: tuple[World, str], part: str) -> None:
    world, hash = guarded
    world.account.spend(hash, 85.0)
    pass_minutes(world, 6)
    before, first = getattr(world.account, part), reached(world)
    setattr(world.account, part, {})
    pass_minutes(world, 20)
    setattr(world.account, part, before)
    pass_minutes(world, 10)

    assert reached(world) == first


def test_a_guardrail_whose_budget_a_person_lifts_is_judged_no_more_at_once(guarded: tuple[World, str]) -> None:
    world, hash = guarded
    world.account.guardrails["g"] = {**GUARD, "limit_usd": None, "reset_interval": None}
    pass_minutes(world, 6)
    world.account.spend(hash, 90.0)
    pass_minutes(world, 6)

    assert "guardrail" not in {scope for scope, _, _ in reached(world)}
    assert told(world) == []


def test_the_assignment_of_a_key_that_is_gone_is_no_news(guarded: tuple[World, str]) -> None:
    world, hash = guarded
    del world.account.keys[hash]
    world.account.assignments = {}
    world.account.members = {}
    pass_minutes(world, 12)

    assert told(world) == []


def test_an_impossible_workspace_costs_itself_alone_and_is_told(guarded: tuple[World, str]) -> None:
    """Red before: the whole list stayed unread, a new workspace was never met, and nobody was told."""
    world, hash = guarded
    world.account.workspaces |= {"an id with blanks": "odd", "ws-2": "new"}
    new = world.account.add("another", workspace="ws-2")
    pass_minutes(world, 6)
    for key in (hash, new):
        world.account.spend(key, 2.0)

    assert world.tick().spend_usd == pytest.approx(4.0)
    assert told(world) == [("Monitor Blind", "workspaces")]
    (event,) = world.bus.of("Monitor Blind")
    assert event.evidence["error"].startswith("UnreadableEntry: 1 of 3 entries (id: ")

    del world.account.workspaces["an id with blanks"]
    pass_minutes(world, 6)
    assert told(world)[1:] == [("Monitor Recovered", "workspaces")]


def test_a_workspace_that_a_partial_list_leaves_out_is_not_taken_for_gone(guarded: tuple[World, str]) -> None:
    world, hash = guarded
    world.account.workspaces |= {"an id with blanks": "odd", "ws-2": "new"}
    world.account.unlisted_workspaces = {"ws-1"}
    world.account.failing = lambda request: 404 if request.url.path.endswith("/workspaces/ws-1") else None
    pass_minutes(world, 6)
    world.account.spend(hash, 2.0)

    assert world.tick().spend_usd == pytest.approx(2.0)


def test_a_list_of_workspaces_of_which_nothing_can_be_read_is_told_and_the_last_one_stands(
    guarded: tuple[World, str],
) -> None:
    world, hash = guarded
    world.account.unlisted_workspaces = {"ws-1"}
    world.account.workspaces |= {"an id with blanks": "odd"}
    pass_minutes(world, 6)
    world.account.spend(hash, 2.0)

    assert world.tick().spend_usd == pytest.approx(2.0)
    assert told(world) == [("Monitor Blind", "workspaces")]


ODD: dict[str, tuple[str, dict[str, Any]]] = {
    "guardrails": ("guardrails", {"odd": {**GUARD, "limit_usd": -5.0}}),
    "assignments": ("guardrail assignments of keys", {"a hash with blanks": "g"}),
    "members": ("guardrail assignments of members", {"user_odd": "a guardrail with blanks"}),
}


@pytest.mark.parametrize("part", ODD)
def test_an_odd_entry_of_a_list_costs_itself_alone_and_is_told(guarded: tuple[World, str], part: str) -> None:
    """Red before: the list stayed as it was read last, however long the odd entry was there, and nobody was told."""
    world, _ = guarded
    scope, odd = ODD[part]
    new = world.account.add("new", creator_user_id="user_bob")
    world.account.guardrails |= {"g2": {**GUARD, "name": "others"}}
    world.account.assignments |= {new: "g2"}
    world.account.members |= {"user_bob": "g2"}
    setattr(world.account, part, {**getattr(world.account, part), **odd})
    pass_minutes(world, 6)
    world.account.spend(new, 85.0)
    pass_minutes(world, 2)

    assert {event.evidence["scope"] for event in world.bus.of("Budget Threshold Reached")} == {"guardrail", "member"}
    assert told(world) == [("Monitor Blind", scope)]
    for id in odd:
        getattr(world.account, part).pop(id)
    pass_minutes(world, 6)
    assert told(world)[1:] == [("Monitor Recovered", scope)]


def test_what_a_partial_list_leaves_out_is_held_for_as_long_as_it_is_partial(guarded: tuple[World, str]) -> None:
    world, hash = guarded
    world.account.assignments = {"a hash with blanks": "g", "e" * 64: "m"}
    pass_minutes(world, 90)
    world.account.spend(hash, 90.0)
    pass_minutes(world, 2)

    assert ("guardrail", 0.8, False) in reached(world)


def test_an_odd_budget_costs_no_other_budget_of_its_workspace(guarded: tuple[World, str]) -> None:
    world, hash = guarded
    world.account.caps["ws-1"] = {"monthly": 200.0, "daily": -1.0, "weekly": 150.0}
    pass_minutes(world, 6)
    world.account.spend(hash, 80.0)
    pass_minutes(world, 2)

    periods = {one.evidence["period"] for one in world.bus.of("Budget Threshold Reached") if one.subject == "ws-1"}
    assert periods == {"weekly"}
    assert told(world) == [("Monitor Blind", "budgets of workspace ws-1")]


def test_held_entries_and_odd_lists_are_kept_with_the_reading(guarded: tuple[World, str]) -> None:
    world, hash = guarded
    world.account.assignments = {}
    pass_minutes(world, 6)
    world.restart()
    world.account.spend(hash, 85.0)
    pass_minutes(world, 6)

    assert ("guardrail", 0.8, False) in reached(world)
    assert told(world) == [("Monitor Blind", EMPTIED["assignments"])]


@pytest.fixture
def three(world: Any) -> tuple[World, str, str]:
    """Two keys of long habits, and a third beside them."""
    world.with_policy(defaults={"runaway": {"mode": "alert"}})
    one, two = world.account.add("one"), world.account.add("two")
    world.account.add("three")
    world.tick()
    for hash in (one, two):
        world.accustom(hash)
    return world, one, two


def hide(world: World, hash: str) -> None:
    world.account.keys[hash]["limit"] = "much"


def show(world: World, hash: str) -> None:
    world.account.keys[hash]["limit"] = None


def test_a_key_that_cannot_be_read_costs_no_other_and_is_told(three: tuple[World, str, str]) -> None:
    """Red before: one odd key made its whole workspace unread, and no other key of it was metered."""
    world, one, two = three
    hide(world, one)
    world.account.spend(two, 2.0)

    assert world.tick().spend_usd == pytest.approx(2.0)
    assert told(world) == [("Monitor Blind", "keys of workspace ws-1")]
    (event,) = world.bus.of("Monitor Blind")
    assert event.evidence["error"] == "UnreadableEntry: 1 of 3 entries (data.limit: float_type)"
    assert "list of keys of workspace platform holds a key that cannot be read" in event.reason


def test_what_a_hidden_key_spent_is_counted_once_it_is_read_again(three: tuple[World, str, str]) -> None:
    world, one, _ = three
    hide(world, one)
    for _ in range(10):
        world.account.spend(one, 0.5)
        assert world.tick().spend_usd == 0
    show(world, one)

    assert world.tick().spend_usd == pytest.approx(5.0)
    assert world.bus.of("Runaway Suspected", "Runaway Confirmed") == []
    assert told(world)[1:] == [("Monitor Recovered", "keys of workspace ws-1")]


def test_a_loop_on_another_key_is_confirmed_while_one_cannot_be_read(three: tuple[World, str, str]) -> None:
    world, one, two = three
    hide(world, one)
    world.burn(two, 500, minutes=4)

    assert [event.subject for event in world.bus.of("Runaway Confirmed")] == [two]


def test_an_incident_does_not_end_because_its_key_cannot_be_read(three: tuple[World, str, str]) -> None:
    world, one, _ = three
    world.burn(one, 500, minutes=4)
    hide(world, one)
    pass_minutes(world, 20)
    assert world.bus.of("Runaway Ended") == []

    show(world, one)
    pass_minutes(world, 20)
    assert len(world.bus.of("Runaway Ended")) == 1


def test_a_hidden_key_is_not_taken_for_gone_and_its_budgets_do_not_fall(three: tuple[World, str, str]) -> None:
    world, one, two = three
    world.account.caps = {"ws-1": {"monthly": 100.0}}
    pass_minutes(world, 6)
    world.account.spend(one, 85.0)
    world.tick()
    hide(world, one)
    pass_minutes(world, 30)
    world.account.spend(two, 17.0)
    world.tick()

    thresholds = [one.evidence["threshold"] for one in world.bus.of("Budget Threshold Reached")]
    assert thresholds == [0.8, 1.0]
    assert not [path for path in world.account.asked if path == f"/keys/{one}"]


def test_a_workspace_of_which_no_key_can_be_read_is_unknown_as_a_whole(three: tuple[World, str, str]) -> None:
    world, *_ = three
    for hash in world.account.keys:
        hide(world, hash)
    for _ in range(5):
        report = world.tick()

    assert report.unknown_workspaces == 1
    assert ("Monitor Blind", "keys of workspace ws-1") not in told(world)
