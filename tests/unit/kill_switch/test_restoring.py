"""Keys come back when the last cause is lifted by somebody who may, and never otherwise."""

from datetime import timedelta

import pytest

from governor.events import DetailType
from governor.policy import Policy
from management_api import OutcomeUnknown
from tests.unit.kill_switch.doubles import (
    HASH,
    NOW,
    OTHER,
    POLICY,
    WORKLOAD,
    World,
    api_key,
    exposed,
    reading,
    restore,
    runaway,
)


def disabled_world() -> World:
    world = World(api_key(), api_key(OTHER, f"{WORKLOAD}#2", disabled=True))
    world.receive(runaway())
    world.now += timedelta(minutes=30)
    return world


def test_lifting_the_only_cause_enables_our_keys_and_no_foreign_one() -> None:
    world = disabled_world()
    told = world.receive(restore())
    assert told.detail_type == DetailType.KEY_RESTORED
    assert [(key["hash"], key["state"]) for key in told.evidence["keys"]] == [(HASH, "enabled")]
    assert world.account.disabled() == {OTHER}


def test_the_detector_is_told_to_learn_anew_before_a_key_is_enabled() -> None:
    world = disabled_world()
    seen: list[object] = []
    world.account.on_update = lambda _: seen.append(world.ledger.rows("detector"))
    world.receive(restore())
    (row,) = world.ledger.rows("detector")
    assert seen == [[row]]
    assert (row.sk, row.data) == (WORKLOAD, {"kind": "rebaseline", "at": "2026-03-11T02:44:00Z"})


def test_while_another_cause_stands_the_lifted_one_is_gone_and_the_keys_stay_disabled() -> None:
    world = disabled_world()
    world.receive(exposed(at=world.now))
    told = world.receive(restore("runaway"))
    assert (told.detail_type, told.evidence["rule"]) == (DetailType.RESTORE_REFUSED, "other_cause_stands")
    assert told.evidence["standing"] == ["exposed"]
    assert HASH in world.account.disabled()
    assert world.receive(restore("exposed", id="restore-2")).detail_type == DetailType.KEY_RESTORED
    assert HASH not in world.account.disabled()


def test_the_last_cause_gives_back_the_keys_that_passed_to_it() -> None:
    world = World()
    world.receive(exposed())
    world.account.held[OTHER] = api_key(OTHER, f"{WORKLOAD}#2", spent=80)
    world.receive(runaway(WORKLOAD, reading(OTHER, counted=80, window_start=20)))
    assert world.account.disabled() == {HASH, OTHER}
    world.now += timedelta(minutes=30)
    world.receive(restore("runaway"))
    world.receive(restore("exposed", id="restore-2"))
    assert world.account.disabled() == set()


def test_a_request_delivered_twice_is_answered_twice_with_one_id() -> None:
    world = disabled_world()
    first, again = world.receive(restore()), world.receive(restore())
    assert first.id == again.id


def test_a_redelivered_request_does_not_enable_what_a_human_disabled_since() -> None:
    world = disabled_world()
    world.receive(restore())
    world.account.held[HASH] = api_key(disabled=True)
    world.receive(restore())
    assert HASH in world.account.disabled()


@pytest.mark.parametrize(
    ("rule", "cause", "by"),
    [
        ("not_an_approver", "runaway", "U0STRANGER"),
        ("not_ours", "foreign", "U0LEAD"),
        ("not_ours", "rotation", "U0LEAD"),
        ("not_standing", "budget", "U0LEAD"),
    ],
)
def test_a_request_that_may_not_be_is_refused_and_changes_nothing(rule: str, cause: str, by: str) -> None:
    world = disabled_world()
    before = world.ledger.rows(f"subject#{WORKLOAD}")
    told = world.receive(restore(cause, by=by))
    assert (told.detail_type, told.evidence["rule"]) == (DetailType.RESTORE_REFUSED, rule)
    assert world.ledger.rows(f"subject#{WORKLOAD}") == before
    assert world.account.disabled() == {HASH, OTHER}


def test_without_approvers_in_the_policy_nobody_restores() -> None:
    world = World(policy=Policy.model_validate({**POLICY.model_dump(mode="json"), "approvals": None}))
    world.receive(runaway())
    assert world.receive(restore()).evidence["rule"] == "by_event"


def test_a_request_older_than_the_disable_is_about_something_else() -> None:
    world = World()
    world.receive(runaway())
    told = world.receive(restore(at=NOW - timedelta(minutes=1)))
    assert told.evidence["rule"] == "newer_cause"
    assert world.account.disabled() == {HASH}


def test_an_enable_that_did_not_take_is_never_told_and_the_retry_finishes_it() -> None:
    world = disabled_world()

    def lose(hash: str) -> None:
        raise OutcomeUnknown("lost")

    world.account.on_update = lose
    with pytest.raises(OutcomeUnknown):
        world.receive(restore())
    assert world.bus.last.detail_type == DetailType.KEY_DISABLED
    world.account.on_update = lambda _: None
    assert world.receive(restore()).detail_type == DetailType.KEY_RESTORED


def test_a_cause_that_arises_while_keys_are_being_enabled_disables_them_again() -> None:
    world = disabled_world()
    leak = [exposed(at=world.now)]
    world.account.on_update = lambda _: world.receive(leak.pop()) if leak else None
    told = world.receive(restore())
    assert told.evidence["rule"] == "other_cause_stands"
    assert HASH in world.account.disabled()


def test_a_late_copy_of_the_trigger_does_not_undo_a_restore() -> None:
    world = disabled_world()
    world.receive(restore())
    world.now += timedelta(minutes=1)
    late = world.receive(runaway(at=NOW + timedelta(minutes=29)))
    assert late.evidence["rule"] == "superseded"
    assert HASH not in world.account.disabled()


def test_a_restore_beside_a_copy_of_itself_is_told_under_one_id() -> None:
    world = disabled_world()
    copies = [restore()]
    world.account.on_update = lambda _: world.receive(copies.pop()) if copies else None
    world.receive(restore())
    assert len({event.id for event in world.bus.events if event.detail_type == DetailType.KEY_RESTORED}) == 1
    assert world.account.disabled() == {OTHER}


def test_a_cause_is_restored_by_the_hash_of_an_undeclared_key() -> None:
    policy = POLICY.model_copy(update={"defaults": POLICY.for_subject(WORKLOAD)})
    world = World(api_key(name="somebody's key"), policy=policy)
    world.receive(exposed(HASH))
    world.now += timedelta(minutes=30)
    told = world.receive(restore("exposed", HASH))
    assert (told.detail_type, told.evidence["name"]) == (DetailType.KEY_RESTORED, "somebody's key")
    assert world.account.disabled() == set()
