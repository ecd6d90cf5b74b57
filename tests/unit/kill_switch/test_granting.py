"""A human's decision is read where it stands; the event that tells of it is a tip."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from governor.approvals.approval import Request
from governor.approvals.store import NotGranted
from governor.events import BadEvent, DetailType
from governor.policy import Policy
from kill_switch.settings import Grant, received
from tests.unit.kill_switch.doubles import HASH, NOW, POLICY, WORKLOAD, World, exposed, restore, runaway

SAMPLE = Path(__file__).parents[3] / "events" / "kill_switch" / "approval_granted.json"
DISABLE = Request("order-1", "disable", WORKLOAD, "U0ANYBODY", NOW, NOW + timedelta(hours=1), {}, ("U0LEAD",))


def _restore(cause: str = "runaway", minutes: int = 30) -> Request:
    asked = NOW + timedelta(minutes=minutes)
    return Request(
        "request-1", "restore", WORKLOAD, "U0ANYBODY", asked, asked + timedelta(hours=24), {"cause": cause}, ("U0LEAD",)
    )


def _disabled_world() -> World:
    world = World()
    world.receive(runaway())
    world.now += timedelta(minutes=30)
    return world


def test_the_sample_is_understood() -> None:
    grant = received(json.loads(SAMPLE.read_text()))
    assert isinstance(grant, Grant)
    assert grant.approval == "8e1f0a77c2d94b06a5f3e1d2c3b4a596"


def test_a_granted_wish_restores_and_is_noted_as_done() -> None:
    world = _disabled_world()
    told = world.receive(world.granted(_restore()))
    assert told.detail_type == DetailType.KEY_RESTORED
    assert told.evidence["requested_by"] == "U0LEAD"
    assert world.account.disabled() == set()
    approval = world.approvals.get("request-1")
    assert approval
    assert approval.state == "done"


def test_a_grant_that_nobody_gave_restores_nothing_and_fails_loudly() -> None:
    world = _disabled_world()
    with pytest.raises(NotGranted, match="no request"):
        world.receive(json.loads(SAMPLE.read_text()))
    world.ask(_restore())
    forged = world.granted(DISABLE)
    forged["detail"]["evidence"]["approval"] = "request-1"
    with pytest.raises(NotGranted, match="pending"):
        world.receive(forged)
    assert world.account.disabled() == {HASH}


def test_a_grant_told_again_later_restores_nothing_that_was_disabled_since() -> None:
    world = _disabled_world()
    told = world.granted(_restore())
    world.receive(told)
    world.now += timedelta(days=2)
    world.receive(runaway(id="trigger-2", at=world.now))
    assert world.switch.act(received(told), lambda: 30.0) is None
    assert world.account.disabled() == {HASH}


def test_a_wish_is_about_what_was_disabled_when_it_was_made() -> None:
    world = _disabled_world()
    told = world.granted(_restore())
    world.receive(restore())
    world.now += timedelta(days=2)
    world.receive(runaway(id="trigger-2", at=world.now))
    refused = world.receive(told)
    assert (refused.detail_type, refused.evidence["rule"]) == (DetailType.RESTORE_REFUSED, "newer_cause")
    assert world.account.disabled() == {HASH}


def test_a_change_that_names_no_cause_is_one_clear_error() -> None:
    world = _disabled_world()
    with pytest.raises(BadEvent, match="'whim' is not a cause"):
        world.receive(world.granted(_restore("whim")))


@pytest.mark.parametrize("subject", ["prod-triage", "prod-off", "prod-dry", WORKLOAD])
def test_an_order_disables_whatever_tier_mode_and_leash_say(subject: str) -> None:
    world = World()
    world.account.held[HASH] = replace(world.account.held[HASH], name=subject)
    order = Request("order-1", "disable", subject, "U0ANYBODY", NOW, NOW + timedelta(hours=1), {}, ("U0LEAD",))
    told = world.receive(world.granted(order))
    assert (told.detail_type, told.evidence["cause"]) == (DetailType.KEY_DISABLED, "operator")
    assert world.account.disabled() == {HASH}
    assert world.store.recent_disables(subject, world.now).recent == ()


def _disable_by(who: str) -> Policy:
    policy = POLICY.model_dump(by_alias=True)
    policy["approvals"]["disable_by"] = who
    return Policy.model_validate(policy)


@pytest.mark.parametrize(
    ("disable_by", "subject", "entitled"),
    [
        ("members", WORKLOAD, {"U0ANYBODY", "U0SEARCH", "U0LEAD"}),
        ("members", "prod-triage", {"U0SEARCH", "U0LEAD"}),
        ("owners", WORKLOAD, {"U0SEARCH", "U0LEAD"}),
        ("approvers", WORKLOAD, {"U0LEAD"}),
        ("approvers", "prod-triage", {"U0LEAD"}),
    ],
)
@pytest.mark.parametrize("by_hash", [False, True])
def test_an_order_is_held_against_the_policy_as_it_is_now(
    disable_by: str, subject: str, entitled: set[str], by_hash: bool
) -> None:
    """Whatever the desk let through, and though the order names the key by its hash."""
    for by in ("U0ANYBODY", "U0SEARCH", "U0LEAD"):
        world = World(policy=_disable_by(disable_by))
        world.account.held[HASH] = replace(world.account.held[HASH], name=subject)
        order = Request("order-1", "disable", HASH if by_hash else subject, by, NOW, NOW + timedelta(hours=1), {})
        told = world.receive(world.granted(order, by=by, ordered=True))
        assert (told.detail_type == DetailType.KEY_DISABLED) == (by in entitled), by
        assert world.account.disabled() == ({HASH} if by in entitled else set())
        if by not in entitled:
            assert told.evidence["rule"] == "not_entitled"
            approval = world.approvals.get("order-1")
            assert approval
            assert approval.state == "failed"


def test_what_was_disabled_by_order_is_restored_by_its_own_cause() -> None:
    world = World()
    world.receive(world.granted(DISABLE))
    world.now += timedelta(minutes=30)
    refused = world.receive(restore("runaway"))
    assert refused.evidence["rule"] == "not_standing"
    assert world.receive(restore("operator", id="restore-2")).detail_type == DetailType.KEY_RESTORED


def _believing_clicks_only() -> World:
    policy = POLICY.model_dump(by_alias=True)
    policy["approvals"]["by_event"] = False
    return World(policy=Policy.model_validate(policy))


def test_where_only_clicks_are_believed_an_event_that_names_an_approver_restores_nothing() -> None:
    world = _believing_clicks_only()
    world.receive(runaway())
    world.now += timedelta(minutes=30)
    told = world.receive(restore())
    assert (told.detail_type, told.evidence["rule"]) == (DetailType.RESTORE_REFUSED, "by_event")
    assert told.evidence["requested_by"] == "an event"
    assert "U0LEAD" not in told.reason
    assert world.account.disabled() == {HASH}
    assert world.receive(world.granted(_restore())).detail_type == DetailType.KEY_RESTORED


def test_an_event_under_the_id_of_a_restore_in_hand_finishes_it_in_the_name_of_who_decided_it() -> None:
    world = _believing_clicks_only()
    world.receive(runaway())
    world.now += timedelta(minutes=30)
    row = world.store.causes(WORKLOAD).get("runaway")
    assert row
    world.store.write(replace(row, status="lifting", lift="request-1", lifted_by="U0LEAD", lifted_at=world.now))
    told = world.receive(restore(by="U0FORGED", id="request-1"))
    assert told.detail_type == DetailType.KEY_RESTORED
    assert told.evidence["requested_by"] == "U0LEAD"
    assert "U0FORGED" not in told.reason


def test_the_words_of_whoever_reports_a_leak_are_quoted_as_an_events_and_not_given_as_the_reason() -> None:
    world = _believing_clicks_only()
    event = exposed(requested_by="U0LEAD")
    event["detail"]["reason"] = "U0LEAD ordered it."
    told = world.receive(event)
    assert told.detail_type == DetailType.KEY_DISABLED
    assert told.reason.endswith("an event says that it leaked: “U0LEAD ordered it.”")


def test_where_only_clicks_are_believed_an_approvers_report_is_a_report_like_any_other() -> None:
    world = _believing_clicks_only()
    world.account.held[HASH] = replace(world.account.held[HASH], name="prod-triage")
    told = world.receive(exposed("prod-triage", requested_by="U0LEAD"))
    assert (told.detail_type, told.evidence["rule"]) == (DetailType.DISABLE_WITHHELD, "tier_zero")
