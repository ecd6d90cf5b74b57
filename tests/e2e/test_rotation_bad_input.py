"""Four workloads that cannot be rotated, and one that can: one clear error each, and the fifth is none the wiser."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from governor.policy import lineage_name
from sandbox.openrouter.bodies import CredentialCreation
from sandbox.openrouter.resources import add_credential
from sandbox.scenario.organization import Founding, KeyOfOrganization
from sandbox.scenario.world import World, open_world

PLACE = "platform-production"
WELL, MISPLACED, UNGUARDED, CROWDED, DELETED = (
    "prod-well", "prod-misplaced", "prod-unguarded", "prod-crowded", "prod-deleted",
)  # fmt: skip
WORKLOADS = (MISPLACED, UNGUARDED, CROWDED, DELETED, WELL)
RULES = {
    MISPLACED: ("workspace_missing", "nowhere"),
    UNGUARDED: ("guardrail_missing", "strict"),
    CROWDED: ("allowlist_full", "100"),
    DELETED: ("key_dead", "deleted"),
}


def _secret(name: str) -> str:
    return f"openrouter/{name}"


def _policy(url: str) -> str:
    lines = [f"version: 1\naccount: {{base_url: {url!r}}}\nalerts: {{channel: C0GOVERNOR}}\nworkloads:\n"]
    for name in WORKLOADS:
        guardrail = ", guardrail: strict" if name == UNGUARDED else ""
        place = "nowhere" if name == MISPLACED else PLACE
        lines.append(
            f"  - name: {name}\n    workspace: {place}\n    owner: {{slack: U0OWNER}}\n"
            f"    key: {{limit_usd: 100, limit_reset: monthly{guardrail}}}\n    secret: {_secret(name)}\n"
        )
    return "".join(lines) + "approvals: {channel: C0GOVERNOR, approvers: [U0LEAD], by_event: true}\n"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    keys = tuple(KeyOfOrganization(name, PLACE, "steady", 5.0, 100, "monthly") for name in WORKLOADS)
    begun = datetime(2026, 4, 6, tzinfo=UTC)
    held = {_secret(name): name for name in WORKLOADS}
    account = Founding(begun, timedelta(days=28), (PLACE,), keys, _policy, held)
    with open_world(tmp_path, account=account) as opened:
        yield opened


def _named(world: World, workload: str) -> list[Any]:
    return [key for key in world.simulator.organization.keys if lineage_name(key.name) == workload]


def _crowd(world: World) -> Any:
    """A credential whose allowlist is full, with the workload's key among its hundred."""
    others = [world.simulator.create_key(f"other-{number}", workspace=PLACE)[0].hash for number in range(99)]
    body = CredentialCreation(
        provider="anthropic", key="fake-raw-key", name="ours", workspace_id=PLACE,
        allowed_api_key_hashes=[world.hash(CROWDED), *others],
    )  # fmt: skip
    return add_credential(world.simulator.organization, body)


def _deleted_at_once(world: World) -> None:
    """Somebody deletes the new key by hand, between the steps."""
    for key in _named(world, DELETED)[:]:
        if "#" in key.name:
            world.simulator.organization.delete_key(key.hash)


def test_each_is_told_with_its_fix_and_keeps_its_key_while_the_rest_is_rotated(world: World) -> None:
    credential = _crowd(world)
    allowed = list(credential.settings["allowed_api_key_hashes"])
    before = {name: world.secret(_secret(name))["api_key"] for name in WORKLOADS}
    world.run(world.now + timedelta(minutes=1))
    world.simulator.on_write = lambda: _deleted_at_once(world)
    for name in WORKLOADS:
        world.put_event("Rotation Requested", {"subject": name, "evidence": {"requested_by": "U0LEAD"}})
    world.run(world.now + timedelta(minutes=20))

    assert world.secret(_secret(WELL))["api_key"] != before[WELL]
    assert world.events("Key Rotated", subject=WELL)
    log, lines = world.engine.logs("KeyRotationFunction"), world.slack_lines()
    for name, (rule, said) in RULES.items():
        told = [event["detail"]["evidence"]["rule"] for event in world.events("Rotation Failed", subject=name)]
        assert told == [rule], name
        assert [line for line in lines if name in line and "could not be given a new key" in line and said in line], (
            name
        )
        assert rule in log
        assert world.secret(_secret(name))["api_key"] == before[name], "the secret holds the key that works"
        assert world.asked_with(before[name]) == 200, name
    assert credential.settings["allowed_api_key_hashes"] == allowed
