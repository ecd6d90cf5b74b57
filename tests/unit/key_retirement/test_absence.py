"""A list that does not name a key proves nothing; a key that was moved or renamed by hand keeps its state."""

from dataclasses import replace
from datetime import timedelta

import pytest

from governor.events import DetailType, Event
from key_retirement.settings import Rollback
from management_api import KeyPatch, Unavailable
from tests.unit.key_retirement.doubles import Retirement
from tests.unit.key_rotation.doubles import FIRST, NOW, WORKLOAD, World, api_key, guardrail

TEN = timedelta(minutes=10)


def overlapping(spent: float = 40.0, *, drift: str = "alert") -> Retirement:
    """A workload whose key was just replaced, looked at once."""
    cap = {"limit_usd": 100.0, "limit_reset": "monthly", "drift": drift}
    world = World(api_key(spent=spent, limit=100.0, limit_reset="monthly"), key=cap, by_event=True)
    world.account.plaintexts["fake-plaintext-made-by-hand"] = FIRST
    world.rotate()
    retirement = Retirement(world)
    retirement.tick(TEN)
    return retirement


def made(world: World) -> str:
    """The hash of the key that Governor made."""
    return next(hash for hash in world.account.held if hash != FIRST)


def states(world: World) -> dict[str, str]:
    return {key.hash: key.state for key in world.lineage.keys}


def together(world: World) -> float:
    """The most that all live keys may have spent in the month."""
    return sum(max(key.limit or 1e9, key.usage_monthly) for key in world.account.held.values() if not key.disabled)


def drifts(retirement: Retirement) -> list[tuple[str, str]]:
    return [(event.evidence["field"], event.evidence["live"]) for event in retirement.told("Key Drifted")]


@pytest.mark.parametrize("missing", ["old", "new", "both"])
def test_a_list_that_leaves_keys_out_is_told_and_changes_nothing(missing: str) -> None:
    retirement = overlapping()
    world = retirement.world
    before = states(world)
    world.account.unlisted |= {FIRST} if missing == "old" else {made(world)} if missing == "new" else {*before}
    limits = {hash: key.limit for hash, key in world.account.held.items()}
    retirement.tick(TEN)
    assert states(world) == before
    assert {hash: key.limit for hash, key in world.account.held.items()} == limits
    assert together(world) <= 100.0 + 1e-6
    assert "Key Retired" not in world.bus.kinds()
    assert ("list", "left out") in drifts(retirement)
    retirement.tick(TEN)
    count = len(drifts(retirement))
    retirement.tick(TEN)
    assert len(drifts(retirement)) == count, "told once, not at every run"
    world.account.unlisted.clear()
    for _ in range(200):
        retirement.tick()
    assert states(world) == {FIRST: "deleted", made(world): "current"}


def test_a_key_whose_reading_fails_is_neither_gone_nor_retired(monkeypatch: pytest.MonkeyPatch) -> None:
    retirement = overlapping()
    world = retirement.world
    before = states(world)
    world.account.unlisted |= {FIRST}
    account = type(world.account)

    def fails(self: object, hash: str) -> None:
        raise Unavailable("down", request="GET /keys/{hash}", status=503)

    with monkeypatch.context() as patch:
        patch.setattr(account, "get", fails)
        with pytest.raises(Unavailable):
            retirement.tick(TEN)
    assert states(world) == before


def test_an_old_key_that_was_moved_in_its_overlap_keeps_sharing_the_cap_and_is_retired_in_time() -> None:
    retirement = overlapping()
    world = retirement.world
    world.account.update(FIRST, KeyPatch(workspace_id="ws-other"))
    retirement.tick(TEN)
    assert states(world)[FIRST] == "overlap"
    assert together(world) <= 100.0 + 1e-6
    assert drifts(retirement) == [("workspace_id", "ws-other")]
    world.account.held[FIRST] = replace(world.account.held[FIRST], usage=41.0, usage_monthly=41.0, usage_daily=41.0)
    retirement.tick(TEN)
    assert together(world) <= 100.0 + 1e-6
    for _ in range(30):
        retirement.tick()
    assert states(world)[FIRST] == "quarantined"
    assert world.account.held[FIRST].disabled
    for _ in range(24 * 8):
        retirement.tick()
    assert FIRST not in world.account.held
    assert len(drifts(retirement)) == 1


