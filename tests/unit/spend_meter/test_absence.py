"""A list that leaves keys out ends no incident and arms no budget; a renamed key is watched as its workload's."""

from typing import Any

import pytest

from governor.keys.lineage import Lineage, LineageKey, Lineages
from tests.unit.spend_meter.conftest import START, World

WORKLOAD = {
    "name": "prod-agent",
    "workspace": "platform",
    "owner": {"slack": "U0AGENT"},
    "secret": "openrouter/prod/agent",
    "key": {"limit_usd": 80.0, "limit_reset": "monthly", "include_byok_in_limit": True},
    "rotation": {"every": "60d"},
    "runaway": {"mode": "disable"},
}


def owned(world: World, *hashes: str, name: str = "prod-agent") -> None:
    keys = tuple(LineageKey(hash, f"{name}#{hash[-1]}", "overlap", START) for hash in hashes)
    Lineages(world.ledger).write(Lineage(name, keys))


@pytest.fixture
def one(world: Any) -> str:
    """A key of the workload, burning."""
    world.with_policy(workloads=[WORKLOAD])
    hash: str = world.account.add("prod-agent#1")
    owned(world, hash)
    world.account.add("other")
    world.tick()
    world.accustom(hash)
    return hash


@pytest.mark.parametrize("how", ["renamed", "moved"])
def test_a_key_that_a_person_renamed_or_moved_is_judged_and_capped_as_its_workloads(
    how: str, world: Any, one: str
) -> None:
    if how == "renamed":
        world.account.keys[one]["name"] = "batch"
    else:
        world.account.workspaces["ws-2"] = "other"
        world.account.keys[one]["workspace_id"] = "ws-2"
    world.burn(one, 500, minutes=12)
    confirmed = world.bus.of("Runaway Confirmed")[0]
    assert confirmed.subject == "prod-agent"
    assert [key["hash"] for key in confirmed.evidence["keys"]] == [one]
    reached = [event for event in world.bus.of("Budget Threshold Reached") if event.subject == "prod-agent"]
    assert {event.evidence["scope"] for event in reached} == {"workload"}


def test_a_key_by_name_is_not_the_workloads_when_its_hash_is_anothers(world: Any) -> None:
    other = {**WORKLOAD, "name": "prod-billing", "secret": "openrouter/prod/billing"}
    world.with_policy(workloads=[WORKLOAD, other])
    hash = world.account.add("prod-agent")
    owned(world, hash, name="prod-billing")
    world.tick()
    world.account.spend(hash, 1)
    assert world.tick().top_spenders == [("prod-billing", pytest.approx(1))]


def test_a_lineage_that_is_new_is_known_within_five_minutes(world: Any) -> None:
    world.with_policy(workloads=[WORKLOAD])
    hash = world.account.add("batch")
    for _ in range(2):
        world.tick()
    owned(world, hash)
    for _ in range(5):
        world.tick()
    world.account.spend(hash, 1)
    assert ("prod-agent", pytest.approx(1)) in world.tick().top_spenders


@pytest.mark.parametrize("left_out", ["one", "all", "workspaces"])
def test_a_list_that_leaves_live_keys_out_ends_no_runaway_and_tells_no_budget_again(
    left_out: str, world: Any, one: str
) -> None:
    for _ in range(12):
        world.account.add("quiet")
    world.burn(one, 500, minutes=6)
    if left_out == "workspaces":
        world.account.unlisted_workspaces.add("ws-1")
    else:
        world.account.unlisted |= {one} if left_out == "one" else {*world.account.keys}
    world.burn(one, 500, minutes=12)
    world.account.unlisted.clear()
    world.account.unlisted_workspaces.clear()
    world.burn(one, 500, minutes=3)
    assert world.bus.of("Runaway Ended") == []
    thresholds = [event.evidence["threshold"] for event in world.bus.of("Budget Threshold Reached")]
    assert thresholds == sorted({*thresholds})
    assert thresholds[-1] == 1.0
    blind = world.bus.of("Monitor Blind")
    assert len(blind) == (1 if left_out == "all" else 0)
    if blind:
        assert "leaves out 14 keys" in blind[0].evidence["error"]


def test_a_key_that_is_gone_is_asked_for_once(world: Any) -> None:
    hash = world.account.add("batch")
    world.account.add("other")
    world.tick()
    del world.account.keys[hash]
    for _ in range(10):
        world.tick()
    assert world.account.asked.count(f"/keys/{hash}") == 1


def test_of_many_keys_that_vanish_at_once_ten_are_asked_for_and_their_404_is_believed(world: Any) -> None:
    hashes = [world.account.add("batch") for _ in range(50)]
    world.account.add("other")
    world.tick()
    for hash in hashes:
        del world.account.keys[hash]
    report = world.tick()
    assert report.unknown_workspaces == 0
    assert sum(path.startswith("/keys/") for path in world.account.asked) == 10
    world.tick()
    assert sum(path.startswith("/keys/") for path in world.account.asked) == 10


def test_a_workspace_is_unknown_while_a_key_that_its_list_leaves_out_cannot_be_asked_for(world: Any) -> None:
    hash = world.account.add("batch")
    world.account.add("other")
    world.tick()
    world.account.unlisted.add(hash)
    world.account.failing = lambda request: 500 if request.url.path.endswith(hash) else None
    assert world.tick().unknown_workspaces == 1
    world.account.failing = lambda request: None
    world.account.spend(hash, 1)
    assert world.tick().spend_usd == pytest.approx(1)


def refusing_lists_of(*workspaces: str) -> Any:
    """As OpenRouter refuses the lists of a workspace that it does not have: 400, not 404."""
    return lambda request: 400 if request.url.params.get("workspace_id") in workspaces else None


def test_a_workspace_that_was_deleted_since_it_was_listed_is_gone_and_no_alarm(world: Any) -> None:
    world.account.workspaces["ws-2"] = "research"
    there = world.account.add("batch", "ws-2")
    here = world.account.add("other")
    world.tick()
    del world.account.keys[there], world.account.workspaces["ws-2"]
    world.account.failing = refusing_lists_of("ws-2")
    for _ in range(4):
        world.account.spend(here, 1)
        report = world.tick()
        assert (report.unknown_workspaces, report.spend_usd) == (0, pytest.approx(1))
    assert world.bus.of("Monitor Blind") == []
    assert world.account.asked.count("/workspaces/ws-2") == 1, "asked once, and then left out"


def test_a_workspace_whose_lists_are_refused_and_that_exists_is_unknown_and_told(world: Any) -> None:
    world.account.workspaces["ws-2"] = "research"
    world.account.add("batch", "ws-2")
    here = world.account.add("other")
    world.tick()
    world.account.failing = refusing_lists_of("ws-2")
    for _ in range(5):
        world.account.spend(here, 1)
        report = world.tick()
        assert (report.unknown_workspaces, report.spend_usd) == (1, pytest.approx(1))
    (blind,) = world.bus.of("Monitor Blind")
    assert "Rejected" in blind.evidence["error"]


def test_of_many_workspaces_whose_lists_are_refused_ten_are_asked_for_in_a_run(world: Any) -> None:
    names = [f"ws-{number}" for number in range(2, 32)]
    world.account.workspaces |= dict.fromkeys(names, "research")
    world.account.add("other")
    world.tick()
    world.account.failing = refusing_lists_of(*names)
    report = world.tick()
    assert report.unknown_workspaces == 30
    assert sum(path.startswith("/workspaces/ws-") and path.count("/") == 2 for path in world.account.asked) == 10
