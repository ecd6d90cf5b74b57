"""A runaway in the built stack, as those on call hear of it: PagerDuty, Teams and a webhook, over API destinations."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.on_call import Receiver
from sandbox.scenario.organization import SEARCH
from sandbox.scenario.world import World, open_world

MINUTES = timedelta(minutes=1)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().serve() as serving:
        yield serving


@pytest.fixture
def world(tmp_path: Path, receiver: Receiver) -> Iterator[World]:
    with open_world(tmp_path, receiver.parameters, own_secrets=receiver.secrets) as opened:
        yield opened


def test_a_runaway_pages_is_acknowledged_by_the_disable_and_resolved_by_the_restore(
    world: World, receiver: Receiver
) -> None:
    world.run(world.now + 2 * MINUTES)
    world.loop(SEARCH, 500)
    assert world.run_while(lambda: not world.events("Key Disabled"), at_most=20 * MINUTES)
    world.end_loop(SEARCH)
    world.run(world.now + 3 * MINUTES)
    incident = f"sandbox#runaway#{SEARCH}"
    assert receiver.incidents == {incident: "acknowledged"}

    world.run(world.now + 30 * MINUTES)
    assert receiver.incidents == {incident: "acknowledged"}, "it stands still, and nobody has restored it"

    request = {"subject": SEARCH, "evidence": {"cause": "runaway", "requested_by": "U0LEAD"}}
    world.put_event("Restore Requested", request)
    assert world.run_while(lambda: not world.events("Key Restored"), at_most=10 * MINUTES)
    world.run(world.now + 3 * MINUTES)
    assert receiver.incidents == {incident: "resolved"}
    assert [one["event_action"] for one in receiver.pagerduty][:2] == ["trigger", "acknowledge"]

    kinds = {card["attachments"][0]["content"]["body"][0]["text"] for card in receiver.teams}
    assert {"Governor: Runaway Confirmed", "Governor: Key Disabled", "Governor: Key Restored"} <= kinds
    assert {event["detail"]["id"] for event in receiver.events} == {event["detail"]["id"] for event in world.events()}
    assert receiver.refused == []
    assert world.engine.dead_letters() == []
