"""An allowance through the built stack: the meter says, the retirement sets, OpenRouter enforces; roles enforced."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from governor.keys.allowance import GRANTED, MOST, Needs
from governor.storage.s3_readings import NEEDS
from sandbox.scenario.organization import SEARCH, founding
from sandbox.scenario.world import World, open_world

MINUTES = timedelta(minutes=1)
SECRET = "openrouter/prod/search-agent"
CAP = 200.0
WITHOUT = "key: {limit_usd: 200, limit_reset: monthly"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    account = founding()

    def policy(base_url: str) -> str:
        text = account.policy(base_url)
        assert text.count(WITHOUT) == 1
        return text.replace(WITHOUT, f"{WITHOUT}, allowance: {{covers: 6h}}")

    with open_world(tmp_path, account=replace(account, policy=policy)) as opened:
        yield opened


def _current(world: World) -> Any:
    return world.simulator.organization.keys.get(world.secret(SECRET)["hash"])


def _needed(world: World) -> float:
    bucket = world.engine.outputs["ReadingBucket"]
    content = world.engine.client("s3").get_object(Bucket=bucket, Key=NEEDS)["Body"].read()
    return Needs.decode(content).by_workload[SEARCH].usd


def _spent(world: World, key: Any) -> float:
    return float(key.meter.spent("monthly", world.now.timestamp(), include_byok=False))


def test_a_new_key_is_held_to_its_allowance_and_a_loop_that_uses_it_up_is_disabled(world: World) -> None:
    world.run(world.now + 2 * MINUTES)
    world.command("U0DATA", f"rotate {SEARCH}")
    world.run(world.now + 25 * MINUTES, every=5 * MINUTES)
    key, need = _current(world), _needed(world)
    assert key.limit - _spent(world, key) == pytest.approx(GRANTED * need, rel=MOST - 1)
    held = [one for one in world.simulator.organization.keys if one.name.startswith(SEARCH) and not one.disabled]
    assert len(held) == 2
    assert sum(max(one.limit or CAP, _spent(world, one)) for one in held) <= CAP
    assert world.asked_with(world.secret(SECRET)["api_key"]) == 200
    assert world.engine.dead_letters() == []
    world.simulator.spend(key.hash, key.limit - _spent(world, key) + 0.01)
    assert world.asked_with(world.secret(SECRET)["api_key"]) == 403, "OpenRouter holds the key to its allowance"
    world.run(world.now + 3 * MINUTES)
    (confirmed,) = world.events("Runaway Confirmed", subject=SEARCH)
    assert confirmed["detail"]["evidence"]["spent_usd"] >= need
    assert world.events("Key Disabled", subject=SEARCH)
    assert key.disabled
    assert world.engine.dead_letters() == []
