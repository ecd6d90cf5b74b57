"""What happens to two prioritized credentials and one that a person disabled, and what must hold of them."""

from collections.abc import Callable
from typing import Any

import byok_failover.handler
from governor.byok_marks import mark_of
from governor.clock import format_instant
from sandbox.openrouter.credentials import Credential
from tests.faults.byok_failover.opening import Worlds
from tests.faults.harness import Accident, Ended, Fault, accidents, context, invoke, writes
from tests.faults.key_rotation.world import PLACE, POLICY, SECRET, World
from tests.faults.stage import Photo

NAME = f"{PLACE}/anthropic"
DECLARED: dict[str, Any] = {
    "workspace": PLACE, "provider": "anthropic", "reason": "r", "owner": "cloud-platform", "exit": "e",
    "expect": {"prioritized": 2}, "probe": {"model": "anthropic/claude-haiku-4.5", "secret": SECRET, "per_day": 500},
    "drill": {"within_seconds": 10},
}  # fmt: skip


def policy(**more: Any) -> dict[str, Any]:
    return {**POLICY, "byok": [{**DECLARED, **more}]}


def tick(world: World) -> Callable[[], object]:
    event = {"version": 1, "scheduled_time": format_instant(world.now)}
    return lambda: byok_failover.handler.lambda_handler(event, context(100.0))


def drill(world: World, id: str = "request-1") -> Callable[[], object]:
    event = world.request("Drill Requested", id, requested_by="U0LEAD")
    event["detail"]["subject"] = NAME
    return lambda: byok_failover.handler.lambda_handler(event, context(100.0))


def settled(fresh: Worlds, *, ticks: int = 1) -> Photo:
    """The opening's world, some runs on."""
    world = fresh()
    for _ in range(ticks):
        assert invoke(world.wire, tick(world)) == Ended.DONE
        world.later(minutes=10)
    return fresh.photo()


def chosen(calls: list[str]) -> list[Accident]:
    """Every fault at every call that may change something, and a read that does not answer. A death after a read is the
    death before the next call, which is either such a one or as good as this."""
    changing = set(writes(calls))
    return [one for one in accidents(calls) if one.at in changing or (one.fault is Fault.FAILED_BEFORE and one.lasting)]


def called(world: World, name: str) -> Credential:
    """The credential by the name that people gave it, whatever mark it bears."""
    found: Credential = next(
        one for one in world.simulator.organization.credentials.values() if one.settings["name"].startswith(name)
    )
    return found


def held(world: World) -> list[str]:
    """Who is disabled under Governor's mark."""
    every = world.simulator.organization.credentials.values()
    return [one.settings["name"] for one in every if one.settings["disabled"] and mark_of(one.settings["name"])]


def rest(world: World, ticks: int = 3) -> None:
    """The runs that follow, undisturbed."""
    for _ in range(ticks):
        world.later(minutes=10)
        assert invoke(world.wire, tick(world)) == Ended.DONE


def results(world: World) -> list[tuple[str, str]]:
    """Each drill's result once: type and rule."""
    heard = {one["Detail"]["id"]: one for one in world.told if one["DetailType"].startswith("Drill")}
    return [(one["DetailType"], one["Detail"]["evidence"]["rule"]) for one in heard.values()]


def assert_whole(world: World) -> None:
    """Nothing is half done: no hold, no lock, no mark, and what a person disabled is as the person left it."""
    assert held(world) == []
    assert [called(world, name).settings["name"] for name in ("first", "second")] == ["first", "second"]
    assert not called(world, "first").settings["disabled"]
    assert not called(world, "second").settings["disabled"]
    assert called(world, "by hand").settings["disabled"]
    rows = world.aws.rows("byok")
    assert not [sk for sk in rows if sk.startswith(("hold#", "drill#"))]
    assert not world.aws.rows("byok#told")
