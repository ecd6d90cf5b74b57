"""A list that leaves something out makes no gap and closes none; keys are followed by their hashes."""

from typing import Any

import pytest

from governor.keys.lineage import Lineage, LineageKey, Lineages
from sandbox.openrouter.bodies import CredentialCreation
from sandbox.openrouter.resources import add_credential
from tests.unit.byok_failover.doubles import MODEL, PLACE, START, WORKLOAD, World


def watched(**decision: Any) -> World:
    """A place that is as the policy expects it, looked at once."""
    world = World({"probe": {"model": MODEL}, **decision})
    world.credential("first")
    world.credential("second", is_fallback=True)
    world.tick()
    assert world.told() == []
    return world


def ids(world: World, *names: str) -> set[str]:
    return {one.id for one in world.organization.credentials.values() if one.settings["name"] in names}


@pytest.mark.parametrize("names", [("first",), ("first", "second")])
def test_credentials_that_a_list_leaves_out_are_no_gap_and_the_list_is_told_as_incomplete(
    names: tuple[str, ...],
) -> None:
    world = watched(expect={"prioritized": 1, "fallback": 1})
    world.left_out |= ids(world, *names)
    report = world.tick()
    assert world.told() == []
    assert any("credentials of Platform" in line and "incomplete" in line for line in report.unread)
    world.left_out.clear()
    assert world.tick().unread == []
    assert world.told() == []


def test_a_credential_that_was_deleted_is_a_gap_at_once() -> None:
    world = watched(expect={"prioritized": 1, "fallback": 1})
    (id,) = ids(world, "second")
    del world.organization.credentials[id]
    assert world.tick().unread == []
    assert world.rules() == ["too_few_fallback"]


def test_a_gap_is_not_closed_by_a_list_that_leaves_out_the_credential_that_makes_it() -> None:
    world = watched(expect={"shared": True})
    closed = world.credential("third", is_byok_only=True)
    world.tick()
    assert world.rules() == ["shared_missing"]
    world.left_out.add(closed.id)
    world.tick()
    assert world.rules("Failover Gap Closed") == []


@pytest.mark.parametrize("known", ["by its lineage", "from the last reading"])
def test_a_key_that_a_person_renamed_keeps_its_place_in_its_workloads_chain(known: str) -> None:
    world = watched()
    if known == "by its lineage":
        Lineages(world.ledger).write(Lineage(WORKLOAD, (LineageKey(world.key.hash, WORKLOAD, "current", START),)))
    world.key.name = "batch"
    for one in world.organization.credentials.values():
        one.settings["allowed_models"] = ["anthropic/claude-opus-4.5"]
    report = world.tick()
    assert [line.partition(",")[0] for line in report.chains] == [WORKLOAD]
    assert world.rules() == ["left_out"]
    world.tick()
    assert world.rules("Failover Gap Closed") == []


def test_a_key_that_a_list_leaves_out_closes_no_gap() -> None:
    world = watched()
    for one in world.organization.credentials.values():
        one.settings["allowed_models"] = ["anthropic/claude-opus-4.5"]
    world.tick()
    assert world.rules() == ["left_out"]
    world.left_out.add(world.key.hash)
    report = world.tick()
    assert world.rules("Failover Gap Closed") == []
    assert any("keys of Platform" in line and "incomplete" in line for line in report.unread)


def test_a_key_that_a_person_moved_is_told_with_the_workspace_whose_credentials_serve_it() -> None:
    world = watched()
    world.organization.create_workspace("Research", "research")
    (other,) = (one for one in world.organization.workspaces.values() if one.slug == "research")
    world.organization.keys.move(world.key, other.id)
    world.tick()
    world.tick()
    assert world.rules() == ["key_elsewhere"]
    assert "is in workspace Research" in world.told()[0].reason
    (home,) = (one for one in world.organization.workspaces.values() if one.slug == PLACE)
    world.organization.keys.move(world.key, home.id)
    world.tick()
    assert world.rules("Failover Gap Closed") == ["key_elsewhere"]


