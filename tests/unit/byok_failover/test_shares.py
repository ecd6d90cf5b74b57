"""Credits that leak are found by reading alone, with the dollars, and a habit is never mistaken for a leak."""

from datetime import timedelta

import pytest

from byok_failover.shares import Record, Series, Spend
from governor.ledger import Put
from tests.unit.byok_failover.doubles import MODEL, PLACE, START, WORKLOAD, World


def settled(own: float = 100.0, credits: float = 0.0) -> Series:
    return Series(Spend(credits, own), START)


def ticks(series: Series, *moved: Spend) -> Series:
    for number, one in enumerate(moved, 1):
        series = series.after(one, START + timedelta(minutes=10 * number))
    return series


def test_a_leak_takes_two_runs_in_a_row_and_counts_the_dollars_from_the_first() -> None:
    one = ticks(settled(), Spend(1.0, 0.0))
    assert not one.leaks
    two = one.after(Spend(1.0, 0.0), START + timedelta(minutes=20))
    assert (two.leaks, two.since) == (True, START)
    assert two.lost == pytest.approx(2.0)


@pytest.mark.parametrize(
    "moved",
    [
        (Spend(1.0, 0.0), Spend(0.0, 1.0), Spend(1.0, 0.0)),
        (Spend(0.4, 0.6), Spend(0.4, 0.6), Spend(0.4, 0.6)),
        (Spend(), Spend(), Spend()),
        (Spend(0.0, 5.0), Spend(0.0, 0.5)),
    ],
)
def test_what_is_not_two_fallen_runs_in_a_row_is_no_leak(moved: tuple[Spend, ...]) -> None:
    assert not ticks(settled(), *moved).leaks


def test_a_run_without_traffic_neither_makes_nor_breaks_a_row() -> None:
    assert ticks(settled(), Spend(1.0, 0.0), Spend(), Spend(1.0, 0.0)).leaks


def test_who_never_had_a_habit_of_byok_cannot_leak() -> None:
    assert not ticks(settled(own=0.0, credits=50.0), *[Spend(1.0, 0.0)] * 5).leaks
    assert not ticks(Series(), *[Spend(1.0, 0.0)] * 5).leaks


def test_dollars_that_are_the_habit_are_not_counted_as_lost() -> None:
    series = ticks(settled(own=50.0, credits=50.0), Spend(1.0, 0.0), Spend(1.0, 0.0))
    assert series.lost == pytest.approx(1.0)


def test_a_leak_ends_after_two_runs_near_the_habit() -> None:
    leaking = ticks(settled(), Spend(1.0, 0.0), Spend(1.0, 0.0), Spend(0.0, 1.0))
    assert leaking.leaks
    assert not leaking.after(Spend(0.0, 1.0), START + timedelta(minutes=40)).leaks


def test_a_series_survives_the_ledger() -> None:
    series = ticks(settled(), Spend(1.0, 0.0))
    assert Series.of(series.data()) == series


def accustomed() -> World:
    """A workload that its own credential has served for some hours."""
    world = World({"probe": {"model": MODEL}})
    world.credential("first")
    for _ in range(6):
        world.spend(0.50)
        world.tick()
    return world


def test_a_revoked_credential_is_found_within_the_hour_with_the_dollars_and_without_a_probe() -> None:
    world = accustomed()
    (credential,) = world.organization.credentials.values()
    world.simulator.trouble(credential=credential.id, trouble="revoked")
    for _ in range(5):
        world.spend(0.50)
        world.tick()
    (event,) = world.told("Credits Leak Suspected")
    evidence = event.evidence
    assert event.occurred_at - START - timedelta(minutes=60) <= timedelta(minutes=20)
    assert evidence["lost_usd"] == pytest.approx(1.0)
    assert (evidence["source"], evidence["workloads"], evidence["providers"]) == ("both", [WORKLOAD], ["anthropic"])
    assert (evidence["share"], round(evidence["habit"])) == (0.0, 1)
    assert world.probes() == 0
    world.simulator.trouble(credential=credential.id)
    for _ in range(3):
        world.spend(0.50)
        world.tick()
    (ended,) = world.told("Credits Leak Ended")
    assert ended.evidence["lost_usd"] == pytest.approx(2.5)


