"""Limits that Governor set are shares of the workload's cap: in every combination, the cap is what is judged."""

from typing import Any

import pytest

from governor.ledger import ABSENT, Put

SHARES = [(None, "cap"), ("60d", "cap"), (None, "guardrail"), ("60d", "guardrail"), (None, "both"), ("60d", "both")]


def two_keys(world: Any, rotation: str | None, cap: str, reset: str | None, byok: bool) -> list[str]:
    """A workload of a $200 cap whose keys are rotated: the old one was given $100, the new one the rest."""
    key: dict[str, Any] = {"include_byok_in_limit": byok}
    if cap != "guardrail":
        key |= {"limit_usd": 200, "limit_reset": reset}
    if cap != "cap":
        key |= {"guardrail": "caps"}
    workload = {
        "name": "agent",
        "workspace": "platform",
        "owner": {"slack": "U0AGENT"},
        "secret": "openrouter/agent",
        "key": key,
        "budget": {"alert_at": [0.5, 0.8, 1.0], "disable_at": 1.0},
        **({"rotation": {"every": rotation}} if rotation else {}),
    }
    world.with_policy(workloads=[workload])
    hashes = []
    for name in ("agent", "agent#20261116-aa-1"):
        limits = {"limit": 100.0, "limit_remaining": 100.0, "limit_reset": reset, "include_byok_in_limit": byok}
        hashes.append(str(world.account.add(name, **limits)))
    if cap != "cap":
        guard = {"name": "caps", "limit_usd": 200.0, "reset_interval": reset, "include_byok_in_budgets": byok}
        world.account.guardrails["g"] = guard
        world.account.assignments |= dict.fromkeys(hashes, "g")
    keys = [{"hash": hash, "state": state} for hash, state in zip(hashes, ("overlap", "current"), strict=True)]
    world.ledger.commit(Put("lineage", "agent", {"keys": keys}, ABSENT))
    world.tick()
    return hashes


@pytest.mark.parametrize("byok", [False, True])
@pytest.mark.parametrize("reset", ["daily", "weekly", "monthly", None])
@pytest.mark.parametrize(("rotation", "cap"), SHARES)
def test_a_share_that_is_used_up_is_no_alert_and_disables_nothing(
    world: Any, rotation: str | None, cap: str, reset: str | None, byok: bool
) -> None:
    old, new = two_keys(world, rotation, cap, reset, byok)
    world.account.spend(old, 99, kind="byok_usage" if byok else "usage")
    world.account.spend(new, 36)

    world.tick()

    told = world.bus.of("Budget Threshold Reached")
    assert {event.evidence["scope"] for event in told} <= {"workload", "guardrail"}
    assert [event.evidence["disable"] for event in told] == [False] * len(told)
    wanted = {"cap": ["workload"], "guardrail": ["guardrail"], "both": ["guardrail", "workload"]}[cap]
    assert sorted(event.evidence["scope"] for event in told) == wanted
    for reached in told:
        assert (reached.evidence["threshold"], reached.evidence["spent_usd"]) == (0.5, pytest.approx(135))
        assert reached.subject == "agent"
        assert {key["hash"] for key in reached.evidence["keys"]} == {old, new}


@pytest.mark.parametrize("byok", [False, True])
@pytest.mark.parametrize("reset", ["daily", "weekly", "monthly", None])
@pytest.mark.parametrize(("rotation", "cap"), SHARES)
def test_the_cap_that_is_used_up_by_all_keys_together_disables(
    world: Any, rotation: str | None, cap: str, reset: str | None, byok: bool
) -> None:
    """Red before where the cap is a guardrail's alone: each key was held against the whole of it, and 100 is 50 %."""
    old, new = two_keys(world, rotation, cap, reset, byok)
    world.account.spend(old, 100, kind="byok_usage" if byok else "usage")
    world.account.spend(new, 100)

    world.tick()

    told = [one for one in world.bus.of("Budget Threshold Reached") if one.evidence["scope"] != "key_limit"]
    assert {one.evidence["scope"] for one in told} == (
        {"workload", "guardrail"} if cap == "both" else {"workload" if cap == "cap" else cap}
    )
    assert [(one.evidence["threshold"], one.evidence["disable"]) for one in told] == [(1.0, True)] * len(told)


