"""Broadcast on: a $500-an-hour loop by the second, from the request that crosses the detector's line to the disable.

The line is the detector's own (`floor_usd` of Runaway Confirmed): until then the spend is within what the key's habits
and budget allow, and nothing could call it a runaway. What is lost is what was spent after it.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from governor.broadcast.messages import Watch, digest_of
from sandbox.scenario.organization import SEARCH
from sandbox.scenario.scenario import Scenario, usd
from sandbox.scenario.world import MANAGEMENT_KEY, MODELS, World

TOKEN = "fake-broadcast-token-of-the-sandbox-0123456789"
SECRET = "governor/broadcast"
PARAMETERS = {"BroadcastSecretName": SECRET}
SECRETS = {SECRET: json.dumps({"token": TOKEN})}
SECOND = timedelta(seconds=1)
BEGINS = datetime(2026, 1, 29, 3, 0, tzinfo=UTC)
USD_AN_HOUR = 500
WITHIN = 5
"""Virtual seconds from the crossing request to the disable: what the stack waits. Five more of the promised ten are
left for the functions themselves, whose time is the machine's: it is told, and not held to a limit."""
ON_THE_WAY = ("BroadcastTallyFunction", "SpendMeterFunction", "KillSwitchFunction")
"""Who works between the crossing request and the disable; all others work beside them in AWS."""
AT_MOST = 5.0
"""USD lost after the line was crossed."""


def connect(world: World, **changes: Any) -> str:
    """Switches Broadcast on in the workload's workspace, and sends it to Governor; the destination's id."""
    place = world.key(SEARCH).workspace_id
    headers = {"Authorization": f"Bearer {MANAGEMENT_KEY}"}
    world.simulator.organization.workspaces[place].settings["is_observability_broadcast_enabled"] = True
    config = {"url": world.engine.outputs["BroadcastUrl"], "headers": {"x-governor-broadcast": TOKEN}}
    made = httpx.post(
        f"{world.base_url}/observability/destinations",
        json={"type": "webhook", "name": "governor", "workspace_id": place, "config": config, "privacy_mode": True}
        | {"broadcast_generation_cost": True, "broadcast_generation_identity": True}
        | changes,
        headers=headers,
        timeout=30,
    )
    assert made.status_code == 201, made.text
    return str(made.json()["data"]["id"])


def push(world: World, name: str, amount: float) -> float:
    """One request of this cost, which OpenRouter broadcasts; what was spent."""
    spent = world.simulator.spend(
        world.hash(name), amount, requests=1, model=MODELS[1], app="agent-runner", broadcast=True
    )
    world.simulator.broadcaster.wait()
    return spent.accepted_usd


def line_of(world: World, name: str) -> float | None:
    """What the key may still spend, as the meter's last reading has it."""
    found = world.engine.client("s3").get_object(Bucket=world.engine.physical("ReadingBucket"), Key="watch/lines.json")
    return Watch.decode(found["Body"].read()).lines[digest_of(name)].usd


def loop_by_seconds(world: World) -> Scenario:
    scenario = Scenario(
        "Broadcast on: a $500-an-hour loop is disabled within seconds of the request that crosses the line"
    )
    connect(world)
    world.run(BEGINS, every=timedelta(minutes=5))
    for _ in range(3):
        push(world, SEARCH, 0.01)  # the first request of the morning, of which the meter asks analytics for the month
        world.run(world.now + timedelta(minutes=1))
    before, spent = world.spent(SEARCH), [(world.now, 0.0)]
    world.engine.clock.stand_still()  # a slow machine is no slower stack
    while not world.key(SEARCH).disabled and world.now < BEGINS + timedelta(minutes=20):
        push(world, SEARCH, USD_AN_HOUR / 3600)
        spent.append((world.now, world.spent(SEARCH) - before))
        world.engine.run_until(spent[-1][0] + SECOND)
    disabled_at = world.now
    world.engine.clock.tick()
    confirmed = world.events("Runaway Confirmed", subject=SEARCH)
    evidence = confirmed[0]["detail"]["evidence"] if confirmed else {}
    habit = evidence.get("spent_usd", 0.0) - _at(spent, confirmed[0]["detail"]["occurred_at"]) if confirmed else 0.0
    line = evidence.get("floor_usd", 0.0) - max(habit, 0.0)
    crossed, at_line = next(((at, usd) for at, usd in spent if usd >= line), spent[-1])
    lost = world.spent(SEARCH) - before - at_line
    seconds = (disabled_at - crossed).total_seconds()
    woken = [
        one for one in world.engine.invocations if one.function == "SpendMeterFunction" and "tip" in (one.event or {})
    ]
    done = [one for one in world.engine.invocations if crossed <= one.at <= disabled_at]
    working = sum(one.seconds for one in done if one.function in ON_THE_WAY)
    scenario.facts = {
        "seconds_from_the_crossing_request": round(seconds, 1),
        "seconds_of_functions_on_the_way": round(working, 1),
        "lost_usd": round(lost, 2),
        "spent_by_the_loop_usd": round(world.spent(SEARCH) - before, 2),
        "seconds_of_the_loop": round((disabled_at - spent[0][0]).total_seconds(), 1),
        "line_usd": round(evidence.get("floor_usd", 0.0), 2),
        "woken_readings": len(woken),
        "deliveries": len(spent) - 1,
    }
    scenario.tell(
        f"the line was {usd(evidence.get('floor_usd'))} in {evidence.get('window_minutes')} minutes; disabled "
        f"{seconds:.1f} virtual seconds after the request that crossed it, {usd(lost)} lost; the functions on "
        f"the way took {working:.1f} s on this machine",
        f"{scenario.facts['woken_readings']} readings between two minutes; the loop spent "
        f"{usd(scenario.facts['spent_by_the_loop_usd'])} in all, most of it before anything could tell it from a burst",
    )
    scenario.must(world.key(SEARCH).disabled, "the key is disabled")
    scenario.must(bool(woken), "a tip woke a reading")
    scenario.must(seconds <= WITHIN, f"within {WITHIN} virtual seconds of the crossing request, not {seconds:.1f}")
    scenario.must(lost <= AT_MOST, f"at most {usd(AT_MOST)} lost, not {usd(lost)}")
    scenario.must(len(confirmed) == 1, "Runaway Confirmed published once")
    world.run(world.now + timedelta(minutes=5))
    again = [world.events(kind, subject=SEARCH) for kind in ("Runaway Confirmed", "Key Disabled")]
    scenario.must([len(found) for found in again] == [1, 1], "and the runs after it tell nothing twice")
    scenario.must(not world.engine.dead_letters(), "no dead letters")
    return scenario


def seconds(world: World) -> Iterator[tuple[Scenario, datetime, datetime]]:
    """The one scenario, with the virtual time it took."""
    started = world.now
    yield loop_by_seconds(world), started, world.now


def _at(spent: list[tuple[datetime, float]], instant: str) -> float:
    """What the loop had spent by then."""
    moment = datetime.fromisoformat(instant)
    return max((usd for at, usd in spent if at.replace(microsecond=0) <= moment), default=0.0)
