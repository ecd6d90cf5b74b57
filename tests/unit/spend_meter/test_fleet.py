"""A loop that spreads over many keys, and a key that was never seen and spends at once."""

from typing import Any

import pytest

from spend_meter.codec import Codec
from spend_meter.days import DAY
from spend_meter.fleet import ACCOUNT, PREFIX
from tests.unit.spend_meter.test_run import WORKLOAD


def fleet(world: Any, count: int = 40, days: int = 20, places: tuple[str, ...] = ("ws-1",)) -> list[str]:
    """Keys that have spent five cents each in a minute of each day, in these workspaces by turns."""
    for place in places:
        world.account.workspaces.setdefault(place, place)
    keys = [world.account.add(f"batch-{i}", workspace=places[i % len(places)]) for i in range(count)]
    world.tick()
    for _ in range(days):
        world.tick(minutes=DAY - 1)
        spread(world, keys, 0.05 * count * 60, minutes=1)
    return keys


def spread(world: Any, keys: list[str], usd_an_hour: float, minutes: int) -> None:
    """A loop whose requests go round over these keys."""
    for _ in range(minutes):
        for key in keys:
            world.account.spend(key, usd_an_hour / 60 / len(keys))
        world.tick()


def told(world: Any) -> list[tuple[str, str]]:
    """What was told of runaways: type, and the scope or the key."""
    found = world.bus.of("Runaway Suspected", "Runaway Confirmed", "Runaway Ended")
    return [(event.detail_type.value, event.evidence["scope"]) for event in found]


def test_a_loop_that_no_key_shows_is_told_once_with_those_that_spend_most(world: Any) -> None:
    keys = fleet(world)
    world.account.spend(keys[7], 1.0)
    spread(world, keys, 120, minutes=60)
    (suspected,) = world.bus.of("Runaway Suspected", "Runaway Confirmed")
    assert suspected.detail_type == "Runaway Suspected"
    assert (suspected.subject, suspected.evidence["scope"]) == (ACCOUNT, "account")
    named = suspected.evidence["contributors"]
    assert [one["name"] for one in named[:1]] == ["batch-7"]
    assert len(named) == 5
    assert suspected.evidence["keys"] == []
    assert suspected.reason.startswith("All keys of the account together: Spent $")

    for _ in range(20):
        world.tick()
    assert told(world) == [("Runaway Suspected", "account"), ("Runaway Ended", "account")]


def test_one_keys_own_incident_is_not_told_again_of_the_sum(world: Any) -> None:
    keys = fleet(world)
    spread(world, keys[:1], 500, minutes=60)
    assert {scope for _, scope in told(world)} == {"keys"}


def test_keys_that_have_incidents_of_their_own_are_not_told_again_of_the_sum(world: Any) -> None:
    keys = fleet(world)
    spread(world, keys[:5], 5 * 150, minutes=60)
    assert {scope for _, scope in told(world)} == {"keys"}
    assert len({event.subject for event in world.bus.of("Runaway Suspected", "Runaway Confirmed")}) == 5


@pytest.mark.parametrize(("burning", "scope"), [("ws-2", "workspace"), ("both", "account")])
def test_of_a_workspace_and_the_account_one_is_told(world: Any, burning: str, scope: str) -> None:
    keys = fleet(world, places=("ws-1", "ws-2"))
    spread(world, keys[1::2] if burning == "ws-2" else keys, 150, minutes=60)
    assert told(world) == [("Runaway Suspected", scope)]
    (suspected,) = world.bus.of("Runaway Suspected")
    assert suspected.subject == ("ws-2" if scope == "workspace" else ACCOUNT)


def test_a_sum_is_not_judged_before_it_is_known_for_a_fortnight(world: Any) -> None:
    keys = fleet(world, days=12)
    spread(world, keys, 120, minutes=60)
    assert told(world) == []


def test_a_sum_of_which_a_part_cannot_be_read_does_not_end(world: Any) -> None:
    keys = fleet(world, places=("ws-1", "ws-2"))
    spread(world, keys, 150, minutes=30)
    world.account.failing = lambda request: 500 if request.url.params.get("workspace_id") == "ws-2" else None
    for _ in range(20):
        world.tick()
    assert told(world) == [("Runaway Suspected", "account")]


def test_nothing_is_judged_where_the_policy_turns_the_detector_off_for_every_key(world: Any) -> None:
    world.with_policy(defaults={"runaway": {"mode": "off"}})
    keys = fleet(world)
    spread(world, keys, 120, minutes=60)
    assert told(world) == []


def test_sums_are_kept_by_the_hourly_clearing_and_go_with_their_workspace(world: Any) -> None:
    fleet(world, days=1, places=("ws-1", "ws-2"))
    world.tick(at=world.at.replace(minute=0) + (world.at - world.at.replace(hour=world.at.hour - 1)))
    kept = {subject for subject in Codec().decode(world.stored()).habits if subject.startswith(PREFIX)}
    assert kept == {PREFIX + ACCOUNT, PREFIX + "ws-1", PREFIX + "ws-2"}

    del world.account.workspaces["ws-2"]
    world.account.failing = lambda request: 404 if "ws-2" in str(request.url) else None
    world.tick(minutes=60)
    world.tick(minutes=60)
    kept = {subject for subject in Codec().decode(world.stored()).habits if subject.startswith(PREFIX)}
    assert kept == {PREFIX + ACCOUNT, PREFIX + "ws-1"}


def test_a_key_that_was_never_seen_and_spends_at_once_is_told_within_the_hour(world: Any) -> None:
    world.tick()
    key = world.account.add("who-made-this", made=world.at)
    world.burn(key, 120, minutes=59)
    (suspected,) = world.bus.of("Runaway Suspected", "Runaway Confirmed")
    assert (suspected.detail_type, suspected.evidence["rule"]) == ("Runaway Suspected", "new")
    assert "by a key that is less than a day old" in suspected.reason


def test_a_new_key_of_a_declared_workload_and_an_old_key_without_a_habit_are_not_told_so_soon(world: Any) -> None:
    world.with_policy(workloads=[WORKLOAD])
    world.tick()
    declared = world.account.add("prod-agent#1", made=world.at)
    old = world.account.add("old")
    world.tick()
    for key in (declared, old):
        world.burn(key, 120, minutes=59)
    assert world.bus.of("Runaway Suspected", "Runaway Confirmed") == []
