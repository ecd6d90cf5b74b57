"""What is disabled, remembered and told, whatever the events' number and order."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from governor.clock import parse_instant
from governor.events import BadEvent, DetailType, PublishFailed
from governor.ledger import ABSENT, LedgerConflict, Put
from governor.policy import Limits
from kill_switch.settings import DisableRequest, received
from management_api import (
    AuthenticationFailed,
    OpenRouterError,
    OutcomeUnknown,
    RateLimited,
    ReadForbidden,
    Unavailable,
    WriteForbidden,
)
from tests.unit.kill_switch.doubles import (
    HASH,
    NOW,
    OTHER,
    POLICY,
    THIRD,
    WORKLOAD,
    World,
    api_key,
    budget,
    exposed,
    reading,
    restore,
    runaway,
)


def test_a_runaway_disables_every_live_key_of_the_lineage_and_no_other() -> None:
    world = World(api_key(), api_key(OTHER, f"{WORKLOAD}#2026-03", spent=1), api_key(THIRD, "prod-search-agent-2"))
    told = world.receive(runaway())
    assert world.account.disabled() == {HASH, OTHER}
    assert (told.detail_type, told.subject) == (DetailType.KEY_DISABLED, WORKLOAD)
    assert [key["state"] for key in told.evidence["keys"]] == ["disabled", "disabled"]
    assert told.evidence["spend_by_minute"] == [0.0, 8.3, 8.4, 8.3]


def test_the_dollars_until_morning_are_the_rate_until_eight_utc() -> None:
    told = World().receive(runaway(rate=500))
    assert told.evidence["by_morning_usd"] == pytest.approx(500 * (5 + 46 / 60), abs=0.01)


def test_the_same_event_again_is_told_again_and_changes_nothing() -> None:
    world = World()
    first = world.receive(runaway())
    rows = world.ledger.rows("leash"), world.ledger.rows(f"subject#{WORKLOAD}")
    world.now += timedelta(minutes=40)
    again = world.receive(runaway())
    assert again.detail() == replace(first, occurred_at=again.occurred_at).detail()
    assert (world.ledger.rows("leash"), world.ledger.rows(f"subject#{WORKLOAD}")) == rows


def test_another_event_of_the_incident_spends_nothing_and_is_withheld() -> None:
    world = World()
    world.receive(runaway())
    before = world.ledger.rows("leash")
    told = world.receive(runaway(id="trigger-2"))
    assert (told.detail_type, told.evidence["rule"]) == (DetailType.DISABLE_WITHHELD, "already_disabled")
    assert told.evidence["keys"][0]["state"] == "disabled"
    assert world.ledger.rows("leash") == before


def test_a_key_rotated_in_during_a_runaway_does_not_revive_it() -> None:
    world = World()
    first = world.receive(runaway())
    world.account.held[OTHER] = api_key(OTHER, f"{WORKLOAD}#2", spent=80)
    claim = runaway(WORKLOAD, reading(OTHER, counted=80, window_start=20), id="trigger-2")
    second = world.receive(claim)
    assert world.account.disabled() == {HASH, OTHER}
    assert second.detail_type == DetailType.KEY_DISABLED
    assert second.id != first.id


def test_a_lost_answer_is_read_back_before_anything_is_told() -> None:
    world = World()

    def lose(hash: str) -> None:
        raise OutcomeUnknown("lost")

    world.account.after_update = lose
    assert world.receive(runaway()).detail_type == DetailType.KEY_DISABLED
    assert world.account.disabled() == {HASH}


def test_a_patch_that_did_not_take_is_never_told_as_done_and_the_retry_finishes_it() -> None:
    world = World()

    def lose(hash: str) -> None:
        raise OutcomeUnknown("lost")

    world.account.on_update = lose
    with pytest.raises(OutcomeUnknown):
        world.receive(runaway())
    assert world.bus.events == []
    world.account.on_update = lambda _: None
    assert world.receive(runaway()).detail_type == DetailType.KEY_DISABLED
    assert len(world.ledger.rows("leash")[0].data["recent"]) == 1


def test_one_keys_failure_does_not_spare_the_others() -> None:
    world = World(api_key(), api_key(OTHER, spent=1))

    def refuse(hash: str) -> None:
        if hash == HASH:
            raise RateLimited("slow down")

    world.account.on_update = refuse
    with pytest.raises(RateLimited):
        world.receive(runaway())
    assert world.account.disabled() == {OTHER}


def test_what_the_bus_refused_is_published_by_the_retry_under_the_same_id() -> None:
    world = World()
    world.bus.fails = PublishFailed("no")
    with pytest.raises(PublishFailed):
        world.receive(runaway())
    world.bus.fails = None
    told = world.receive(runaway())
    assert (told.detail_type, len(world.bus.events)) == (DetailType.KEY_DISABLED, 1)


def test_a_dry_run_tells_everything_and_touches_nothing() -> None:
    world = World(api_key(name="prod-dry"))
    world.account.rows = {"model": [{"model": "anthropic/claude-opus-5", "total_usage": "55.5"}]}
    told = world.receive(runaway("prod-dry", reading(name="prod-dry")))
    assert (told.detail_type, told.evidence["rule"]) == (DetailType.DISABLE_WITHHELD, "alert_mode")
    assert told.evidence["top_models"] == [["anthropic/claude-opus-5", 55.5]]
    assert told.evidence["keys"][0]["state"] == "enabled"
    assert world.account.disabled() == set()
    assert world.ledger.rows("leash") == []


def test_analytics_that_fails_is_named_in_the_evidence_and_stops_nothing() -> None:
    world = World()
    world.account.analytics_error = Unavailable("down")
    told = world.receive(runaway())
    assert told.detail_type == DetailType.KEY_DISABLED
    assert told.evidence["missing"] == ["top_models and top_apps: Unavailable from analytics"]


def test_rankings_that_leave_a_key_out_are_not_shown_as_all_there_was() -> None:
    world = World()
    world.account.analytics_warnings = ["api_key_id ... could not be resolved"]
    told = world.receive(runaway())
    assert (told.evidence["top_models"], told.evidence["top_apps"]) == ([], [])
    assert told.evidence["missing"] == ["top_models and top_apps: ValueError from analytics"]


def test_analytics_is_asked_after_the_keys_are_disabled() -> None:
    world = World()
    seen: list[set[str]] = []
    world.account.on_query = lambda: seen.append(world.account.disabled())
    world.receive(runaway())
    assert seen[0] == {HASH}


def test_a_forged_runaway_on_a_quiet_key_is_withheld() -> None:
    world = World(api_key(usage_daily=0.0, usage_weekly=0.0, usage_monthly=0.0))
    told = world.receive(runaway())
    assert told.evidence["rule"] == "not_borne_out"
    assert world.account.disabled() == set()


def test_the_workloads_second_disable_of_a_day_is_withheld_and_of_the_next_day_is_not() -> None:
    world = World()
    world.receive(runaway())
    world.now += timedelta(minutes=30)
    world.receive(restore())
    world.now += timedelta(minutes=30)
    assert world.receive(runaway(id="trigger-2", at=world.now)).evidence["rule"] == "once_a_day"
    world.now += timedelta(days=1)
    assert world.receive(runaway(id="trigger-3", at=world.now)).detail_type == DetailType.KEY_DISABLED


def four_workloads() -> World:
    names = (WORKLOAD, "prod-billing", "prod-chat", "prod-mail")
    return World(*(api_key(f"{n:x}" * 64, name) for n, name in enumerate(names)))


def claim_of(world: World, hash: str) -> dict[str, Any]:
    name = world.account.held[hash].name
    return runaway(name, reading(hash, name), id=f"trigger-{name}", at=world.now)


def test_the_fourth_disable_in_fifteen_minutes_stops_the_kill_switch() -> None:
    world = four_workloads()
    rules = [world.receive(claim_of(world, hash)).evidence["rule"] for hash in world.account.held]
    assert rules == ["disable", "disable", "disable", "account_leash"]
    assert "needs a human now" in world.bus.last.reason
    world.now += timedelta(minutes=15)
    assert world.receive(claim_of(world, "3" * 64)).detail_type == DetailType.KEY_DISABLED


def test_two_beside_each_other_do_not_pass_the_leash_together() -> None:
    world = four_workloads()
    hashes = list(world.account.held)
    for hash in hashes[:2]:
        world.receive(claim_of(world, hash))
    nested = [hashes[3]]
    # While the third has read the account and not yet written, the fourth runs whole.
    world.account.on_list = lambda: world.receive(claim_of(world, nested.pop())) if nested else None
    rules = {world.receive(claim_of(world, hashes[2])).evidence["rule"], world.bus.events[-2].evidence["rule"]}
    assert rules == {"disable", "account_leash"}
    assert len(world.account.disabled()) == 3


def test_a_copy_that_runs_in_between_does_the_work_once() -> None:
    world = World()
    nested = [runaway()]
    world.account.on_update = lambda _: world.receive(nested.pop()) if nested else None
    world.receive(runaway())
    assert len({event.id for event in world.bus.events}) == 1
    assert len(world.ledger.rows("leash")[0].data["recent"]) == 1


def test_a_key_somebody_disabled_is_foreign_and_shown() -> None:
    world = World(api_key(), api_key(OTHER, disabled=True))
    told = world.receive(runaway())
    assert {key["hash"]: key["state"] for key in told.evidence["keys"]} == {HASH: "disabled", OTHER: "foreign"}
    assert world.store.causes(WORKLOAD).rows["runaway"].hashes == (HASH,)


def test_an_exposed_key_named_by_its_hash_is_judged_as_its_workloads_and_the_others_live_on() -> None:
    world = World(api_key(), api_key(OTHER, f"{WORKLOAD}#2"))
    told = world.receive(exposed(OTHER))
    assert told.subject == WORKLOAD
    assert world.account.disabled() == {OTHER}


def test_tier_zero_is_not_passed_by_naming_the_hash() -> None:
    world = World(api_key(name="prod-triage"))
    assert world.receive(exposed(HASH)).evidence["rule"] == "tier_zero"


def test_an_approvers_word_that_a_tier_zero_key_leaked_is_enough_and_a_strangers_is_a_report() -> None:
    world = World(api_key(name="prod-triage"))
    assert world.receive(exposed(HASH, requested_by="U0INTERN")).evidence["rule"] == "tier_zero"
    told = world.receive(exposed(HASH, id="leak-2", requested_by="U0LEAD"))
    assert (told.detail_type, world.account.disabled()) == (DetailType.KEY_DISABLED, {HASH})


def test_a_renamed_workspace_or_a_moved_key_does_not_lift_tier_zero() -> None:
    bold = POLICY.model_copy(update={"defaults": Limits.model_validate({"runaway": {"mode": "disable"}})})
    moved = api_key(name="prod-triage#2", workspace_id="22222222-2222-4222-8222-222222222222")
    world = World(moved, policy=bold)
    told = world.receive(runaway(HASH))
    assert (told.evidence["rule"], world.account.disabled()) == ("tier_zero", set())


def test_an_undeclared_key_follows_the_defaults() -> None:
    world = World(api_key(name="somebody's key"))
    assert world.receive(exposed(HASH)).evidence["rule"] == "alert_mode"


def test_a_leak_of_keys_that_a_runaway_holds_is_recorded_as_a_second_cause() -> None:
    world = World()
    world.receive(runaway())
    told = world.receive(exposed())
    assert (told.detail_type, told.evidence["rule"]) == (DetailType.DISABLE_WITHHELD, "already_disabled")
    assert {row.cause for row in world.store.causes(WORKLOAD).standing()} == {"runaway", "exposed"}
    assert world.receive(exposed()).id == told.id


def test_a_budget_disables_at_its_share_only_while_it_is_reached() -> None:
    spent = World(api_key(limit=100.0, limit_remaining=0.0, limit_reset="monthly"))
    assert spent.receive(budget()).detail_type == DetailType.KEY_DISABLED
    reset = World(api_key(limit=100.0, limit_remaining=100.0, limit_reset="monthly"))
    assert reset.receive(budget()).evidence["rule"] == "not_borne_out"


def test_a_key_that_is_gone_is_told_as_gone() -> None:
    world = World(api_key(), api_key(OTHER, spent=1))
    world.account.on_update = lambda hash: world.account.held.pop(OTHER, None)
    told = world.receive(runaway())
    assert {key["hash"]: key["state"] for key in told.evidence["keys"]} == {HASH: "disabled", OTHER: "gone"}


def test_a_subject_that_is_gone_is_withheld() -> None:
    assert World().receive(exposed("f" * 64)).evidence["rule"] == "not_found"


def test_a_subject_that_is_nothing_is_a_bad_event() -> None:
    with pytest.raises(BadEvent, match="neither a declared workload nor a key's"):
        World().receive(exposed("prod-unheard-of"))


def test_a_refused_management_key_is_read_again_once() -> None:
    world = World()
    errors = [AuthenticationFailed("old key")]

    def refuse_once() -> None:
        if errors:
            raise errors.pop()

    world.account.on_list = refuse_once
    assert world.receive(runaway()).detail_type == DetailType.KEY_DISABLED
    assert world.connects == [False, True]


def test_a_management_key_that_stays_refused_fails_the_invocation() -> None:
    world = World()

    def refuse() -> None:
        raise AuthenticationFailed("inference key")

    world.account.on_list = refuse
    with pytest.raises(AuthenticationFailed):
        world.receive(runaway())


def test_a_ledger_that_never_holds_still_fails_the_invocation(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()

    def conflict(*writes: object) -> None:
        raise LedgerConflict("again")

    monkeypatch.setattr(world.ledger, "commit", conflict)
    with pytest.raises(LedgerConflict):
        world.receive(runaway())
    assert world.account.disabled() == set()


def test_no_row_event_or_line_holds_more_of_a_key_than_its_hash() -> None:
    world = World(api_key(label="sk-or-v1-fake...abc"))
    world.receive(runaway())
    rows = [row.data for pk in ("leash", f"subject#{WORKLOAD}") for row in world.ledger.rows(pk)]
    assert not re.search("sk-or", repr((rows, [event.detail() for event in world.bus.events], world.log.lines)))


def test_a_demand_is_what_its_event_says() -> None:
    request = received(runaway())
    assert isinstance(request, DisableRequest)
    assert (request.cause, request.event.occurred_at) == ("runaway", NOW)


def test_a_key_made_since_a_leak_has_not_leaked() -> None:
    fresh = api_key(OTHER, f"{WORKLOAD}#2", created_at=NOW + timedelta(minutes=1))
    world = World(api_key(disabled=True), fresh)
    world.receive(exposed(WORKLOAD))
    assert world.account.disabled() == {HASH}


@pytest.mark.parametrize(
    ("at", "error"),
    [
        ("on_list", ReadForbidden("an IP allowlist may refuse this address", status=403)),
        ("on_update", WriteForbidden("the management key may be read-only", status=403)),
        ("on_list", AuthenticationFailed("the management key was deleted", status=401)),
    ],
)
def test_people_are_told_at_once_when_openrouter_does_not_let_the_key_be_disabled(
    at: str, error: OpenRouterError
) -> None:
    """Red before: nothing but a dead letter said that a runaway could not be stopped."""
    world = World()

    def refuse(*_: str) -> None:
        raise error

    setattr(world.account, at, refuse)
    for _ in range(2):
        with pytest.raises(type(error)):
            world.receive(runaway())
    told = {event.id: event for event in world.bus.events}
    (event,) = told.values()
    assert (event.detail_type, event.evidence["rule"]) == (DetailType.DISABLE_WITHHELD, "openrouter_forbids")
    assert str(error) in event.reason
    assert "by hand" in event.reason
    setattr(world.account, at, lambda *_: None)
    assert world.receive(runaway()).detail_type == DetailType.KEY_DISABLED


def due(world: World, cause: str, subject: str = WORKLOAD) -> dict[str, Any] | None:
    row = world.ledger.get("detector", f"{subject}#due#{cause}")
    return dict(row.data) if row else None


def test_a_claim_that_the_counters_contradict_is_asked_again_at_once_and_then_less_often() -> None:
    world = World(api_key(spent=1))
    waits = []
    for number in range(5):
        told = world.receive(runaway(id=f"trigger-{number}", at=world.now))
        assert told.evidence["rule"] == "not_borne_out"
        assert "asks again" in told.reason
        row = due(world, "runaway")
        assert row
        assert row["trigger"] == f"trigger-{number}"
        waits.append(parse_instant(row["again_at"]) - world.now)
        world.now += timedelta(minutes=1)
    assert [wait / timedelta(minutes=1) for wait in waits] == [0, 0, 5, 15, 15]


def test_a_budgets_disable_that_the_days_leash_withholds_is_due_the_next_day() -> None:
    world = World(api_key(limit=100.0, limit_remaining=0.0, limit_reset="monthly"))
    world.ledger.commit(Put(f"leash#{NOW:%Y-%m-%d}", WORKLOAD, {"trigger": "x"}, ABSENT))
    told = world.receive(budget())
    assert told.evidence["rule"] == "once_a_day"
    row = due(world, "budget")
    assert row
    tomorrow = (NOW + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert parse_instant(row["again_at"]) == tomorrow
    assert f"from {tomorrow:%Y-%m-%d} 00:00 UTC on" in told.reason
    assert world.receive(budget()).detail() == told.detail()


def test_a_disable_that_the_accounts_leash_withholds_is_due_when_the_leash_frees() -> None:
    world = four_workloads()
    for hash in world.account.held:
        world.receive(claim_of(world, hash))
    row = due(world, "runaway", "prod-mail")
    assert row
    assert parse_instant(row["again_at"]) == NOW + timedelta(minutes=15)
