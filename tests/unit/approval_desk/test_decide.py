"""Who may do what, and what everybody else is told."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from governor.events import DetailType
from governor.keys.lineage import Lineage, LineageKey, Lineages
from governor.ledger import Put
from tests.unit.approval_desk.desk import (
    ANYBODY,
    LEAD,
    NOW,
    OWNER,
    POLICY,
    PRESET,
    SEC,
    WORKLOAD,
    Desk,
    click,
    command,
)

GRANTED, REQUESTED = DetailType.APPROVAL_GRANTED, DetailType.APPROVAL_REQUESTED


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_what_lay_about_for_longer_than_half_an_hour_is_not_done(desk: Desk) -> None:
    late = command(LEAD, f"disable {WORKLOAD}", at=NOW - timedelta(minutes=31))
    assert desk.does(late) == "stale"
    assert desk.bus.events == []


def test_a_vote_and_an_order_that_was_begun_are_done_however_late_they_come_back(desk: Desk) -> None:
    for request, rule in (
        (click(LEAD, "approve", desk.asked()), "in_hand"),
        (command(ANYBODY, f"disable {WORKLOAD}"), "disable"),
    ):
        desk.now, desk.bus.broken = NOW, 1
        with pytest.raises(RuntimeError):
            desk.does(request)
        desk.now += timedelta(hours=1)
        assert desk.does(request) == rule
    assert desk.bus.kinds() == [GRANTED] * 2


TIER_ZERO, UNDECLARED = "prod-plain-agent", "b" * 64


def test_one_person_disables_what_is_not_of_tier_zero(desk: Desk) -> None:
    for name in (WORKLOAD, UNDECLARED):
        assert desk.types(ANYBODY, f"disable {name}") == "disable"
    assert desk.bus.kinds() == [GRANTED] * 2
    assert desk.bus.events[0].evidence["approved_by"] == [ANYBODY]
    assert desk.bus.events[0].evidence["change"] == {"cause": "operator"}


@pytest.mark.parametrize(
    ("disable_by", "subject", "at_once", "asked"),
    [
        ("members", WORKLOAD, {ANYBODY, OWNER, LEAD}, set()),
        ("members", TIER_ZERO, {OWNER, LEAD}, {OWNER, LEAD, SEC}),
        ("members", UNDECLARED, {ANYBODY, OWNER, LEAD}, set()),
        ("owners", WORKLOAD, {OWNER, LEAD}, {OWNER, LEAD, SEC}),
        ("owners", TIER_ZERO, {OWNER, LEAD}, {OWNER, LEAD, SEC}),
        ("owners", UNDECLARED, {LEAD}, {LEAD, SEC}),
        ("approvers", WORKLOAD, {LEAD}, {LEAD, SEC}),
        ("approvers", TIER_ZERO, {LEAD}, {LEAD, SEC}),
        ("approvers", UNDECLARED, {LEAD}, {LEAD, SEC}),
    ],
)
def test_whoever_the_policy_lets_disables_at_once_and_others_ask_those(
    disable_by: str, subject: str, at_once: set[str], asked: set[str]
) -> None:
    for user, clicked in product((ANYBODY, OWNER, LEAD), (False, True)):
        desk = Desk(approvals=POLICY["approvals"] | {"disable_by": disable_by})
        if clicked:
            desk.clicks(user, "disable", subject=subject)
        else:
            desk.types(user, f"disable {subject}")
        (event,) = desk.bus.events
        assert (event.detail_type, event.subject) == (GRANTED if user in at_once else REQUESTED, subject)
        if user not in at_once:
            assert set(event.evidence["approvers"]) == asked
            held = {name: event.evidence[name] for name in ("approval", "digest")}
            assert desk.clicks(user, "approve", **held) == "own_request"
            assert desk.clicks("U0OTHER", "approve", **held) == "not_an_approver"
            assert desk.clicks(SEC, "approve", **held) == "granted"


def test_the_hash_of_a_tier_zero_key_is_no_way_round_its_tier(desk: Desk) -> None:
    key = LineageKey("c" * 64, f"{TIER_ZERO}#1", "current", NOW)
    Lineages(desk.ledger).write(Lineage(TIER_ZERO, (key,)))
    assert desk.types(ANYBODY, f"disable {'c' * 64}") == "disable"
    assert desk.bus.kinds() == [REQUESTED]
    assert desk.types(OWNER, f"disable {'c' * 64}") == "disable"
    assert desk.bus.kinds() == [REQUESTED, GRANTED]


def test_without_approvers_tier_zero_is_its_owners_to_disable() -> None:
    desk = Desk(approvals=None, presets=None)
    desk.types(ANYBODY, f"disable {TIER_ZERO}")
    assert desk.bus.events[-1].evidence["approvers"] == [OWNER]
    desk.types(OWNER, f"disable {TIER_ZERO}")
    desk.types(ANYBODY, f"disable {WORKLOAD}")
    assert desk.bus.kinds() == [REQUESTED, GRANTED, GRANTED]


def test_restoring_needs_an_approver_who_does_it_at_once(desk: Desk) -> None:
    desk.disabled("runaway")
    assert desk.types(LEAD, f"restore {WORKLOAD}") == "restore"
    (granted,) = desk.bus.events
    assert (granted.detail_type, granted.subject, granted.evidence["kind"]) == (GRANTED, WORKLOAD, "restore")
    assert granted.evidence["change"] == {"cause": "runaway", "trigger": "event-runaway"}


def test_anybody_elses_wish_to_restore_is_asked_once_and_an_approver_decides(desk: Desk) -> None:
    desk.disabled("runaway")
    assert desk.types(OWNER, f"restore {WORKLOAD}") == "restore"
    assert desk.types(ANYBODY, f"restore {WORKLOAD}") == "asked_already"
    (asked,) = desk.bus.events
    assert asked.detail_type == REQUESTED
    held = {name: asked.evidence[name] for name in ("approval", "digest")}
    assert desk.clicks(OWNER, "approve", **held) == "own_request"
    assert desk.clicks(ANYBODY, "approve", **held) == "not_an_approver"
    assert desk.clicks(SEC, "approve", **held) == "granted"
    assert desk.bus.kinds() == [REQUESTED, GRANTED]


def test_which_cause_is_lifted_must_be_clear(desk: Desk) -> None:
    assert desk.types(LEAD, f"restore {WORKLOAD}") == "not_standing"
    desk.disabled("runaway", "budget", "foreign")
    assert desk.types(LEAD, f"restore {WORKLOAD}") == "which_cause"
    assert "`budget`" in desk.said
    assert "`foreign`" not in desk.said
    assert desk.types(LEAD, f"restore {WORKLOAD} exposed") == "not_standing"
    assert desk.types(LEAD, f"restore {WORKLOAD} foreign") == "not_standing"
    assert desk.clicks(LEAD, "restore", subject=WORKLOAD, cause="budget") == "restore"
    assert desk.bus.events[-1].evidence["change"]["cause"] == "budget"


def test_expected_is_for_the_owner_or_an_approver_and_ends_after_four_hours(desk: Desk) -> None:
    assert desk.clicks(ANYBODY, "expected", subject=WORKLOAD) == "not_theirs"
    assert desk.ledger.get("detector", f"{WORKLOAD}#expected") is None
    for user in (OWNER, LEAD):
        assert desk.clicks(user, "expected", subject=WORKLOAD) == "expected"
        row = desk.ledger.get("detector", f"{WORKLOAD}#expected")
        assert row
        assert row.data == {"kind": "expected", "until": "2026-03-11T06:44:00Z", "by": user}
    assert desk.bus.kinds() == [DetailType.RUNAWAY_EXPECTED] * 2
    assert desk.bus.events[0].evidence["by"] == OWNER


def test_rotating_is_asked_for_where_there_is_a_secret(desk: Desk) -> None:
    assert desk.types(ANYBODY, f"rotate {WORKLOAD}") == DetailType.ROTATION_REQUESTED
    (event,) = desk.bus.events
    assert (event.subject, event.evidence) == (WORKLOAD, {"requested_by": ANYBODY})
    assert desk.types(ANYBODY, "rotate prod-plain-agent") == "no_secret"
    assert desk.types(ANYBODY, f"rotate {'b' * 64}") == "unknown"
    assert len(desk.bus.events) == 1


def test_promoting_is_asked_for_by_anybody_and_an_override_names_what_it_overrides(desk: Desk) -> None:
    desk.types(ANYBODY, f"promote {PRESET}")
    desk.clicks(ANYBODY, "override", preset=PRESET, promotion="p1")
    assert desk.bus.kinds() == [DetailType.PRESET_PROMOTION_REQUESTED] * 2
    plain, override = (event.evidence for event in desk.bus.events)
    assert plain == {"requested_by": ANYBODY, "loosen": False, "override_of": None}
    assert override["override_of"] == "p1"


@pytest.mark.parametrize(
    ("action", "value"),
    [
        ("rollback", {"promotion": "p1"}),
        ("revert", {"version": "7"}),
    ],
)
def test_an_approver_of_the_preset_acts_at_once_and_others_ask_as_many_as_it_needs(
    desk: Desk, action: str, value: dict[str, str]
) -> None:
    assert desk.clicks(LEAD, action, preset=PRESET, **value) == action
    assert desk.clicks(ANYBODY, action, preset=PRESET, **value) == action
    granted, asked = desk.bus.events
    assert (granted.detail_type, asked.detail_type) == (GRANTED, REQUESTED)
    assert granted.evidence["change"] == asked.evidence["change"] == value
    assert asked.evidence["needed"] == 2


ROWS: dict[str, dict[str, Any]] = {
    "adopt": {"edit": [7, "d", "user_fake_lead"]},
    "rollback": {"served": {"former": [7, "d", "user_fake_lead"], "former_approved": False}},
}


@pytest.mark.parametrize(("action", "value"), [("adopt", {"version": "7"}), ("rollback", {"promotion": "p1"})])
def test_an_edit_is_not_for_its_author_alone_and_another_approver_acts_at_once(
    action: str, value: dict[str, str]
) -> None:
    desk = Desk(people={LEAD: "user_fake_lead"})
    desk.ledger.commit(Put("preset", PRESET, ROWS[action]))
    assert desk.clicks(LEAD, action, preset=PRESET, **value) == "not_enough_approvers"
    assert "Let another approver click it." in desk.said
    assert desk.bus.events == []
    assert desk.clicks(SEC, action, preset=PRESET, **value) == action
    (granted,) = desk.bus.events
    assert (granted.detail_type, granted.evidence["author"], granted.evidence["needed"]) == (GRANTED, LEAD, 1)


@pytest.mark.parametrize(("action", "value"), [("adopt", {"version": "7"}), ("rollback", {"promotion": "p1"})])
def test_the_command_of_an_edits_author_is_asked_of_the_others_however_many_may_approve(
    action: str, value: dict[str, str]
) -> None:
    (preset,) = POLICY["presets"]
    desk = Desk(people={LEAD: "user_fake_lead"}, presets=[preset | {"approvers": [LEAD, SEC, "U0OPS"]}])
    desk.ledger.commit(Put("preset", PRESET, ROWS[action]))
    assert desk.clicks(LEAD, action, preset=PRESET, **value) == action
    assert desk.said.endswith("The approvers are asked in the channel.")
    assert desk.bus.kinds() == [REQUESTED]


@pytest.mark.parametrize(
    ("action", "value", "row"),
    [
        ("adopt", {"version": "7"}, None),
        ("adopt", {"version": "8"}, ROWS["adopt"]),
        ("rollback", {"promotion": "p1"}, ROWS["rollback"]),
    ],
)
def test_an_edit_of_nobody_knows_whom_takes_a_second_approver(
    desk: Desk, action: str, value: dict[str, str], row: dict[str, Any] | None
) -> None:
    if row:
        desk.ledger.commit(Put("preset", PRESET, row))
    assert desk.clicks(LEAD, action, preset=PRESET, **value) == action
    assert desk.said == "Your approval counts. 1 more needed: the approvers are asked in the channel."
    assert desk.clicks(SEC, action, preset=PRESET, **value) == "asked_already"
    asked, counted = desk.bus.events
    assert (asked.detail_type, counted.detail_type) == (REQUESTED, DetailType.APPROVAL_COUNTED)
    assert (counted.evidence["approved_by"], counted.evidence["needed"]) == ([LEAD], 2)
    held = {"approval": asked.evidence["approval"], "digest": asked.evidence["digest"]}
    assert desk.clicks(LEAD, "approve", **held) == "own_request"
    assert desk.clicks(SEC, "approve", **held) == "granted"
    assert desk.bus.events[-1].evidence["approved_by"] == [LEAD, SEC]


def test_a_drill_is_asked_for_even_by_an_approver(desk: Desk) -> None:
    assert desk.types(LEAD, "drill production anthropic") == "drill"
    (asked,) = desk.bus.events
    assert (asked.detail_type, asked.subject) == (REQUESTED, "production/anthropic")
    assert asked.evidence["change"] == {"workspace": "production", "provider": "anthropic"}
    assert desk.types(LEAD, "drill production openai") == "unknown"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("disable prod-serch-agent", "Did you mean `prod-search-agent`?"),
        ("rotate something-else-entirely", "The policy has no workload"),
        ("promote suport-triage", "Did you mean `support-triage`?"),
        ("drill production antropic", "Did you mean `production anthropic`?"),
        ("restor x", "Did you mean `/governor restore`?"),
        ("`*<!channel>*`", "`/governor help` lists them"),
        ("rotate", "Write `/governor rotate <workload>`."),
        ("restore a b c", "Write `/governor restore <workload> [<cause>]`."),
        ("status now", "Write `/governor status`."),
    ],
)
def test_what_is_not_understood_gets_a_hint(desk: Desk, text: str, hint: str) -> None:
    desk.types(ANYBODY, text)
    assert hint in desk.said
    assert desk.bus.events == []


@pytest.mark.parametrize("text", ["", "help", "HELP"])
def test_help_names_every_command(desk: Desk, text: str) -> None:
    desk.types(ANYBODY, text)
    for word in (
        "status",
        "keys",
        "rotate",
        "disable",
        "restore",
        "rollback-key",
        "promote",
        "rollback",
        "drill",
        "help",
    ):
        assert f"/governor {word}" in desk.said


def test_a_button_of_another_version_is_told_so(desk: Desk) -> None:
    assert desk.clicks(LEAD, "explode", subject=WORKLOAD) == "hint"
    assert desk.clicks(LEAD, "restore", subject=WORKLOAD) == "hint"


def test_without_approvers_nobody_is_asked_in_vain(desk: Desk) -> None:
    bare = Desk(approvals=None)
    bare.disabled("runaway")
    assert bare.types(LEAD, f"restore {WORKLOAD}") == "no_approvers"
    assert bare.types(LEAD, "drill production anthropic") == "no_approvers"
    assert bare.types(LEAD, f"disable {WORKLOAD}") == "disable"
