"""A key is the workload's by its hash: renamed, moved or left out of a list, it is disabled with the others."""

from dataclasses import replace

import pytest

from governor.keys.causes import CauseRow
from governor.keys.lineage import Lineage, LineageKey, Lineages
from management_api import Guardrail, Rejected
from tests.unit.kill_switch.doubles import (
    HASH,
    NOW,
    OTHER,
    PRODUCTION,
    THIRD,
    WORKLOAD,
    World,
    api_key,
    budget,
    exposed,
    reading,
    runaway,
)


def with_lineage(*keys: tuple[str, str], spent: float = 100.0) -> World:
    """A workload whose lineage has these keys, (hash, state)."""
    world = World(*(api_key(hash, f"{WORKLOAD}#{hash[0]}", spent=spent) for hash, _ in keys))
    row = Lineage(WORKLOAD, tuple(LineageKey(hash, f"{WORKLOAD}#{hash[0]}", state, NOW) for hash, state in keys))  # type: ignore[arg-type]
    Lineages(world.ledger).write(row)
    return world


@pytest.mark.parametrize("how", ["renamed", "moved", "left out"])
@pytest.mark.parametrize("subject", [WORKLOAD, HASH])
def test_a_key_that_a_person_changed_is_still_the_workloads(how: str, subject: str) -> None:
    world = with_lineage((HASH, "current"), (OTHER, "overlap"))
    key = world.account.held[HASH]
    changes = {"renamed": {"name": "batch"}, "moved": {"workspace_id": "ws-2"}, "left out": {}}[how]
    world.account.held[HASH] = replace(key, **changes)  # type: ignore[arg-type]
    if how == "left out":
        world.account.unlisted.add(HASH)
    told = world.receive(runaway(subject, reading(HASH, key.name)))
    assert told.subject == WORKLOAD
    assert told.detail_type.value == "Key Disabled"
    assert world.account.disabled() == {HASH, OTHER}


def test_a_key_that_only_bears_the_name_and_is_of_another_lineage_is_left_alone() -> None:
    world = with_lineage((HASH, "current"))
    world.account.held[THIRD] = api_key(THIRD, f"{WORKLOAD}#3")
    Lineages(world.ledger).write(Lineage("prod-billing", (LineageKey(THIRD, "prod-billing#3", "current", NOW),)))
    world.receive(runaway())
    assert world.account.disabled() == {HASH}


def test_a_leak_of_a_key_in_quarantine_says_which_key_is_live() -> None:
    world = with_lineage((HASH, "current"), (OTHER, "quarantined"))
    world.account.held[OTHER] = replace(world.account.held[OTHER], disabled=True)
    world.store.write(CauseRow(WORKLOAD, "rotation", "disabled", "retire", (OTHER,), NOW))
    told = world.receive(exposed(OTHER))
    assert told.detail_type.value == "Disable Withheld"
    assert "No key" not in told.reason
    assert f"{WORKLOAD}#a is live" in told.reason
    assert f"{WORKLOAD}#b leaked" in told.reason
    assert world.account.disabled() == {OTHER}
    assert "never comes back" in told.reason


def test_a_key_that_leaks_in_quarantine_is_held_for_good_and_its_workload_is_not() -> None:
    world = with_lineage((HASH, "current"), (OTHER, "quarantined"))
    world.account.held[OTHER] = replace(world.account.held[OTHER], disabled=True)
    world.store.write(CauseRow(WORKLOAD, "rotation", "disabled", "retire", (OTHER,), NOW))
    told = [world.receive(exposed(OTHER)) for _ in range(2)]
    causes = world.store.causes(WORKLOAD)
    assert causes.leaked(OTHER)
    assert causes.holds(OTHER)
    assert not causes.leaked(HASH)
    assert causes.standing() == []
    assert told[0] == told[1]


def test_a_leak_of_the_whole_workload_holds_the_replaced_key_for_good_too() -> None:
    world = with_lineage((HASH, "current"), (OTHER, "quarantined"))
    world.account.held[OTHER] = replace(world.account.held[OTHER], disabled=True)
    world.store.write(CauseRow(WORKLOAD, "rotation", "disabled", "retire", (OTHER,), NOW))
    world.receive(exposed(WORKLOAD))
    causes = world.store.causes(WORKLOAD)
    assert causes.leaked(OTHER)
    assert [row.hashes for row in causes.standing()] == [(HASH,)]


@pytest.mark.parametrize("standing", [True, False])
def test_a_second_report_forgets_no_earlier_one(standing: bool) -> None:
    world = with_lineage((HASH, "current"), (OTHER, "quarantined"), (THIRD, "quarantined"))
    for hash in (OTHER, THIRD):
        world.account.held[hash] = replace(world.account.held[hash], disabled=True)
    world.store.write(CauseRow(WORKLOAD, "rotation", "disabled", "retire", (OTHER, THIRD), NOW))
    world.receive(exposed(OTHER, id="leak-1"))
    if standing:
        world.receive(exposed(HASH, id="leak-2"))
    world.receive(exposed(THIRD, id="leak-3"))
    causes = world.store.causes(WORKLOAD)
    assert causes.leaked(OTHER)
    assert causes.leaked(THIRD)
    assert bool(causes.standing()) == standing


REFUSED = Rejected("400: Invalid request parameters: workspace_id", request="GET /keys", status=400)


