"""Which budgets there are, over whole runs: a key's own, its guardrail's, its workspace's, the account's credits."""

from datetime import timedelta
from typing import Any

import pytest


def alerts(world: Any) -> list[tuple[str, str, str, float]]:
    return [
        (event.subject, event.evidence["scope"], event.evidence["period"], event.evidence["threshold"])
        for event in world.bus.of("Budget Threshold Reached")
    ]


def test_a_keys_own_limit_is_told_at_each_threshold_once(world: Any) -> None:
    one = world.account.add("one", limit=1.0, limit_remaining=1.0, limit_reset="daily")
    world.tick()
    for _ in range(12):
        world.account.spend(one, 0.1)
        world.tick()

    assert alerts(world) == [(one, "key_limit", "daily", share) for share in (0.5, 0.8, 1.0)]


def test_byok_spend_counts_against_a_keys_limit_where_the_key_says_so(world: Any) -> None:
    counting = world.account.add("a", limit=1.0, limit_remaining=1.0, include_byok_in_limit=True)
    other = world.account.add("b", limit=1.0, limit_remaining=1.0)
    world.tick()
    for hash in (counting, other):
        world.account.spend(hash, 0.6, kind="byok_usage")

    world.tick()

    assert alerts(world) == [(counting, "key_limit", "lifetime", 0.5)]


def test_a_limit_without_a_remainder_is_held_against_the_periods_counter(world: Any) -> None:
    one = world.account.add("one", limit=1.0, limit_reset="weekly")
    world.account.spend(one, 0.6)
    world.account.keys[one]["limit_remaining"] = None

    world.tick()

    assert alerts(world) == [(one, "key_limit", "weekly", 0.5)]


def test_a_guardrails_budget_counts_for_each_assigned_key_apart(world: Any) -> None:
    one, two, free = (world.account.add(name) for name in ("one", "two", "free"))
    guard = {"name": "caps", "limit_usd": 10.0, "reset_interval": "daily", "include_byok_in_budgets": False}
    world.account.guardrails["g"] = guard
    world.account.assignments = {one: "g", two: "g"}
    for hash, usd in ((one, 6), (two, 9), (free, 50)):
        world.account.spend(hash, usd)

    world.tick()

    assert sorted(alerts(world)) == sorted([(one, "guardrail", "daily", 0.5), (two, "guardrail", "daily", 0.8)])


def test_a_guardrail_filed_in_any_workspace_is_known(world: Any) -> None:
    world.account.workspaces["ws-2"] = "research"
    one = world.account.add("one", workspace="ws-2")
    guard = {"name": "caps", "limit_usd": 10.0, "reset_interval": "daily", "include_byok_in_budgets": False}
    world.account.guardrails["g"] = {**guard, "workspace_id": "ws-2"}
    world.account.assignments = {one: "g"}
    world.account.spend(one, 6)

    world.tick()

    assert alerts(world) == [(one, "guardrail", "daily", 0.5)]


def test_a_workspaces_default_guardrail_counts_for_each_of_its_keys_and_disables_none(world: Any) -> None:
    one, other = world.account.add("one"), world.account.add("other")
    guard = {"name": "default", "limit_usd": 10.0, "reset_interval": "daily", "include_byok_in_budgets": False}
    world.account.guardrails["default-ws-1"] = guard
    for hash, usd in ((one, 11), (other, 1)):
        world.account.spend(hash, usd)

    world.tick()

    assert alerts(world) == [(one, "guardrail", "daily", 1.0)]
    assert not any(event.evidence["disable"] for event in world.bus.of("Budget Threshold Reached"))


def test_a_members_guardrail_counts_all_the_keys_they_created_in_every_workspace_and_disables_none(world: Any) -> None:
    """Red before: a member's budget was no budget to the meter, and the key that it blocks was told by nothing."""
    world.account.workspaces["ws-2"] = "research"
    one = world.account.add("one", creator_user_id="user_ana")
    two = world.account.add("two", workspace="ws-2", creator_user_id="user_ana")
    others = world.account.add("others", creator_user_id="user_bob")
    guard = {"name": "people", "limit_usd": 10.0, "reset_interval": "daily", "include_byok_in_budgets": False}
    world.account.guardrails["g"] = guard
    world.account.members = {"user_ana": "g"}
    for hash, usd in ((one, 3), (two, 3), (others, 50)):
        world.account.spend(hash, usd)

    world.tick()

    assert alerts(world) == [("user_ana", "member", "daily", 0.5)]
    (event,) = world.bus.of("Budget Threshold Reached")
    assert not event.evidence["disable"]
    assert event.evidence["spent_usd"] == 6.0
    world.account.failing = lambda request: 503 if request.url.params.get("workspace_id") == "ws-2" else None
    world.account.spend(one, 6)
    world.tick()
    assert len(alerts(world)) == 1, "keys that could not be read may have spent anything"


def test_an_account_whose_keys_are_nobodys_is_not_asked_for_members(world: Any) -> None:
    world.account.add("one")
    world.tick()
    assert not any("members" in path for path in world.account.asked)


def test_a_workspaces_budget_counts_all_its_keys_and_those_that_vanished(world: Any) -> None:
    world.account.caps["ws-1"] = {"monthly": 100.0}
    keep, drop = world.account.add("keep"), world.account.add("drop")
    world.account.spend(keep, 10)
    world.account.spend(drop, 45)
    world.tick()
    assert alerts(world) == [("ws-1", "workspace", "monthly", 0.5)]
    del world.account.keys[drop]
    world.tick()

    world.account.spend(keep, 26)
    world.tick()

    assert alerts(world)[1:] == [("ws-1", "workspace", "monthly", 0.8)]


