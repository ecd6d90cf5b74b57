"""A drill shows what takes over, and leaves everything as it was."""

from datetime import timedelta
from typing import Any

import pytest

from governor.approvals.approval import Request, Vote
from governor.approvals.store import NotGranted
from tests.unit.byok_failover.doubles import MODEL, NAME, PLACE, WORKLOAD, World

DRILL: dict[str, Any] = {"drill": {"within_seconds": 10}}


def disabled(world: World) -> list[str]:
    return [one.settings["name"] for one in world.organization.credentials.values() if one.settings["disabled"]]


def test_a_drill_passes_where_the_next_credential_serves_in_time() -> None:
    world = World({**DRILL, "expect": {"prioritized": 2}})
    world.credential("first")
    world.credential("second")
    world.drill()
    (event,) = world.told()
    assert event.detail_type.value == "Drill Passed"
    evidence = event.evidence
    assert (evidence["credential"]["name"], evidence["served_by"]) == (
        "first",
        "another credential of our own (Anthropic)",
    )
    assert evidence["seconds"] < 10
    assert evidence["cost_usd"] > 0
    assert disabled(world) == []
    assert evidence["back"] is True


def test_a_drill_passes_on_credits_where_the_policy_expects_no_more() -> None:
    world = World(DRILL)
    world.credential("first")
    world.drill()
    assert world.rules("Drill Passed") == ["passed"]
    assert "on credits" in world.told()[0].evidence["served_by"]


def test_a_drill_fails_where_the_next_ones_filter_leaves_the_workload_out() -> None:
    world = World({**DRILL, "expect": {"prioritized": 2}})
    other, _ = world.simulator.create_key("other", workspace=PLACE)
    world.credential("first")
    world.credential("second", allowed_api_key_hashes=[other.hash])
    world.drill()
    (event,) = world.told()
    assert event.evidence["rule"] == "wrong_next"
    assert f"No other credential's filters let {WORKLOAD} in." in event.reason
    assert disabled(world) == []
    assert world.waited <= 10


def test_a_drill_fails_where_nothing_serves_and_the_first_is_enabled_again() -> None:
    world = World({**DRILL, "expect": {"prioritized": 2, "shared": False}})
    world.credential("first", is_byok_only=True)
    second = world.credential("second", is_byok_only=True)
    world.simulator.trouble(credential=second.id, trouble="rate_limited")
    world.drill()
    assert world.rules("Drill Failed") == ["not_served"]
    assert disabled(world) == []


def test_a_drill_that_would_cut_a_workload_off_disables_nothing() -> None:
    world = World({**DRILL, "expect": {"shared": False}})
    world.credential("only", is_byok_only=True)
    world.credential("last", is_fallback=True, allowed_models=["anthropic/claude-opus-4.5"])
    world.organization.credentials[next(iter(world.organization.credentials))].settings["is_byok_only"] = True
    second = world.credential("closed", is_byok_only=True, allowed_user_ids=["user_other"])
    world.drill()
    assert world.rules("Drill Failed") == ["would_cut_off"]
    assert not [one for one in world.simulator.requests if one.method == "PATCH"]
    assert not second.settings["disabled"]


@pytest.mark.parametrize(("trouble", "rule"), [("revoked", "not_first_healthy"), ("rate_limited", "not_first_healthy")])
def test_a_first_credential_that_does_not_serve_is_not_drilled(trouble: Any, rule: str) -> None:
    world = World(DRILL)
    first = world.credential("first")
    world.simulator.trouble(credential=first.id, trouble=trouble)
    world.drill()
    assert world.rules("Drill Failed") == [rule]
    assert not [one for one in world.simulator.requests if one.method == "PATCH"]


def test_the_same_request_twice_is_one_drill_and_another_request_another() -> None:
    world = World(DRILL)
    world.credential("first")
    world.drill("1")
    world.drill("1")
    assert len(world.told()) == 1
    world.drill("2")
    assert len(world.told()) == 2