def test_a_key_that_was_moved_in_its_quarantine_stays_disabled_there_and_is_deleted() -> None:
    retirement = overlapping()
    world = retirement.world
    for _ in range(30):
        retirement.tick()
    world.account.update(FIRST, KeyPatch(workspace_id="ws-other", disabled=False))
    retirement.tick(TEN)
    assert world.account.held[FIRST].disabled
    for _ in range(24 * 8):
        retirement.tick()
    assert FIRST not in world.account.held


def test_a_key_that_was_renamed_is_told_and_named_back_where_the_policy_says_repair() -> None:
    for drift, name in (("alert", "batch"), ("repair", None)):
        retirement = overlapping(drift=drift)
        world = retirement.world
        new = made(world)
        was = world.account.held[new].name
        world.account.update(new, KeyPatch(name="batch"))
        retirement.tick()
        retirement.tick()
        assert drifts(retirement) == [("name", "batch")]
        assert world.account.held[new].name == (name or was)


def test_what_a_key_that_somebody_deleted_has_spent_still_counts_for_the_cap() -> None:
    retirement = overlapping()
    world = retirement.world
    new = made(world)
    spent = replace(world.account.held[new], usage=20.0, usage_monthly=20.0, usage_weekly=20.0, usage_daily=20.0)
    world.account.held[new] = spent
    retirement.tick(TEN)
    world.account.delete(FIRST)
    retirement.tick(TEN)
    assert states(world)[FIRST] == "deleted"
    assert world.account.held[new].limit == pytest.approx(60.0), "the deleted key's $40 are spent"
    for _ in range(24 * 25):
        retirement.tick()
    assert world.account.held[new].limit == 100.0, "in another month they are not"


def guarded(drift: str = "alert") -> Retirement:
    """The same under a guardrail of $50, which is less than the policy's cap."""
    key = {"limit_usd": 100.0, "limit_reset": "monthly", "drift": drift, "guardrail": "production"}
    world = World(api_key(spent=10.0, limit=100.0, limit_reset="monthly"), key=key)
    world.account.guards = [guardrail(limit_usd=50.0, reset_interval="monthly")]
    world.account.assigned[FIRST] = "g"
    world.rotate()
    retirement = Retirement(world)
    retirement.tick()
    assert retirement.told("Key Drifted") == []
    return retirement


@pytest.mark.parametrize("left_out", ["guardrail", "assignments"])
def test_a_guardrail_or_an_assignment_that_a_list_leaves_out_is_no_drift_and_raises_no_limit(left_out: str) -> None:
    retirement = guarded()
    world = retirement.world
    if left_out == "guardrail":
        world.account.unlisted |= {"g"}
    else:
        world.account.unassigned |= {*world.account.held}
    limits = {hash: key.limit or 0.0 for hash, key in world.account.held.items()}
    retirement.tick()
    assert together(world) <= 50.0 + 1e-6
    assert all((key.limit or 0.0) <= limits[hash] for hash, key in world.account.held.items())
    assert drifts(retirement) == []


def test_a_rollback_finds_a_key_that_the_list_leaves_out() -> None:
    retirement = overlapping()
    world = retirement.world
    world.account.unlisted |= {FIRST}
    retirement.act(rollback())
    assert world.bus.kinds()[-1] == "Rotation Rolled Back"


def rollback() -> Rollback:
    event = Event(DetailType.ROLLBACK_REQUESTED, "request-1", WORKLOAD, NOW, "", {"requested_by": "U0LEAD"})
    return Rollback(event, "U0LEAD")
