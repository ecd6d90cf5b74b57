"""No key is retired or deleted unless the workload's current key is proven to work at that moment."""

from dataclasses import replace
from datetime import timedelta

import pytest

from governor.keys.causes import CauseRow
from governor.secrets.versions import WorkloadSecret
from management_api import KeyPatch
from tests.unit.key_retirement.doubles import Retirement
from tests.unit.key_retirement.test_absence import TEN, drifts, made, overlapping, states
from tests.unit.key_rotation.doubles import FIRST, WORKLOAD


def secret_works(retirement: Retirement) -> bool:
    world = retirement.world
    value = world.secrets.value("")
    key = world.account.held.get(world.account.plaintexts.get(value.api_key.get_secret_value(), "")) if value else None
    return key is not None and not key.disabled


@pytest.mark.parametrize("how", ["deleted", "disabled"])
def test_the_old_key_is_kept_while_the_new_one_does_not_work(how: str) -> None:
    retirement = overlapping()
    world = retirement.world
    new = made(world)
    if how == "deleted":
        world.account.delete(new)
    else:
        world.account.update(new, KeyPatch(disabled=True))
    for _ in range(24 * 20):
        retirement.tick()
    assert states(world)[FIRST] == "overlap"
    assert not world.account.held[FIRST].disabled
    blocked = retirement.told("Drain Blocked")
    assert 15 <= len({event.id for event in blocked}) <= 21, "told daily, past the deadline too"
    assert all(event.evidence["rule"] == "last_key" for event in blocked)
    assert "roll" in blocked[0].reason.lower()


def test_a_key_in_quarantine_is_kept_while_the_new_one_does_not_work() -> None:
    retirement = overlapping()
    world = retirement.world
    for _ in range(30):
        retirement.tick()
    assert states(world)[FIRST] == "quarantined"
    world.account.delete(made(world))
    for _ in range(24 * 9):
        retirement.tick()
    assert FIRST in world.account.held
    assert states(world)[FIRST] == "quarantined"
    assert [event.evidence["rule"] for event in retirement.told("Drain Blocked")][:1] == ["last_key"]


def test_what_is_told_of_a_deleted_key_names_the_one_that_still_works() -> None:
    retirement = overlapping()
    world = retirement.world
    new = made(world)
    world.account.delete(new)
    retirement.tick(TEN)
    (event,) = retirement.told("Key Drifted")
    assert event.evidence["field"] == "hash"
    assert "has no other" not in event.reason
    assert WORKLOAD in event.reason
    assert "still works" in event.reason
    assert event.evidence["repair"] == ""


def test_the_old_key_is_taken_back_by_itself_where_the_policy_says_repair() -> None:
    retirement = overlapping(drift="repair")
    world = retirement.world
    new = made(world)
    world.account.delete(new)
    assert not secret_works(retirement)
    retirement.tick(TEN)
    assert secret_works(retirement)
    (drift,) = retirement.told("Key Drifted")
    assert "rotation" in drift.evidence["repair"]
    (back,) = retirement.told("Rotation Rolled Back")
    assert back.evidence["requested_by"] == "governor"
    assert states(world) == {FIRST: "current", new: "deleted"}
    assert world.account.held[FIRST].limit == 100.0
    for _ in range(24 * 20):
        retirement.tick()
    assert secret_works(retirement)
    assert len(retirement.told("Rotation Rolled Back")) == 1


def test_a_key_that_leaked_or_is_disabled_is_never_taken_back_by_itself() -> None:
    retirement = overlapping(drift="repair")
    world = retirement.world
    world.account.update(FIRST, KeyPatch(disabled=True))
    world.account.delete(made(world))
    retirement.tick(TEN)
    assert world.account.held[FIRST].disabled
    assert retirement.told("Rotation Rolled Back") == []
    assert [live for field, live in drifts(retirement) if field == "hash"] == ["deleted"]


def test_nothing_is_taken_back_while_a_cause_holds_the_workload() -> None:
    retirement = overlapping(drift="repair")
    world = retirement.world
    world.causes.write(CauseRow(WORKLOAD, "runaway", "disabled", "e", (FIRST,), world.now))
    world.account.delete(made(world))
    for _ in range(10):
        retirement.tick(timedelta(hours=1))
    assert retirement.told("Rotation Rolled Back") == []


def test_a_key_that_a_person_enabled_in_its_quarantine_is_disabled_again_and_told_each_time() -> None:
    retirement = overlapping()
    world = retirement.world
    for _ in range(30):
        retirement.tick()
    for times in (1, 2):
        before = world.lineage.key(FIRST)
        assert before
        world.account.update(FIRST, KeyPatch(disabled=False))
        retirement.tick(TEN)
        assert world.account.held[FIRST].disabled
        told = [event for event in retirement.told("Key Drifted") if event.evidence["field"] == "disabled"]
        assert len({event.id for event in told}) == times
        assert "Governor disables it again" in told[-1].reason
        assert "roll prod-agent back" in told[-1].reason
        row = world.causes.causes(WORKLOAD).get("rotation")
        assert row
        assert row.is_active
        assert FIRST in row.hashes
        assert row.at == world.now, "the cause says since when"
        after = world.lineage.key(FIRST)
        assert after
        assert after.until
        assert before.until
        assert after.until > before.until
        retirement.tick(TEN)
        assert len({event.id for event in retirement.told("Key Drifted")}) == times


@pytest.mark.parametrize("written", ["as it was", "the plaintext alone"])
@pytest.mark.parametrize("label", [True, False])
def test_a_former_key_that_is_put_back_into_the_secret_is_kept_and_told_as_such(written: str, label: bool) -> None:
    """Red before: told as a secret without a working key; without its hash it was disabled under its consumers."""
    retirement = overlapping()
    world = retirement.world
    plaintext = world.secrets.values["first"].api_key
    world.account.plaintexts[plaintext.get_secret_value()] = FIRST
    old = world.lineage.key(FIRST)
    assert old
    world.lineages.write(world.lineage.with_key(replace(old, token="made-by-governor" if label else "")))
    hash = FIRST if written == "as it was" else ""
    for stages in world.secrets.stages.values():
        stages.discard("AWSCURRENT")
    world.secrets.values["by hand"] = WorkloadSecret(plaintext, hash=hash)
    world.secrets.stages["by hand"] = {"AWSCURRENT"}
    for _ in range(24 * 20):
        retirement.tick()
    assert states(world)[FIRST] == "overlap"
    assert not world.account.held[FIRST].disabled
    told = retirement.told("Drain Blocked")
    assert {event.evidence["rule"] for event in told} == {"put_back"}
    assert "put the former key" in told[0].reason
    assert "roll" in told[0].reason