@pytest.mark.parametrize(
    ("name", "decision", "rule"),
    [
        ("platform/nobody", DRILL, "unknown_decision"),
        (NAME, {}, "unknown_decision"),
        (NAME, {"drill": {}, "probe": {"model": MODEL, "secret": "openrouter/none"}}, "probe_key_missing"),
    ],
)
def test_a_drill_that_cannot_begin_says_why(name: str, decision: dict[str, Any], rule: str) -> None:
    world = World(decision)
    world.credential("first")
    world.drill(name=name)
    assert world.rules("Drill Failed") == [rule]


def test_a_scheduled_drill_runs_in_its_window_and_not_again_before_its_time() -> None:
    world = World({"drill": {"every": "7d", "window": {"days": ["wed"], "from": "13:00", "to": "14:00"}}})
    world.credential("first")
    moments = []
    for _ in range(15 * 24):
        before = len(world.told("Drill Passed"))
        world.tick(minutes=60)
        if len(world.told("Drill Passed")) > before:
            moments.append(world.now.replace(second=0))
    assert [f"{one:%a %H}" for one in moments] == ["Wed 13", "Wed 13"]
    assert moments[1] - moments[0] == timedelta(days=7)
    assert all(one.evidence["by"] == "schedule" for one in world.told("Drill Passed"))


def test_an_account_that_is_not_read_whole_is_not_drilled_and_the_request_comes_again() -> None:
    world = World(DRILL)
    world.credential("first")
    world.simulator.fault("/byok", "503", times=None)
    with pytest.raises(Exception, match="could not be read whole"):
        world.drill()
    assert world.told() == []
    world.simulator.faults.clear()
    world.drill()
    assert world.rules("Drill Passed") == ["passed"]


def test_a_drill_whose_credential_somebody_renames_meanwhile_leaves_it_disabled() -> None:
    world = World(DRILL)
    first = world.credential("first")

    def kept_off() -> None:
        if first.settings["disabled"]:
            first.settings["name"] = "first, out of order"

    world.simulator.on_write = kept_off
    world.drill()
    (event,) = world.told()
    assert event.evidence["back"] is False
    assert disabled(world) == ["first, out of order"]
    world.tick()
    assert disabled(world) == ["first, out of order"]


def test_a_drill_that_died_is_undone_by_the_next_run_and_told_as_failed() -> None:
    world = World(DRILL)
    first = world.credential("first")
    world.simulator.fault("/byok/{id}", "503", method="PATCH", after=1, times=None)
    with pytest.raises(Exception, match="PATCH"):
        world.drill()
    assert first.settings["disabled"]
    world.simulator.faults.clear()
    world.tick()
    assert (first.settings["disabled"], first.settings["name"]) == (False, "first")
    assert world.rules("Drill Failed") == ["interrupted"]
    assert not world.ledger.rows("byok", "hold#")
    assert not world.ledger.rows("byok", "drill#")


def decided(world: World, id: str = "request-1", kind: str = "drill", *, granted: bool = True) -> None:
    """Somebody asks for a drill in Slack, and an approver says yes."""
    request = Request(
        id=id, kind=kind, subject=NAME, requested_by="U0DEV", requested_at=world.now,  # type: ignore[arg-type]
        expires_at=world.now + timedelta(hours=24), change={"workspace": PLACE, "provider": "anthropic"},
        approvers=("U0LEAD",),
    )  # fmt: skip
    world.approvals.ask(request)
    if granted:
        world.approvals.vote(id, request.digest, Vote("click-1", "U0LEAD", "approve", world.now))


def state(world: World, id: str = "request-1") -> str:
    found = world.approvals.get(id)
    assert found
    return found.state


def test_a_drill_that_people_granted_runs_once_and_its_outcome_is_noted() -> None:
    world = World(DRILL, by_event=False)
    world.credential("first")
    decided(world)
    world.drill("request-1", granted=True)
    world.drill("request-1", granted=True)
    (event,) = world.told()
    assert (event.evidence["rule"], event.evidence["by"], event.evidence["order"]) == ("passed", "U0LEAD", "request-1")
    assert state(world) == "done"