def test_a_guardrails_budget_is_told_once_while_keys_come_and_go(world: Any) -> None:
    old, new = two_keys(world, "60d", "guardrail", "monthly", byok=False)
    world.account.spend(old, 90)
    world.account.spend(new, 80)
    world.tick()
    world.account.keys[old]["disabled"] = True
    for _ in range(3):
        world.tick()

    assert [one.evidence["threshold"] for one in world.bus.of("Budget Threshold Reached")] == [0.8]


def test_a_lineage_of_which_a_key_could_not_be_read_is_not_judged_by_the_rest(world: Any) -> None:
    old, new = two_keys(world, "60d", "guardrail", "monthly", byok=False)
    world.account.workspaces["ws-2"] = "other"
    world.account.spend(old, 90)
    world.account.spend(new, 80)
    world.tick()
    world.account.keys[old]["workspace_id"] = "ws-2"
    world.account.failing = lambda request: 503 if request.url.params.get("workspace_id") == "ws-2" else None
    for _ in range(8):
        world.tick()
    world.account.failing = lambda request: None
    world.tick()

    assert [one.evidence["threshold"] for one in world.bus.of("Budget Threshold Reached")] == [0.8]


def two_keys_with_noted_limits(world: Any) -> str:
    """The lineage's current key alone, under a guardrail of $200: Governor gave it the whole of it, and noted that."""
    _, new = two_keys(world, "60d", "guardrail", "monthly", byok=False)
    key = {"hash": new, "state": "current", "given": [[200.0, "monthly"]]}
    world.ledger.commit(Put("lineage", "agent", {"keys": [key]}, world.ledger.get("lineage", "agent").version))
    world.account.keys[new] |= {"limit": 200.0, "limit_remaining": 200.0}
    for _ in range(6):
        world.tick()
    return new


def test_a_limit_that_a_person_set_on_a_key_with_only_a_guardrails_cap_is_a_budget(world: Any) -> None:
    """Red before: whatever limit such a key had was taken for Governor's share, and its end was never announced."""
    new = two_keys_with_noted_limits(world)
    world.account.keys[new] |= {"limit": 20.0, "limit_remaining": 20.0}
    world.account.spend(new, 17)
    world.tick()

    (reached,) = world.bus.of("Budget Threshold Reached")
    assert (reached.evidence["scope"], reached.evidence["threshold"]) == ("key_limit", 0.8)


def test_a_share_that_governor_has_just_set_is_no_persons_limit(world: Any) -> None:
    """The row is written before the limit is set, and read again where it does not know a limit that is seen."""
    new = two_keys_with_noted_limits(world)
    row = world.ledger.get("lineage", "agent")
    key = {"hash": new, "state": "overlap", "given": [[200.0, "monthly"], [20.0, "monthly"]]}
    world.ledger.commit(Put("lineage", "agent", {"keys": [key]}, row.version))
    world.account.keys[new] |= {"limit": 20.0, "limit_remaining": 20.0}
    world.account.spend(new, 17)
    world.tick()

    assert world.bus.of("Budget Threshold Reached") == []


@pytest.mark.parametrize("limit", [200.0, 100.0])
def test_the_guardrails_own_figure_and_a_limit_nobody_noted_are_shares(world: Any, limit: float) -> None:
    _, new = two_keys(world, "60d", "guardrail", "monthly", byok=False)
    world.account.keys[new] |= {"limit": limit, "limit_remaining": limit}
    world.account.spend(new, 95)
    world.tick()

    assert {one.evidence["scope"] for one in world.bus.of("Budget Threshold Reached")} <= {"guardrail"}


def test_the_limit_of_a_workload_without_any_cap_is_its_budget(world: Any) -> None:
    owner = {"name": "agent", "workspace": "platform", "owner": {"slack": "U0AGENT"}}
    world.with_policy(workloads=[owner])
    hash = world.account.add("agent", limit=100.0, limit_remaining=100.0, limit_reset="monthly")
    world.tick()
    world.account.spend(hash, 85)
    world.tick()

    (reached,) = world.bus.of("Budget Threshold Reached")
    assert reached.evidence["scope"] == "key_limit"
