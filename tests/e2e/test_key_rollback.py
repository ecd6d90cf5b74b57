"""A former key comes back by people's decision, through the built stack; each function under its own role."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.scenario.organization import SEARCH, founding
from sandbox.scenario.world import CHANNEL, World, open_world

MINUTES = timedelta(minutes=1)
SECRET = "openrouter/prod/search-agent"
OWNER = "U0SEARCH"
TIER_ONE = f"owner: {{slack: {OWNER}}}\n    tier: 1"


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """The policy believes no event; `request.param`: the tier of the workload."""
    account = founding()

    def policy(base_url: str) -> str:
        text = account.policy(base_url)
        assert TIER_ONE in text
        return text.replace("by_event: true", "by_event: false").replace(TIER_ONE, TIER_ONE[:-1] + str(request.param))

    with open_world(tmp_path, account=replace(account, policy=policy)) as opened:
        yield opened


def _rotated(world: World) -> tuple[str, str]:
    """The plaintext of the former key and that of the new one."""
    world.run(world.now + 2 * MINUTES)
    before = str(world.secret(SECRET)["api_key"])
    world.command("U0DATA", f"rotate {SEARCH}")
    world.run(world.now + 15 * MINUTES, every=5 * MINUTES)
    after = str(world.secret(SECRET)["api_key"])
    assert after != before
    return before, after


@pytest.mark.parametrize("world", [1], indirect=True)
def test_the_owner_clicks_roll_back_and_an_event_that_names_an_approver_gets_nothing(world: World) -> None:
    before, after = _rotated(world)
    world.put_event("Rollback Requested", {"subject": SEARCH, "evidence": {"requested_by": "U0LEAD"}})
    world.run(world.now + MINUTES)
    (refused,) = world.events("Rollback Refused", subject=SEARCH)
    assert refused["detail"]["evidence"]["rule"] == "by_event"
    assert world.secret(SECRET)["api_key"] == after
    assert not any("U0LEAD" in line for line in world.slack.transcript(CHANNEL).splitlines() if "former key" in line)
    sent = world.click(OWNER, "Roll back", holding=SEARCH)
    assert world.slack.resend(sent, retry=1).status == 200
    world.run(world.now + 2 * MINUTES)
    assert world.secret(SECRET)["api_key"] == before
    assert world.asked_with(before) == 200
    assert world.asked_with(after) == 200, "the newer key drains"
    (told,) = world.events("Rotation Rolled Back", subject=SEARCH)
    assert told["detail"]["evidence"]["requested_by"] == OWNER
    assert len(world.events("Approval Granted")) == 1
    world.command("U0LEAD", f"rollback-key {SEARCH}")
    world.run(world.now + 2 * MINUTES)
    assert world.secret(SECRET)["api_key"] == after, "a rollback is undone by another"
    assert world.engine.dead_letters() == []


@pytest.mark.parametrize("world", [0], indirect=True)
def test_of_tier_zero_the_owner_asks_and_an_approver_says_yes(world: World) -> None:
    before, after = _rotated(world)
    world.command(OWNER, f"rollback-key {SEARCH}")
    assert "The approvers are asked" in world.slack.told(OWNER)[-1]
    world.click(OWNER, "Approve")
    assert "yourself" in world.slack.told(OWNER)[-1]
    world.run(world.now + 2 * MINUTES)
    assert world.secret(SECRET)["api_key"] == after
    assert any("Comes back:" in line for line in world.slack.transcript(CHANNEL).splitlines())
    world.click("U0SEC", "Approve")
    world.run(world.now + 2 * MINUTES)
    assert world.secret(SECRET)["api_key"] == before
    (told,) = world.events("Rotation Rolled Back", subject=SEARCH)
    assert told["detail"]["evidence"]["requested_by"] == "U0SEC"
    assert world.engine.dead_letters() == []
