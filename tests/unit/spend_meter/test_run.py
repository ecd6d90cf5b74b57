"""Whole runs, over an account and stores in memory."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from governor.events import PublishFailed
from governor.ledger import Put
from management_api import AuthenticationFailed
from spend_meter.codec import Codec
from spend_meter.service import AccountUnreadable
from spend_meter.settings import Tick


def test_a_key_met_for_the_first_time_has_spent_nothing_this_minute(world: Any) -> None:
    old = world.account.add("old")
    world.account.spend(old, 500)

    report = world.tick()

    assert report.outcome == "metered"
    assert report.keys_read == 1
    assert report.spend_usd == 0


def test_spend_is_what_the_counter_grew_by(world: Any) -> None:
    one = world.account.add("one")
    world.account.spend(one, 500)
    world.tick()

    world.account.spend(one, 1.25)

    assert world.tick().spend_usd == pytest.approx(1.25)
    assert world.tick().spend_usd == 0


def test_a_new_container_goes_on_where_the_old_one_stopped(world: Any) -> None:
    one = world.account.add("one")
    world.tick()
    world.account.spend(one, 2)
    world.restart()

    assert world.tick().spend_usd == pytest.approx(2)


def test_a_run_delivered_twice_is_metered_once(world: Any) -> None:
    one = world.account.add("one")
    world.tick()
    world.account.spend(one, 2)
    world.tick()
    stored = world.stored()
    world.account.spend(one, 3)

    assert world.tick(at=world.at).outcome == "repeated"
    assert world.stored() == stored


def test_a_run_that_comes_late_changes_nothing(world: Any) -> None:
    world.account.add("one")
    late = world.at
    world.tick()
    world.tick()
    stored = world.stored()

    assert world.tick(at=late, received=world.at).outcome == "repeated"
    assert world.stored() == stored


def test_of_two_sweeps_at_once_the_second_changes_and_publishes_nothing(world: Any) -> None:
    one = world.account.add("one", limit=1.0, limit_remaining=1.0, limit_reset="monthly")
    world.tick()
    world.account.spend(one, 0.85)
    other = world.meter()
    other.tick(_next(world), _interrupting(world))

    assert len(world.bus.handed_over) == 1
    assert world.bus.events.keys() == {world.bus.handed_over[0].id}
    assert world.tick(minutes=2).spend_usd == 0


def _next(world: Any) -> Tick:
    at = world.at + timedelta(minutes=1)
    return Tick(at, at)


def _interrupting(world: Any) -> Any:
    """A clock that lets the other sweep of the same minute run, whole, while this one reads."""
    done: list[bool] = []

    def seconds_left() -> float:
        if not done:
            done.append(True)
            assert world.meter().tick(_next(world), lambda: 55.0).outcome == "metered"
        return 55.0

    return seconds_left


def test_events_not_published_are_published_by_the_next_run_under_the_same_ids(world: Any) -> None:
    one = world.account.add("one", limit=1.0, limit_remaining=1.0, limit_reset="monthly")
    world.tick()
    world.account.spend(one, 0.85)
    world.bus.down = True
    with pytest.raises(PublishFailed):
        world.tick()
    (kept,) = Codec().decode(world.stored()).outbox
    world.bus.down = False
    world.restart()

    world.tick()

    assert [event.id for event in world.bus.handed_over] == [kept.id]
    assert Codec().decode(world.stored()).outbox == ()
    world.tick()
    assert len(world.bus.handed_over) == 1


def test_a_repeated_run_publishes_what_the_first_one_could_not(world: Any) -> None:
    one = world.account.add("one", limit=1.0, limit_remaining=1.0, limit_reset="monthly")
    world.tick()
    world.account.spend(one, 0.85)
    world.bus.down = True
    with pytest.raises(PublishFailed):
        world.tick()
    world.bus.down = False

    assert world.tick(at=world.at).outcome == "repeated"
    assert len(world.bus.handed_over) == 1


def test_a_stored_reading_nobody_can_read_is_set_aside_told_and_started_anew(world: Any) -> None:
    one = world.account.add("one")
    world.tick()
    world.store.put(b"governor reading 9\n", world.store.stored.etag)
    world.restart()

    assert world.tick().outcome == "metered"

    (told,) = world.bus.of("Monitor Blind")
    ((place, content),) = world.store.aside.items()
    assert content == b"governor reading 9\n"
    assert place in told.reason
    world.account.spend(one, 2)
    assert world.tick().spend_usd == pytest.approx(2)
    assert len(world.bus.of("Monitor Blind")) == 1


def test_a_damaged_workspace_costs_its_own_history_only(world: Any) -> None:
    world.account.workspaces["ws-2"] = "other"
    one, two = world.account.add("one"), world.account.add("two", workspace="ws-2")
    for hash in (one, two):
        world.account.spend(hash, 5)
    world.tick()
    state = Codec().decode(world.stored())
    broken = replace(state, keys={**state.keys, "ws-2": {"a\nb": next(iter(state.keys["ws-2"].values()))}})
    world.store.put(Codec().encode(broken), world.store.stored.etag)
    world.restart()
    for hash in (one, two):
        world.account.spend(hash, 1)

    assert world.tick().spend_usd == pytest.approx(1)

    (told,) = world.bus.of("Monitor Blind")
    assert "Lost: the counters of workspace ws-2" in told.reason
    for hash in (one, two):
        world.account.spend(hash, 1)
    assert world.tick().spend_usd == pytest.approx(2)


def test_a_management_key_that_was_just_replaced_is_fetched_afresh(world: Any) -> None:
    world.account.add("one")
    world.secrets.stale = {"management": "sk-or-v1-fake-old"}
    world.account.failing = lambda request: 401 if "old" in request.headers["authorization"] else None

    assert world.tick().keys_read == 1


def test_an_inference_key_for_a_management_key_is_one_error_that_names_the_fix(world: Any) -> None:
    world.account.failing = lambda request: 401

    report = world.tick()

    assert isinstance(report.failure, AuthenticationFailed)
    assert "management key" in str(report.failure)
    assert "fake" not in str(report.failure)
    assert [event.evidence["scope"] for event in world.bus.of("Monitor Blind")] == ["account"]


def test_an_account_of_which_nothing_can_be_read_is_a_failure_once_it_is_recorded(world: Any) -> None:
    world.account.add("one")
    world.tick()
    world.account.failing = lambda request: 503

    report = world.tick()

    assert isinstance(report.failure, AccountUnreadable)
    assert report.oldest_reading_seconds == 60
    assert Codec().decode(world.stored()).tick == world.at.timestamp() // 60


def test_one_unknown_workspace_is_told_in_the_report_and_is_no_failure(world: Any) -> None:
    world.account.workspaces["ws-2"] = "other"
    one, two = world.account.add("one"), world.account.add("two", workspace="ws-2")
    world.tick()
    world.account.spend(one, 1)
    world.account.spend(two, 2)
    world.account.failing = lambda request: 500 if request.url.params.get("workspace_id") == "ws-2" else None

    report = world.tick()

    assert report.failure is None
    assert (report.unknown_workspaces, report.keys_read) == (1, 1)
    assert report.spend_usd == pytest.approx(1)
    world.account.failing = lambda request: None
    assert world.tick().spend_usd == pytest.approx(2)


def test_a_five_hundred_dollar_an_hour_loop_is_confirmed_in_four_minutes(world: Any) -> None:
    one = world.account.add("loop")
    world.tick()
    world.accustom(one)

    world.burn(one, 500, minutes=4)

    (confirmed,) = world.bus.of("Runaway Confirmed")
    assert confirmed.subject == one
    assert len(confirmed.evidence["spend_by_minute"]) == 60
    (key,) = confirmed.evidence["keys"]
    assert key["counted_usd"] - key["window_start_usd"] == pytest.approx(confirmed.evidence["spent_usd"], abs=1e-3)


def test_a_runaway_is_told_once_again_every_quarter_of_an_hour_and_ended_once(world: Any) -> None:
    one = world.account.add("loop")
    world.tick()
    world.accustom(one)
    world.burn(one, 500, minutes=40)
    for _ in range(30):
        world.tick()

    assert len(world.bus.of("Runaway Suspected")) <= 1
    assert len(world.bus.of("Runaway Confirmed")) == 3
    assert len(world.bus.of("Runaway Ended")) == 1
    assert len(world.bus.handed_over) == len(world.bus.events)


def test_a_runaway_in_a_workspace_that_cannot_be_read_is_not_ended(world: Any) -> None:
    world.account.workspaces["ws-2"] = "other"
    one = world.account.add("loop", workspace="ws-2")
    world.account.add("other")
    world.tick()
    world.accustom(one)
    world.burn(one, 500, minutes=6)
    world.account.failing = lambda request: 500 if request.url.params.get("workspace_id") == "ws-2" else None

    for _ in range(20):
        world.tick()

    assert world.bus.of("Runaway Ended") == []


def test_a_cold_key_is_never_confirmed(world: Any) -> None:
    world.account.add("old")
    world.tick()
    fresh = world.account.add("new", made=world.at + timedelta(seconds=30))

    world.burn(fresh, 1000, minutes=30)

    assert world.bus.of("Runaway Suspected")
    assert world.bus.of("Runaway Confirmed") == []


def test_a_detector_turned_off_is_silent(world: Any) -> None:
    world.with_policy(defaults={"runaway": {"mode": "off"}})
    one = world.account.add("loop")
    world.tick()
    world.accustom(one)

    world.burn(one, 500, minutes=10)

    assert world.bus.of("Runaway Suspected", "Runaway Confirmed") == []


WORKLOAD = {
    "name": "prod-agent",
    "workspace": "platform",
    "owner": {"slack": "U0AGENT"},
    "secret": "openrouter/prod/agent",
    "key": {"include_byok_in_limit": True},
}


def test_spend_is_summed_over_a_workloads_lineage(world: Any) -> None:
    world.with_policy(workloads=[WORKLOAD])
    old, new = world.account.add("prod-agent#1"), world.account.add("prod-agent#2")
    world.tick()
    world.account.spend(old, 1)
    world.account.spend(new, 2, kind="byok_usage")

    report = world.tick()

    assert report.top_spenders == [("prod-agent", pytest.approx(3))]


def test_the_same_name_in_another_workspace_is_another_subject(world: Any) -> None:
    world.with_policy(workloads=[WORKLOAD])
    world.account.workspaces["ws-2"] = "other"
    stranger = world.account.add("prod-agent", workspace="ws-2")
    world.tick()
    world.account.spend(stranger, 1)

    assert world.tick().top_spenders == [(stranger, pytest.approx(1))]


def test_a_lineages_evidence_claims_of_no_key_more_than_its_counters_show(world: Any) -> None:
    world.with_policy(workloads=[WORKLOAD])
    old, new = world.account.add("prod-agent#1"), world.account.add("prod-agent#2")
    world.tick()
    world.accustom(old)
    world.account.spend(old, 3)
    world.burn(new, 500, minutes=5)

    (confirmed,) = world.bus.of("Runaway Confirmed")

    keys = {key["hash"]: key for key in confirmed.evidence["keys"]}
    assert keys.keys() == {old, new}
    claimed = {hash: key["counted_usd"] - key["window_start_usd"] for hash, key in keys.items()}
    assert all(claimed[hash] <= world.account.keys[hash]["usage_daily"] + 1e-6 for hash in keys)
    assert sum(claimed.values()) == pytest.approx(confirmed.evidence["spent_usd"], abs=1e-3)


def test_a_restore_starts_the_detector_afresh_once(world: Any) -> None:
    one = world.account.add("loop")
    world.tick()
    world.accustom(one)
    world.burn(one, 500, minutes=5)
    at = (world.at + timedelta(seconds=30)).isoformat()
    world.ledger.commit(Put("detector", one, {"kind": "rebaseline", "at": at}))

    world.tick()

    (ended,) = world.bus.of("Runaway Ended")
    assert "Restored" in ended.reason
    told = len(world.bus.events)
    for _ in range(15):
        world.account.spend(one, 0.01)
        world.tick()
    assert len(world.bus.events) == told
    world.burn(one, 500, minutes=5)
    assert len(world.bus.of("Runaway Confirmed")) == 2


def test_spend_that_a_human_expects_is_metered_and_not_judged_until_then(world: Any) -> None:
    one = world.account.add("loop")
    world.tick()
    world.accustom(one)
    until = (world.at + timedelta(minutes=20)).isoformat()
    world.ledger.commit(Put("detector", f"{one}#expected", {"kind": "expected", "until": until, "by": "U0OWNER"}))

    world.burn(one, 500, minutes=15)
    assert world.bus.of("Runaway Suspected", "Runaway Confirmed") == []

    world.burn(one, 5_000, minutes=20)
    assert world.bus.of("Runaway Confirmed")


def test_a_disabled_job_that_a_person_expected_and_restored_is_not_confirmed_again_for_the_same(world: Any) -> None:
    one = world.account.add("job")
    world.tick()
    world.accustom(one)
    world.burn(one, 500, minutes=20)
    before = len(world.bus.of("Runaway Confirmed"))
    assert before
    for _ in range(15):
        world.tick()  # its key is disabled: nothing is spent

    until = (world.at + timedelta(hours=4)).isoformat()
    world.ledger.commit(Put("detector", f"{one}#expected", {"kind": "expected", "until": until, "by": "U0OWNER"}))
    world.tick()
    world.ledger.commit(Put("detector", one, {"kind": "rebaseline", "at": world.at.isoformat()}))
    world.tick(minutes=5 * 60)
    world.burn(one, 500, minutes=20)
    assert len(world.bus.of("Runaway Confirmed")) == before

    world.burn(one, 500, minutes=40)
    assert len(world.bus.of("Runaway Confirmed")) > before, "what goes on for much longer than was meant is a loop"


def test_what_is_expected_of_one_is_not_expected_of_another(world: Any) -> None:
    one, other = world.account.add("loop"), world.account.add("other")
    world.tick()
    world.accustom(one)
    until = (world.at + timedelta(hours=4)).isoformat()
    world.ledger.commit(Put("detector", f"{other}#expected", {"kind": "expected", "until": until, "by": "U0OWNER"}))

    world.burn(one, 500, minutes=4)

    assert len(world.bus.of("Runaway Confirmed")) == 1


def test_a_workloads_own_key_tells_what_blocks_it_first(world: Any) -> None:
    world.with_policy(workloads=[WORKLOAD])
    world.secrets.values["openrouter/prod/agent"] = "sk-or-v1-fake-workload"
    world.account.effective_budget = {"scope": "workspace", "limit_usd": 90, "spend_usd": 85, "remaining_usd": 5}
    one = world.account.add("prod-agent", limit=1.0, limit_remaining=1.0)
    world.tick()
    world.account.spend(one, 0.85)

    world.tick()

    (alert,) = world.bus.of("Budget Threshold Reached")
    assert alert.evidence["blocks_first"] == "workspace"


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_an_alert_goes_out_without_what_the_workloads_key_would_not_say(world: Any, status: int) -> None:
    world.with_policy(workloads=[WORKLOAD])
    world.secrets.values["openrouter/prod/agent"] = "sk-or-v1-fake-workload"
    world.account.failing = lambda request: status if request.url.path.endswith("/key") else None
    one = world.account.add("prod-agent", limit=1.0, limit_remaining=1.0)
    world.tick()
    world.account.spend(one, 0.85)

    world.tick()

    (alert,) = world.bus.of("Budget Threshold Reached")
    assert alert.evidence["blocks_first"] is None


def test_an_alert_goes_out_when_the_workload_has_no_secret_yet(world: Any) -> None:
    world.with_policy(workloads=[WORKLOAD])
    one = world.account.add("prod-agent", limit=1.0, limit_remaining=1.0)
    world.tick()
    world.account.spend(one, 0.85)

    world.tick()

    assert len(world.bus.of("Budget Threshold Reached")) == 1


def test_no_plaintext_is_in_what_is_stored_or_published(world: Any) -> None:
    world.with_policy(workloads=[WORKLOAD])
    world.secrets.values["openrouter/prod/agent"] = "sk-or-v1-fake-workload"
    one = world.account.add("prod-agent", limit=1.0, limit_remaining=1.0)
    world.tick()
    world.account.spend(one, 0.85)
    world.tick()

    assert b"sk-or-v1" not in world.stored()
    assert "sk-or-v1" not in repr(world.bus.handed_over)
    assert "sk-or-v1" not in repr(Codec().decode(world.stored()))


def test_a_flood_of_events_leaves_as_time_allows_and_none_is_lost(world: Any) -> None:
    for number in range(250):
        one = world.account.add(f"key-{number}", limit=1.0, limit_remaining=1.0)
        world.account.spend(one, 0.6)
    world.bus.takes = lambda: setattr(world, "seconds_left", 3.0)  # each hundred takes all the time there is

    for published in (100, 200, 250):
        world.seconds_left = 50.0
        world.tick()
        assert len(world.bus.events) == published

    assert len(world.bus.handed_over) == 250
    assert Codec().decode(world.stored()).outbox == ()
