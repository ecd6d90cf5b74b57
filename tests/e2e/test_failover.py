"""Failover checks through the built stack: schedule, a drill by event, OpenRouter, Slack, page; the role enforced."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.scenario.provider_keys import ANSWERS, ORDERS, PLACES, ProviderKeys, provider_keys, settle_in
from sandbox.scenario.world import open_world


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[ProviderKeys]:
    with open_world(tmp_path, account=provider_keys()) as world:
        yield settle_in(world)


def test_a_gap_is_told_a_drill_runs_when_asked_twice_delivered_and_a_page_is_kept(keys: ProviderKeys) -> None:
    world = keys.world
    keys.credential(ANSWERS, "primary").settings["disabled"] = True
    keys.ticks(2)
    (gap,) = keys.told("Failover Gap Found", ANSWERS)
    assert gap["evidence"]["rule"] == "tier_disabled"
    world.engine.faults.deliver_twice("ByokFailoverFunction")
    keys.drill("drill-1")
    world.run(world.now + timedelta(minutes=3))
    (passed,) = keys.told("Drill Passed", ORDERS)
    assert passed["evidence"]["back"] is True
    assert "passed. Without primary, credential second served" in keys.slack("Failover drill")
    assert "would not work as the policy expects" in keys.slack(PLACES[ANSWERS])
    bucket = next(
        one["Name"] for one in world.engine.client("s3").list_buckets()["Buckets"] if "reading" in one["Name"]
    )
    page = world.engine.client("s3").get_object(Bucket=bucket, Key="pages/byok.md")["Body"].read().decode()
    assert all(f"## {place}/anthropic" in page for place in PLACES.values())
    assert world.engine.dead_letters() == []