def test_a_key_that_was_moved_is_disabled_though_the_policys_workspace_was_deleted_meanwhile() -> None:
    """OpenRouter refuses the list of a deleted workspace with a 400, and answers 404 for the workspace itself."""
    world = with_lineage((HASH, "current"))
    world.account.held[HASH] = replace(world.account.held[HASH], workspace_id="ws-2")
    world.account.list_error, world.account.gone = REFUSED, {PRODUCTION}
    told = world.receive(runaway(WORKLOAD, reading(HASH, world.account.held[HASH].name)))
    assert told.detail_type.value == "Key Disabled"
    assert world.account.disabled() == {HASH}


def test_a_workspace_whose_list_is_refused_is_not_gone_for_that() -> None:
    """Its keys that no lineage holds could not be seen: the event comes again rather than be answered in part."""
    world = with_lineage((HASH, "current"))
    world.account.list_error = REFUSED
    with pytest.raises(Rejected, match="workspace_id"):
        world.receive(runaway(WORKLOAD, reading(HASH, world.account.held[HASH].name)))
    assert world.bus.events == []


@pytest.mark.parametrize("left_out", ["the key", "the workspace"])
@pytest.mark.parametrize("subject", [WORKLOAD, HASH])
def test_a_key_of_no_lineage_that_a_list_leaves_out_is_disabled_as_the_workloads(left_out: str, subject: str) -> None:
    world = World()
    if left_out == "the key":
        world.account.unlisted.add(HASH)
    else:
        world.account.unlisted_workspaces = True
    told = world.receive(runaway(subject))
    assert (told.detail_type.value, told.subject) == ("Key Disabled", WORKLOAD)
    assert world.account.disabled() == {HASH}


def test_what_a_list_leaves_out_counts_for_the_spend_that_the_event_claims() -> None:
    world = World(api_key(spent=50.0), api_key(OTHER, f"{WORKLOAD}#2", spent=50.0))
    world.account.unlisted.add(OTHER)
    readings = [reading(hash, counted=50.0, window_start=10.0) for hash in (HASH, OTHER)]
    assert world.receive(runaway(WORKLOAD, *readings, spent=80.0)).detail_type.value == "Key Disabled"
    assert world.account.disabled() == {HASH, OTHER}


def test_an_event_that_names_keys_of_others_disables_none_of_them() -> None:
    elsewhere = api_key(THIRD, WORKLOAD, workspace_id="22222222-2222-4222-8222-222222222222")
    world = World(api_key(), api_key(OTHER, "prod-billing"), elsewhere)
    world.receive(runaway(WORKLOAD, reading(), reading(OTHER), reading(THIRD)))
    assert world.account.disabled() == {HASH}


def test_an_event_that_names_a_crowd_of_keys_costs_a_bounded_number_of_questions() -> None:
    world = World()
    world.receive(runaway(WORKLOAD, reading(), *(reading(f"{number:064x}") for number in range(500))))
    assert world.account.disabled() == {HASH}
    assert len(world.account.asked) < 50


def test_a_leak_is_read_a_second_time_before_the_account_is_said_to_have_no_such_key() -> None:
    world = World()
    world.account.unlisted.add(HASH)
    empty = iter([True])
    world.account.on_list = lambda: None if next(empty, False) else world.account.unlisted.clear()
    assert world.receive(exposed()).detail_type.value == "Key Disabled"
    assert world.account.disabled() == {HASH}


def test_a_runaway_of_which_no_key_is_found_stays_due() -> None:
    world = World(api_key(OTHER, "somebody's key"))
    told = world.receive(runaway())
    assert told.evidence["rule"] == "not_found"
    assert "asks again on the next reading" in told.reason
    due = world.ledger.get("detector", f"{WORKLOAD}#due#runaway")
    assert due is not None
    assert due.data["trigger"] == "trigger-1"


def guarded(spent: float = 100.0) -> World:
    """A key at its guardrail's limit of $100 a month."""
    world = World(api_key(spent=spent))
    rule = Guardrail(
        id="g", name="g", limit_usd=100.0, reset_interval="monthly", include_byok_in_budgets=False, created_at=NOW
    )
    world.account.guards["g"] = rule, [HASH]
    return world


@pytest.mark.parametrize("empty", ["account", "guardrail"])
def test_one_emptied_list_of_assignments_withholds_no_guardrails_disable(empty: str) -> None:
    world = guarded()
    world.account.unlisted_assignments.add(empty)
    assert world.receive(budget(scope="guardrail", scope_id="g")).detail_type.value == "Key Disabled"


@pytest.mark.parametrize("how", ["emptied", "unassigned"])
def test_a_key_that_no_list_assigns_to_the_guardrail_is_not_disabled_and_stays_due(how: str) -> None:
    world = guarded()
    if how == "emptied":
        world.account.unlisted_assignments |= {"account", "guardrail"}
    else:
        world.account.guards["g"][1].clear()
    told = world.receive(budget(scope="guardrail", scope_id="g"))
    assert told.evidence["rule"] == "unconfirmed"
    assert "asks again on the next reading" in told.reason
    assert world.account.disabled() == set()
    world.account.unlisted_assignments.clear()
    world.account.guards["g"][1][:] = [HASH]
    again = world.receive(budget(scope="guardrail", scope_id="g", id="budget-2"))
    assert again.detail_type.value == "Key Disabled"


def test_counters_below_the_guardrails_limit_contradict_the_event_whoever_is_assigned() -> None:
    world = guarded(spent=50.0)
    world.account.unlisted_assignments |= {"account", "guardrail"}
    assert world.receive(budget(scope="guardrail", scope_id="g")).evidence["rule"] == "not_borne_out"
