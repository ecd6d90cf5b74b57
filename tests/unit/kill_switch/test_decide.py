"""Each rule, and which goes before which."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from governor.events import DetailType, Event
from governor.events.evidence import Cause
from governor.keys.causes import CauseRow, Causes, Status
from governor.policy import Limits
from kill_switch.decide import Facts, decide
from kill_switch.lifting import RestoreFacts, decide_restore
from kill_switch.store import RecentDisables
from tests.unit.kill_switch.doubles import HASH, NOW, OTHER, THIRD, WORKLOAD, api_key


def event(id: str = "trigger", at: datetime = NOW) -> Event:
    return Event(DetailType.RUNAWAY_CONFIRMED, id, WORKLOAD, at, "It burns.", {})


def limits(mode: str = "disable") -> Limits:
    return Limits.model_validate(
        {"runaway": {"mode": mode}, "exposed": {"mode": "disable"}, "budget": {"disable_at": 1}}
    )


def row(cause: Cause = "runaway", status: Status = "disabled", *hashes: str, **fields: Any) -> CauseRow:
    known = CauseRow(WORKLOAD, cause, status, "earlier", hashes or (HASH,), NOW - timedelta(minutes=5), version=1)
    return replace(known, **fields)


def causes(*rows: CauseRow) -> Causes:
    return Causes({one.cause: one for one in rows})


def facts(**fields: Any) -> Facts:
    return replace(Facts(event(), "runaway", WORKLOAD, 1, limits(), (api_key(),)), **fields)


OFF = api_key(disabled=True)
FULL = RecentDisables(recent=tuple((NOW, f"prod-{n}") for n in range(3)))


def test_every_live_key_is_disabled_and_the_leash_spent() -> None:
    decision = decide(facts(keys=(api_key(), api_key(OTHER), api_key(THIRD, disabled=True))), NOW)
    assert (decision.action, decision.rule, decision.is_counted) == ("disable", "disable", True)
    assert decision.hashes == (HASH, OTHER)


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        ("stale", {"event": event(at=NOW - timedelta(minutes=15, seconds=1))}),
        ("stale", {"event": event(at=NOW + timedelta(minutes=6))}),
        ("superseded", {"causes": causes(row(status="lifted", lifted_at=NOW, lifted_by="U0LEAD"))}),
        ("not_found", {"keys": ()}),
        ("not_borne_out", {"contradiction": "the counter shows $0.00"}),
        ("mode_off", {"limits": limits("off")}),
        ("alert_mode", {"limits": limits("alert")}),
        ("tier_zero", {"tier": 0}),
        ("already_disabled", {"keys": (OFF,), "causes": causes(row())}),
        ("foreign", {"keys": (OFF,)}),
        ("foreign", {"keys": (OFF,), "causes": causes(row(status="lifted", lifted_at=NOW - timedelta(hours=1)))}),
        ("once_a_day", {"recent_disables": RecentDisables(today=True)}),
        ("account_leash", {"recent_disables": FULL}),
    ],
)
def test_a_rule_withholds_the_disable(rule: str, fields: dict[str, Any]) -> None:
    decision = decide(facts(**fields), NOW)
    assert (decision.action, decision.rule, decision.is_counted) == ("withhold", rule, False)
    assert decision.reason.endswith(".")


def test_an_approver_who_reports_a_leak_is_the_human_that_mode_tier_and_leash_would_ask() -> None:
    leaked: dict[str, Any] = {"cause": "exposed", "limits": limits("alert"), "tier": 0, "recent_disables": FULL}
    decision = decide(facts(**leaked, ordered_by="U0LEAD"), NOW)
    assert (decision.action, decision.rule, decision.is_counted) == ("disable", "disable", False)
    assert decide(facts(**leaked, ordered_by="U0LEAD", contradiction="no"), NOW).rule == "not_borne_out"


ORDER: Sequence[tuple[str, dict[str, Any]]] = (
    ("stale", {"event": event(at=NOW - timedelta(hours=1))}),
    ("superseded", {"causes": causes(row(status="lifted", lifted_at=NOW, lifted_by="U0LEAD"))}),
    ("not_borne_out", {"contradiction": "no"}),
    ("alert_mode", {"limits": limits("alert")}),
    ("tier_zero", {"tier": 0}),
    ("foreign", {"keys": (OFF,)}),
    ("once_a_day", {"recent_disables": RecentDisables(today=True, recent=FULL.recent)}),
)


@pytest.mark.parametrize("first", range(len(ORDER)))
def test_the_first_rule_of_the_documented_order_decides(first: int) -> None:
    fields: dict[str, Any] = {}
    for _, more in reversed(ORDER[first:]):
        fields |= more
    assert decide(facts(**fields), NOW).rule == ORDER[first][0]


def test_an_event_acted_on_is_told_again_however_late_it_comes() -> None:
    late = NOW + timedelta(days=1)
    decision = decide(facts(causes=causes(row(trigger="trigger")), keys=(OFF,), tier=0), late)
    assert (decision.action, decision.rule) == ("repeat", "in_hand")


def test_an_intent_of_the_same_event_is_carried_on_without_a_second_leash() -> None:
    begun = causes(row(status="disabling", trigger="trigger"))
    decision = decide(
        facts(causes=begun, recent_disables=RecentDisables(today=True, recent=FULL.recent)), NOW + timedelta(hours=2)
    )
    assert (decision.action, decision.is_counted) == ("disable", False)


def test_another_event_finishes_an_intent_that_was_left_half_way() -> None:
    decision = decide(facts(causes=causes(row(status="disabling")), keys=(OFF,)), NOW)
    assert (decision.action, decision.hashes, decision.is_counted) == ("disable", (HASH,), False)


def test_a_key_that_joins_the_lineage_while_a_cause_stands_is_disabled_without_the_leash() -> None:
    decision = decide(
        facts(causes=causes(row()), keys=(OFF, api_key(OTHER)), recent_disables=RecentDisables(today=True)), NOW
    )
    assert (decision.action, decision.hashes, decision.is_counted) == ("disable", (HASH, OTHER), False)


def test_a_second_cause_is_recorded_on_keys_that_are_held_already() -> None:
    decision = decide(facts(cause="exposed", causes=causes(row()), keys=(OFF,)), NOW)
    assert (decision.action, decision.rule, decision.hashes) == ("record", "already_disabled", (HASH,))


def test_a_foreign_key_beside_live_ones_is_not_taken_over() -> None:
    decision = decide(facts(keys=(api_key(OTHER), OFF)), NOW)
    assert decision.hashes == (OTHER,)


def test_a_key_in_quarantine_after_its_rotation_is_not_taken_over_either() -> None:
    decision = decide(facts(keys=(api_key(OTHER), OFF), causes=causes(row("rotation"))), NOW)
    assert (decision.hashes, decision.is_counted) == ((OTHER,), True)


def test_an_expired_key_is_not_live() -> None:
    decision = decide(facts(keys=(api_key(expires_at=NOW),)), NOW)
    assert (decision.action, decision.rule) == ("withhold", "already_disabled")


def test_a_leak_does_not_grow_stale_and_is_superseded_by_a_restore_of_itself_alone() -> None:
    old = facts(cause="exposed", event=event(at=NOW - timedelta(hours=5)))
    other = causes(row("runaway", "lifted", lifted_at=NOW, lifted_by="U0LEAD"))
    own = causes(row("exposed", "lifted", lifted_at=NOW, lifted_by="U0LEAD"))
    assert decide(replace(old, causes=other), NOW).action == "disable"
    assert decide(replace(old, causes=own), NOW).rule == "superseded"


def test_without_a_share_to_disable_at_no_budget_disables() -> None:
    assert decide(facts(cause="budget", limits=Limits()), NOW).rule == "mode_off"


def test_the_dry_run_says_what_would_have_been_done() -> None:
    decision = decide(facts(limits=limits("alert"), keys=(api_key(), api_key(OTHER))), NOW)
    assert "2 keys would be disabled" in decision.reason


def asked(cause: Cause = "runaway", **fields: Any) -> RestoreFacts:
    request = Event(DetailType.RESTORE_REQUESTED, "request", WORKLOAD, NOW, "", {})
    return replace(RestoreFacts(request, cause, "U0LEAD", ("U0LEAD",), causes(row())), **fields)


@pytest.mark.parametrize(
    ("action", "rule", "given"),
    [
        ("restore", "restore", asked()),
        ("refuse", "not_an_approver", asked(requested_by="U0STRANGER")),
        ("refuse", "not_ours", asked("foreign")),
        ("refuse", "not_ours", asked("rotation", causes=causes(row("rotation")))),
        ("refuse", "not_standing", asked("budget")),
        ("refuse", "not_standing", asked(causes=causes(row(status="lifted", lift="other", lifted_by="U0SEC")))),
        ("refuse", "newer_cause", asked(causes=causes(row(at=NOW + timedelta(seconds=1))))),
        ("lift", "other_cause_stands", asked(causes=causes(row(), row("exposed")))),
        ("restore", "restore", asked(causes=causes(row(), row("rotation")))),
        ("restore", "restore", asked(causes=causes(row(status="lifting", lift="other", lifted_by="U0SEC")))),
        ("restore", "restore", asked(causes=causes(row(status="lifting", lift="request")))),
        ("repeat", "in_hand", asked(causes=causes(row(status="lifted", lift="request")))),
    ],
)
def test_a_request_to_restore_meets_its_rule(action: str, rule: str, given: RestoreFacts) -> None:
    decision = decide_restore(given)
    assert (decision.action, decision.rule) == (action, rule)
