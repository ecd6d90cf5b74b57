"""Who has a former key given back, what they are shown before, and what the ledger forbids at once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from governor.events import DetailType
from governor.keys.lineage import Lineages, Rotation
from tests.unit.approval_desk.desk import (
    ANYBODY,
    CURRENT,
    FORMER,
    LEAD,
    NOW,
    OWNER,
    SEC,
    WORKLOAD,
    ZERO,
    Desk,
    click,
    command,
)

GRANTED, REQUESTED = DetailType.APPROVAL_GRANTED, DetailType.APPROVAL_REQUESTED
CHANGE = {
    "back": FORMER, "back_name": f"{WORKLOAD}#1", "goes": CURRENT, "goes_name": f"{WORKLOAD}#2",
    "needs_approval": False,
}  # fmt: skip


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.rotated()
    return desk


@pytest.mark.parametrize("user", [OWNER, LEAD])
def test_the_owner_or_an_approver_has_it_done_at_once_about_these_two_keys(desk: Desk, user: str) -> None:
    assert desk.types(user, f"rollback-key {WORKLOAD}") == "key_rollback"
    (granted,) = desk.bus.events
    assert (granted.detail_type, granted.subject, granted.evidence["kind"]) == (GRANTED, WORKLOAD, "key_rollback")
    assert granted.evidence["change"] == CHANGE
    assert granted.evidence["approved_by"] == [user]
    assert f"{WORKLOAD}#1 (aaaaaaaa…) back in place of {WORKLOAD}#2 (bbbbbbbb…)" in desk.said


def test_anybody_else_asks_them_once_and_is_shown_what_comes_back_what_goes_and_what_is_at_stake(desk: Desk) -> None:
    assert desk.types(ANYBODY, f"rollback-key {WORKLOAD}") == "key_rollback"
    assert desk.clicks(ANYBODY, "rollback-key", subject=WORKLOAD, back=FORMER, goes=CURRENT) == "asked_already"
    (asked,) = desk.bus.events
    assert asked.detail_type == REQUESTED
    assert set(asked.evidence["approvers"]) == {OWNER, LEAD, SEC}
    back, goes, stake = asked.evidence["shown"]
    assert back.startswith(f"Comes back: {WORKLOAD}#1 (aaaaaaaa…), replaced at 2026-03-11T01:44:00Z")
    assert goes.startswith(f"Goes: {WORKLOAD}#2 (bbbbbbbb…)")
    assert "proven to work" in stake
    held = {name: asked.evidence[name] for name in ("approval", "digest")}
    assert desk.clicks(ANYBODY, "approve", **held) == "own_request"
    assert desk.clicks(OWNER, "approve", **held) == "granted"


def test_of_tier_zero_an_approver_who_did_not_ask_must_say_yes(desk: Desk) -> None:
    desk.rotated(ZERO)
    for user in (OWNER, LEAD):
        assert desk.types(user, f"rollback-key {ZERO}") in ("key_rollback", "asked_already")
    (asked,) = desk.bus.events
    assert (asked.detail_type, asked.evidence["approvers"]) == (REQUESTED, [LEAD, SEC])
    held = {name: asked.evidence[name] for name in ("approval", "digest")}
    assert desk.clicks(OWNER, "approve", **held) == "own_request"
    assert desk.clicks(SEC, "approve", **held) == "granted"


def test_a_request_is_over_after_its_time_and_approves_nothing_then(desk: Desk) -> None:
    desk.types(ANYBODY, f"rollback-key {WORKLOAD}")
    held = {name: desk.bus.events[0].evidence[name] for name in ("approval", "digest")}
    desk.now += timedelta(hours=24)
    assert desk.does(click(LEAD, "approve", held, at=desk.now)) == "expired"
    assert desk.bus.kinds() == [REQUESTED]


def test_a_button_about_other_keys_does_nothing(desk: Desk) -> None:
    for value in ({"back": "c" * 64}, {"back": CURRENT, "goes": FORMER}, {"back": FORMER, "goes": "c" * 64}):
        assert desk.clicks(LEAD, "rollback-key", subject=WORKLOAD, **value) == "changed"
    assert "newest" in desk.said
    assert desk.bus.events == []
    assert desk.clicks(LEAD, "rollback-key", subject=WORKLOAD, back=FORMER) == "key_rollback"


def test_a_leaked_key_is_not_even_asked_about(desk: Desk) -> None:
    desk.rotated(exposed=True)
    assert desk.types(LEAD, f"rollback-key {WORKLOAD}") == "exposed"
    assert desk.bus.events == []


def test_a_leak_whose_cause_was_lifted_leaves_the_key_out_too(desk: Desk) -> None:
    desk.disabled("exposed")
    assert desk.types(LEAD, f"rollback-key {WORKLOAD}") == "exposed"


def test_what_the_ledger_forbids_is_told_at_once(desk: Desk) -> None:
    assert desk.types(LEAD, f"rollback-key {ZERO}") == "nothing_left"
    desk.disabled("runaway")
    assert desk.types(LEAD, f"rollback-key {WORKLOAD}") == "lineage_disabled"
    lineages = Lineages(desk.ledger)
    lineages.write(replace(lineages.get(WORKLOAD), rotation=Rotation("token", "due", NOW)))
    assert desk.types(LEAD, f"rollback-key {WORKLOAD}") == "rotation_in_hand"
    assert desk.bus.events == []


def test_a_workload_without_a_secret_or_an_approver_is_told_so(desk: Desk) -> None:
    assert desk.types(LEAD, "rollback-key prod-plain-agent") == "no_secret"
    assert desk.types(LEAD, "rollback-key prod-serch-agent") == "unknown"
    assert f"Did you mean '{WORKLOAD}'?" in desk.said
    bare = Desk(approvals=None)
    bare.rotated(ZERO)
    assert bare.types(OWNER, f"rollback-key {ZERO}") == "no_approvers"
    bare.rotated()
    assert bare.types(OWNER, f"rollback-key {WORKLOAD}") == "key_rollback"


def test_whoever_means_the_key_and_types_the_presets_command_is_told_the_right_one(desk: Desk) -> None:
    assert desk.types(LEAD, f"rollback {WORKLOAD}") == "unknown"
    assert f"/governor rollback-key {WORKLOAD}" in desk.said


def test_what_was_begun_is_about_the_same_keys_when_it_is_delivered_again(desk: Desk) -> None:
    desk.bus.broken = 1
    request = command(LEAD, f"rollback-key {WORKLOAD}")
    with pytest.raises(RuntimeError):
        desk.does(request)
    lineages = Lineages(desk.ledger)
    lineages.write(lineages.get(WORKLOAD).with_key(lineages.get(WORKLOAD).keys[0]))
    assert desk.does(request) == "key_rollback"
    assert [event.evidence["change"] for event in desk.bus.events] == [CHANGE]