def test_a_workspaces_lifetime_budget_still_counts_keys_forgotten_with_their_month(world: Any) -> None:
    world.account.caps["ws-1"] = {"lifetime": 100.0}
    world.account.add("keep")
    drop = world.account.add("drop")
    world.account.spend(drop, 60)
    world.tick()
    del world.account.keys[drop]
    world.tick()
    world.tick(minutes=20 * 1440)
    world.tick()

    assert alerts(world) == [("ws-1", "workspace", "lifetime", 0.5)]


def test_a_workspace_that_cannot_be_read_is_not_judged_and_not_forgotten(world: Any) -> None:
    world.account.workspaces["ws-2"] = "other"
    world.account.caps["ws-1"] = {"monthly": 100.0}
    one = world.account.add("one")
    world.account.spend(one, 60)
    world.tick()
    world.account.failing = lambda request: 500 if request.url.params.get("workspace_id") == "ws-1" else None
    for _ in range(90):
        world.tick()
    world.account.failing = lambda request: None

    world.tick()

    assert alerts(world) == [("ws-1", "workspace", "monthly", 0.5)]


@pytest.mark.parametrize("part", ["guardrails", "budgets", "assignments/keys"])
def test_a_layer_that_cannot_be_read_stays_as_it_was(world: Any, part: str) -> None:
    world.account.caps["ws-1"] = {"daily": 10.0}
    one = world.account.add("one")
    guard = {"name": "caps", "limit_usd": 10.0, "reset_interval": "daily", "include_byok_in_budgets": False}
    world.account.guardrails["g"] = guard
    world.account.assignments = {one: "g"}
    world.tick()
    world.account.failing = lambda request: 500 if request.url.path.endswith(part) else None
    for _ in range(11):
        world.tick()

    world.account.spend(one, 6)
    world.tick()

    assert {scope for _, scope, _, _ in alerts(world)} == {"guardrail", "workspace"}


def test_a_threshold_to_disable_at_says_so(world: Any) -> None:
    world.with_policy(defaults={"budget": {"alert_at": [0.5], "disable_at": 0.9}})
    one = world.account.add("one", limit=1.0, limit_remaining=1.0)
    world.tick()
    for usd in (0.6, 0.35):
        world.account.spend(one, usd)
        world.tick()

    told = world.bus.of("Budget Threshold Reached")
    assert [(event.evidence["threshold"], event.evidence["disable"]) for event in told] == [(0.5, False), (0.9, True)]


def test_an_alert_carries_the_last_hours_rate_and_when_the_money_is_gone(world: Any) -> None:
    one = world.account.add("one", limit=12.0, limit_remaining=12.0)
    world.tick()
    for _ in range(60):
        world.account.spend(one, 0.1)
        world.tick()

    (alert,) = world.bus.of("Budget Threshold Reached")
    assert alert.evidence["rate_usd_per_hour"] == pytest.approx(6.0)
    assert alert.evidence["runs_out_at"] == (world.at + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    assert alert.evidence["keys"][0]["hash"] == one


def test_a_loop_that_has_just_begun_is_not_told_as_a_trickle(world: Any) -> None:
    world.account.caps["ws-1"] = {"monthly": 40.0}
    one = world.account.add("one", limit=40.0, limit_remaining=40.0)
    world.tick()
    for _ in range(3):
        world.account.spend(one, 8.0)
        world.tick()

    alerts_told = world.bus.of("Budget Threshold Reached")
    assert {alert.evidence["scope"] for alert in alerts_told} == {"key_limit", "workspace"}
    # $24 within five minutes is $288 an hour; over the whole hour it would have read $24.
    assert [alert.evidence["rate_usd_per_hour"] for alert in alerts_told] == [pytest.approx(288.0)] * 2


def test_what_is_remembered_of_budgets_goes_with_the_keys(world: Any) -> None:
    from spend_meter.codec import Codec

    world.account.add("stays")
    for number in range(20):
        world.account.add(f"k{number}", limit=1.0, limit_remaining=0.1, limit_reset="daily")
    world.tick()
    assert len(Codec().decode(world.stored()).budgets) == 20
    world.account.keys = dict(list(world.account.keys.items())[:1])
    world.tick()
    world.tick(minutes=31 * 1440)
    for _ in range(60):
        world.tick()

    state = Codec().decode(world.stored())
    assert state.budgets == {}
    assert len(state.keys["ws-1"]) == 1


@pytest.mark.parametrize("by_hand", ["prod-agent", "made by hand"])
def test_a_rotated_workloads_keys_share_its_cap_and_their_own_limits_are_not_told(world: Any, by_hand: str) -> None:
    world.with_policy(
        workloads=[
            {
                "name": "prod-agent",
                "workspace": "platform",
                "owner": {"slack": "U0OWNER"},
                "secret": "openrouter/agent",
                "key": {"limit_usd": 100, "limit_reset": "monthly", "adopts": by_hand},
                "rotation": {"every": "60d"},
            }
        ]
    )
    old = world.account.add(by_hand, limit=30.0, limit_remaining=30.0, limit_reset="monthly")
    new = world.account.add("prod-agent#20260101-00000000-1", limit=70.0, limit_remaining=70.0, limit_reset="monthly")
    world.tick()
    world.account.spend(old, 30)  # all of its own share
    world.tick()
    assert alerts(world) == []

    world.account.spend(new, 25)
    world.tick()

    assert alerts(world) == [("prod-agent", "workload", "monthly", 0.5)]
    (event,) = world.bus.of("Budget Threshold Reached")
    assert event.evidence["spent_usd"] == 55
    assert {key["hash"] for key in event.evidence["keys"]} == {old, new}
