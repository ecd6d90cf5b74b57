"""Whatever befalls a run, what it has to tell is told once, and what it began is whole or undone."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from governor.byok_marks import mark_of
from sandbox.openrouter.traffic import DEFAULT_MODEL
from tests.faults.byok_failover.drilling import called, chosen, policy, rest, settled, tick
from tests.faults.byok_failover.opening import Worlds, worlds
from tests.faults.harness import Ended, Wire, case, invoke, writes
from tests.faults.key_rotation.world import World
from tests.faults.stage import Photo
from tests.faults.turns import in_turns

UNHEALTHY, BENCHED, UNBENCHED = "Credential Unhealthy", "Credential Benched", "Credential Unbenched"


@pytest.fixture
def fresh(wire: Wire) -> Iterator[Worlds]:
    with worlds(wire, policy(action="bench", expect={"prioritized": 1})) as make:
        yield make


def about_to_bench(fresh: Worlds) -> Photo:
    """`first` alone lets the probe's key in; it was refused once, and the next refusal is the second."""
    world = fresh(settled(fresh))
    called(world, "second").settings |= {"allowed_models": ["anthropic/claude-opus-4.5"]}
    world.simulator.trouble(credential=called(world, "first").id, trouble="revoked")
    world.later(minutes=10)
    while (health := world.aws.rows("byok")) and not _refused_once(health, world):
        assert invoke(world.wire, tick(world)) == Ended.DONE
        world.later(minutes=10)
    return fresh.photo()


def _refused_once(rows: dict[str, Any], world: World) -> bool:
    row = rows.get(f"health#{called(world, 'first').id}")
    return row is not None and row.data["sign"] == "refused" and row.data["run"] == 1


def told(world: World) -> Counter[str]:
    """How often each type was told, each id once."""
    heard = {one["Detail"]["id"]: one["DetailType"] for one in world.told}
    return Counter(kind for kind in heard.values() if kind.startswith("Credential"))


def assert_benched(world: World) -> None:
    first = called(world, "first")
    assert first.settings["disabled"]
    assert mark_of(first.settings["name"])
    assert told(world) == {UNHEALTHY: 1, BENCHED: 1}
    assert not world.aws.rows("byok#told")


def test_any_call_of_a_run_that_benches_may_fail_and_three_more_converge(
    wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    before = about_to_bench(fresh)
    for accident in chosen(wire.calls_of(tick(fresh(before)))):
        with case(counted, accident):
            world = fresh(before)
            invoke(wire, tick(world), accident)
            rest(world)
            assert_benched(world)
            assert called(world, "by hand").settings["disabled"]


def test_any_call_of_a_run_that_gives_it_back_may_fail_and_the_next_ones_converge(
    wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    world = fresh(about_to_bench(fresh))
    rest(world, 2)
    assert_benched(world)
    first = called(world, "first")
    world.simulator.trouble(credential=first.id)
    first.label = "new...key1"
    world.later(minutes=10)
    before = fresh.photo()
    calls = wire.calls_of(tick(fresh(before)))
    changing = set(writes(calls))
    for accident in [one for one in chosen(calls) if one.at in changing]:
        with case(counted, accident):
            world = fresh(before)
            invoke(wire, tick(world), accident)
            rest(world, 1)
            world.later(hours=6)  # a trial that died comes again
            rest(world, 1)
            first = called(world, "first")
            assert (first.settings["disabled"], first.settings["name"]) == (False, "first")
            assert told(world)[UNBENCHED] == 1
            assert called(world, "by hand").settings["disabled"]


def test_runs_beside_each_other_tell_one_thing(wire: Wire, fresh: Worlds, counted: list[str]) -> None:
    before = about_to_bench(fresh)
    for seed in range(40):
        with case(counted, f"seed {seed}"):
            world = fresh(before)
            in_turns(wire, [tick(world), tick(world)], seed)
            rest(world)
            assert_benched(world)


def test_what_a_person_takes_over_at_any_moment_of_a_bench_stays_theirs(
    wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    """But for the moment between our last read and the PATCH after it."""
    before = about_to_bench(fresh)
    calls = wire.calls_of(tick(fresh(before)))
    blind = {at for at, name in enumerate(calls) if "PATCH" in name}
    assert len(blind) == 1
    for at in sorted({*range(len(calls))} - blind):
        with case(counted, f"before call {at} ({calls[at]})"):
            world = fresh(before)

            def taken_over(world: World = world) -> None:
                called(world, "first").settings |= {"disabled": True, "name": "first, mine"}

            with wire.beside(taken_over, at):
                invoke(wire, tick(world))
            world.simulator.trouble(credential=called(world, "first").id)
            rest(world, 2)
            world.later(hours=6)
            rest(world, 2)
            settings = called(world, "first").settings
            assert (settings["disabled"], settings["name"]) == (True, "first, mine")


def leaking(fresh: Worlds) -> Photo:
    """Own keys served for some runs; since the last one all is paid with credits, and the next run is to tell."""
    world = fresh(settled(fresh))

    def spent() -> None:
        for _ in range(5):
            assert world.simulator.ask(world.plaintext, 0.1, model=DEFAULT_MODEL).status == 200
        world.later(minutes=10)

    for _ in range(3):
        spent()
        assert invoke(world.wire, tick(world)) == Ended.DONE
    for name in ("first", "second"):
        called(world, name).settings["disabled"] = True
    spent()
    assert invoke(world.wire, tick(world)) == Ended.DONE
    spent()
    return fresh.photo()


def test_any_call_of_a_run_that_finds_a_leak_may_fail_and_it_is_told_once_with_the_same_dollars(
    wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    before = leaking(fresh)
    for accident in chosen(wire.calls_of(tick(fresh(before)))):
        with case(counted, accident):
            world = fresh(before)
            invoke(wire, tick(world), accident)
            rest(world)
            heard = {
                one["Detail"]["id"]: one["Detail"]["evidence"]
                for one in world.told
                if one["DetailType"] == "Credits Leak Suspected"
            }
            (evidence,) = heard.values()
            assert evidence["lost_usd"] == pytest.approx(1.0)