def test_an_allowlist_names_dead_keys_only_where_openrouter_answers_404() -> None:
    world = watched()
    for one in world.organization.credentials.values():
        one.settings["allowed_api_key_hashes"] = [world.key.hash]
    other, _ = world.simulator.create_key("somebody's key", workspace=PLACE)
    for one in world.organization.credentials.values():
        one.settings["allowed_api_key_hashes"] = [world.key.hash, other.hash]
    world.left_out.add(other.hash)
    world.tick()
    assert world.rules() == []
    world.organization.delete_key(other.hash)
    for one in world.organization.credentials.values():
        one.settings["allowed_api_key_hashes"] = [world.key.hash, other.hash]
    world.tick()
    assert world.rules() == ["dead_hashes", "dead_hashes"]


@pytest.mark.parametrize("left_out", ["one", "all"])
def test_a_workspace_that_the_list_leaves_out_is_no_missing_one(left_out: str) -> None:
    world = watched()
    every = {one.id for one in world.organization.workspaces.values()}
    named = {one.id for one in world.organization.workspaces.values() if one.slug == PLACE}
    world.left_out |= named if left_out == "one" else every
    report = world.tick()
    assert world.rules() == []
    assert any(line.startswith("workspaces") for line in report.unread)
    assert len(report.chains) == 1


def test_a_policy_that_names_no_workspace_is_told_on_the_first_run() -> None:
    world = World({"workspace": "nowhere", "probe": {"model": MODEL}})
    world.tick()
    assert world.rules() == ["workspace_missing"]


def test_a_leak_is_not_ended_by_an_empty_list_of_keys() -> None:
    world = watched()
    world.spend(2.0)
    world.tick()
    for one in world.organization.credentials.values():
        one.settings["disabled"] = True
    for _ in range(3):
        world.spend(2.0)
        world.tick()
    assert "Credits Leak Suspected" in world.kinds()
    world.left_out.add(world.key.hash)
    world.spend(2.0)
    world.tick()
    assert "Credits Leak Ended" not in world.kinds()
    (shares,) = world.ledger.rows("byok", "shares#")
    assert WORKLOAD in shares.data["workloads"]


def test_a_probe_key_that_the_list_leaves_out_is_still_of_its_workspace() -> None:
    world = World()
    world.credential("first")
    other, plaintext = world.simulator.create_key("probe", workspace=PLACE)
    world.secrets["openrouter/prod/agent"] = plaintext
    world.left_out.add(other.hash)
    world.tick()
    assert world.rules() == []
    assert world.probes() == 1


@pytest.mark.parametrize("workspace", [PLACE, None])
def test_no_drill_begins_while_a_key_that_it_might_cut_off_is_left_out(workspace: str | None) -> None:
    world = World({"drill": {}})
    first = world.credential("first", workspace=workspace)
    world.tick()
    _, plaintext = world.simulator.create_key("probe", workspace=PLACE)
    world.secrets["openrouter/prod/agent"] = plaintext
    first.settings["allowed_api_key_hashes"] = None
    world.left_out.add(world.key.hash)
    with pytest.raises(Exception, match="read"):
        world.drill()
    assert not first.settings["disabled"]
    assert world.told("Drill Passed", "Drill Failed") == []


def test_what_was_seen_of_a_workspace_that_is_gone_is_forgotten() -> None:
    world = watched()
    world.organization.create_workspace("Research", "research")
    (other,) = (one for one in world.organization.workspaces.values() if one.slug == "research")
    add_credential(
        world.organization,
        CredentialCreation(provider="openai", key="fake-other-key", name="other", workspace_id="research"),
    )
    world.tick()
    assert world.ledger.get("byok", f"seen#{other.id}")
    for id, one in list(world.organization.credentials.items()):
        if one.workspace_id == other.id:
            del world.organization.credentials[id]
    del world.organization.workspaces[other.id]
    world.tick()
    assert world.ledger.get("byok", f"seen#{other.id}") is None