@pytest.mark.parametrize(("kind", "granted"), [("restore", True), ("drill", False)])
def test_a_grant_that_no_decision_bears_out_drills_nothing(kind: str, granted: bool) -> None:
    world = World(DRILL)
    world.credential("first")
    decided(world, kind=kind, granted=granted)
    with pytest.raises(NotGranted):
        world.drill("request-1", granted=True)
    assert world.told() == []
    assert not [one for one in world.simulator.requests if one.method == "PATCH"]


@pytest.mark.parametrize(("approvers", "asker"), [(["U0SEC"], "U0DEV"), (["U0LEAD"], "U0LEAD")])
def test_a_drill_is_not_run_on_the_yes_of_somebody_whom_the_policy_does_not_name_or_who_asked(
    approvers: list[str], asker: str
) -> None:
    """The rows say that U0LEAD granted it; others may write the request, and the policy may have changed since."""
    world = World(DRILL, by_event=False, approvers=approvers)
    world.credential("first")
    request = Request(
        id="request-1", kind="drill", subject=NAME, requested_by=asker, requested_at=world.now,
        expires_at=world.now + timedelta(hours=24), change={}, approvers=("U0LEAD",),
    )  # fmt: skip
    world.approvals.order(request, Vote("click-1", "U0LEAD", "approve", world.now))
    world.drill("request-1", granted=True)
    assert world.rules("Drill Failed") == ["not_an_approver"]
    assert state(world) == "failed"
    assert not [one for one in world.simulator.requests if one.method == "PATCH"]


def test_a_granted_drill_that_dies_is_noted_as_failed_by_the_run_that_undoes_it() -> None:
    world = World(DRILL)
    world.credential("first")
    decided(world)
    world.simulator.fault("/byok/{id}", "503", method="PATCH", after=1, times=None)
    with pytest.raises(Exception, match="PATCH"):
        world.drill("request-1", granted=True)
    assert state(world) == "granted"
    world.simulator.faults.clear()
    world.tick()
    assert state(world) == "failed"


def test_an_event_that_names_who_asks_is_not_believed_where_the_policy_says_so() -> None:
    world = World(DRILL, by_event=False)
    world.credential("first")
    world.drill()
    assert world.rules("Drill Failed") == ["not_believed"]
    assert world.told()[0].evidence["by"] == "an event"
    assert not [one for one in world.simulator.requests if one.method == "PATCH"]


def test_an_event_under_the_id_of_a_decision_does_not_keep_it_from_being_carried_out() -> None:
    world = World(DRILL, by_event=False)
    world.credential("first")
    world.drill("request-1")
    decided(world)
    world.drill("request-1", granted=True)
    assert world.rules("Drill Passed") == ["passed"]


def test_a_drill_is_served_by_a_fallback_key_where_it_is_the_next() -> None:
    """Red before: the probe forbade fallbacks, and so the very credential that was to take over."""
    world = World({**DRILL, "expect": {"prioritized": 1, "fallback": 1, "shared": False}})
    world.credential("first", is_required=True)
    world.credential("guard", is_byok_only=True, allowed_models=["anthropic/claude-opus-4.5"])
    world.credential("spare", is_fallback=True)
    world.drill()
    assert world.rules("Drill Passed") == ["passed"]
    assert disabled(world) == []


def test_a_drill_is_not_begun_where_zero_retention_leaves_only_a_fallback_key_that_is_not_used() -> None:
    world = World({**DRILL, "expect": {"prioritized": 2, "fallback": 1, "shared": False}})
    world.credential("first", declared_zdr=True)
    world.credential("second", is_required=True, declared_zdr=False)
    world.credential("spare", is_fallback=True, declared_zdr=True)
    guardrail = world.organization.create_guardrail("strict", PLACE, enforce_zdr_anthropic=True)
    world.organization.assign(guardrail, [world.key.hash])
    world.drill()
    (event,) = world.told("Drill Failed")
    assert event.evidence["rule"] == "would_cut_off"
    assert disabled(world) == []
