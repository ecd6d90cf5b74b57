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
    world.beat()
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

    world.beat()

    told = world.bus.of("Budget Threshold Reached")
    assert {event.evidence["scope"] for event in told} <= {"workload", "guardrail"}
    assert [event.evidence["disable"] for event in told] == [False] * len(told)
    if cap != "guardrail":
        (reached,) = [event for event in told if event.evidence["scope"] == "workload"]
        assert (reached.evidence["threshold"], reached.evidence["spent_usd"]) == (0.5, pytest.approx(135))


@pytest.mark.parametrize(("rotation", "cap"), [(None, "cap"), ("60d", "cap"), (None, "both"), ("60d", "both")])
def test_the_cap_that_is_used_up_by_all_keys_together_disables(world: Any, rotation: str | None, cap: str) -> None:
    old, new = two_keys(world, rotation, cap, "monthly", byok=False)
    world.account.spend(old, 100)
    world.account.spend(new, 100)

    world.beat()

    (reached,) = [one for one in world.bus.of("Budget Threshold Reached") if one.evidence["scope"] == "workload"]
    assert reached.evidence["disable"] is True


def test_the_limit_of_a_workload_without_any_cap_is_its_budget(world: Any) -> None:
    owner = {"name": "agent", "workspace": "platform", "owner": {"slack": "U0AGENT"}}
    world.with_policy(workloads=[owner])
    hash = world.account.add("agent", limit=100.0, limit_remaining=100.0, limit_reset="monthly")
    world.beat()
    world.account.spend(hash, 85)
    world.beat()

    (reached,) = world.bus.of("Budget Threshold Reached")
    assert reached.evidence["scope"] == "key_limit"