def test_counters_that_cannot_be_read_say_nothing_and_lose_nothing() -> None:
    world = accustomed()
    (credential,) = world.organization.credentials.values()
    world.simulator.trouble(credential=credential.id, trouble="revoked")
    for path in ("/keys", "/analytics/query"):
        world.simulator.fault(path, "503", times=None)
    for _ in range(3):
        world.spend(0.50)
        world.tick()
    assert world.told() == []
    world.simulator.faults.clear()
    for _ in range(2):
        world.spend(0.50)
        world.tick()
    (event,) = world.told("Credits Leak Suspected")
    assert event.evidence["lost_usd"] == pytest.approx(2.5)


def test_without_analytics_the_counters_alone_find_it() -> None:
    world = accustomed()
    (credential,) = world.organization.credentials.values()
    world.simulator.trouble(credential=credential.id, trouble="revoked")
    world.simulator.fault("/analytics/query", "503", times=None)
    for _ in range(3):
        world.spend(0.50)
        report = world.tick()
    (event,) = world.told("Credits Leak Suspected")
    assert (event.evidence["source"], event.evidence["providers"]) == ("counters", [])
    assert any("analytics of Platform" in one for one in report.unread)


def test_a_dead_provider_key_is_told_by_provider_from_analytics_alone() -> None:
    world = accustomed()
    (credential,) = world.organization.credentials.values()
    world.simulator.trouble(credential=credential.id, trouble="revoked")
    world.simulator.fault("/keys", "503", times=None)
    for _ in range(3):
        world.spend(0.50)
        world.tick()
    (event,) = world.told("Credits Leak Suspected")
    assert (event.evidence["source"], event.evidence["providers"]) == ("analytics", ["anthropic"])
    assert (event.evidence["share"], event.evidence["habit"], event.evidence["lost_usd"]) == (0.0, 1.0, 1.0)


def test_traffic_that_was_always_on_credits_is_not_taken_for_our_own() -> None:
    world = World({"probe": {"model": MODEL}})
    for _ in range(6):
        world.spend(0.50)
        world.tick()
    (row,) = world.ledger.rows("byok", "shares#")
    assert Record.of(row.data).providers["Anthropic"].habit.share == 0


def test_providers_habits_in_the_former_metric_are_learned_anew() -> None:
    """A workload that pays half of its traffic with credits; the former metric counted all of it as our own."""
    world = World({"probe": {"model": MODEL}})
    _, plaintext = world.simulator.create_key("other", workspace=PLACE)
    world.credential("first", allowed_api_key_hashes=[world.key.hash])

    def tick() -> None:
        world.spend(0.25)
        world.simulator.ask(plaintext, 0.25, model=MODEL)
        world.tick()

    for _ in range(3):
        tick()
    (row,) = world.ledger.rows("byok", "shares#")
    former = {name: value for name, value in row.data.items() if name != "split"}
    habit = {**former["providers"]["Anthropic"], "habit": [0.0, 300.0]}
    former |= {"providers": {"Anthropic": habit}}
    world.ledger.commit(Put("byok", row.sk, former, row.version))
    for _ in range(3):
        tick()
    assert world.told() == []
    (row,) = world.ledger.rows("byok", "shares#")
    assert Record.of(row.data).providers["Anthropic"].habit.share == pytest.approx(0.5)


def test_after_a_long_standstill_analytics_is_asked_no_further_back_than_it_answers() -> None:
    world = accustomed()
    world.now += timedelta(days=60)
    world.spend(0.50)
    assert world.tick().unread == []


def test_a_rotated_key_does_not_look_like_a_leak() -> None:
    world = accustomed()
    _, plaintext = world.simulator.create_key(f"{WORKLOAD}#2", workspace=PLACE)
    world.secrets = dict.fromkeys(world.secrets, plaintext)
    world.organization.keys.get(world.key.hash).disabled = True
    for _ in range(4):
        world.spend(0.50)
        world.tick()
    assert world.told() == []


def test_keys_that_our_own_never_served_take_no_room() -> None:
    world = accustomed()
    for number in range(50):
        world.simulator.create_key(f"other-{number}", workspace=PLACE)
    world.tick()
    (row,) = world.ledger.rows("byok", "shares#")
    assert list(row.data["workloads"]) == [WORKLOAD]
    assert len(row.data["keys"]) == 1
