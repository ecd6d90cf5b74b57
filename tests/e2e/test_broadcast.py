"""Broadcast through the built stack: each function under its own role, the stream, and virtual seconds."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from sandbox.scenario.organization import SEARCH
from sandbox.scenario.seconds import PARAMETERS, SECRET, SECRETS, TOKEN, USD_AN_HOUR, connect, loop_by_seconds, push
from sandbox.scenario.world import MODELS, World, open_world
from spend_meter.limits import LIMITS
from tests.everything import everything
from tests.unit.broadcast_gateway.otlp import request

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def pushed(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path, PARAMETERS, own_secrets=SECRETS) as world:
        yield world


def test_a_loop_is_disabled_within_ten_seconds_of_the_request_that_crosses_the_line(pushed: World) -> None:
    scenario = loop_by_seconds(pushed)
    assert scenario.passed, scenario.broken
    facts = scenario.facts
    # The line is the least sum that any rule confirms: up to it no reading can tell a loop from a burst. Lost is what
    # was spent after the request that crossed it.
    assert facts["line_usd"] == LIMITS.floor[0]
    assert facts["lost_usd"] <= 5
    assert facts["spent_by_the_loop_usd"] - facts["lost_usd"] <= facts["line_usd"] + USD_AN_HOUR / 3600


def test_a_forged_delivery_is_refused_and_a_genuine_one_can_make_the_meter_read_and_no_more(pushed: World) -> None:
    url = pushed.engine.outputs["BroadcastUrl"]
    pushed.run(pushed.now + 3 * MINUTE)
    keys = pushed.keys_as_set()

    def deliver(number: int, token: str) -> int:
        ended = int(pushed.now.timestamp())
        body = json.dumps(request(generation=f"gen-{number}", usd=900.0, name=SEARCH, ended=ended))
        headers = {"x-governor-broadcast": token, "content-type": "application/json"}
        return httpx.post(url, content=body, headers=headers, timeout=30).status_code

    assert {deliver(number, f"{TOKEN[:-1]}{number % 9}x") for number in range(50)} == {401}
    pushed.engine.run_until(5 * SECOND)
    assert not [one for one in pushed.engine.invocations if one.function == "BroadcastTallyFunction"]
    for number in range(20):
        assert deliver(number, TOKEN) == 200
        pushed.engine.run_until(3 * SECOND)
    woken = [one for one in pushed.engine.invocations if "tip" in (one.event or {})]
    assert 1 <= len(woken) <= 12
    assert {one.result["outcome"] for one in woken} == {"read"}
    pushed.run(pushed.now + 5 * MINUTE)
    assert pushed.keys_as_set() == keys
    assert pushed.writes() == []
    assert pushed.events(subject=SEARCH) == []
    assert pushed.engine.dead_letters() == []


def test_of_a_delivery_with_a_prompt_nothing_is_kept_anywhere_and_people_are_told_once(pushed: World) -> None:
    connect(pushed, privacy_mode=False)
    pushed.run(pushed.now + MINUTE)
    prompt = "an unmistakable secret question of nobody"
    for _ in range(3):
        answer = httpx.post(
            f"{pushed.base_url}/chat/completions",
            headers={"Authorization": f"Bearer {pushed.plaintexts[SEARCH]}"},
            json={"model": MODELS[0], "max_tokens": 16, "messages": [{"role": "user", "content": prompt}]},
            timeout=30,
        )
        assert answer.status_code == 200
        pushed.simulator.broadcaster.wait()
        pushed.run(pushed.now + 2 * MINUTE)
    told = pushed.events("Monitor Blind")
    assert [one["detail"]["evidence"]["kind"] for one in told] == ["broadcast_content"]
    assert sum("prompts or completions" in line for line in pushed.slack_lines()) == 1
    assert [place for place, text in everything(pushed) if prompt in text] == []
    assert not [one for one in pushed.simulator.broadcaster.delivered if one.status != 200]


def test_openrouters_connection_test_passes_and_ordinary_traffic_wakes_no_reading(pushed: World) -> None:
    pushed.simulator.test_connection(connect(pushed))
    pushed.simulator.broadcaster.wait()
    for _ in range(30):
        push(pushed, SEARCH, 0.02)
        pushed.engine.run_until(10 * SECOND)
    assert {one.status for one in pushed.simulator.broadcaster.delivered} == {200}
    assert len(pushed.simulator.broadcaster.delivered) == 32
    assert not [one for one in pushed.engine.invocations if "tip" in (one.event or {})]
    windows = [one.result for one in pushed.engine.invocations if one.function == "BroadcastTallyFunction"]
    assert {"state": {}, "batchItemFailures": []} in windows


def test_a_destination_that_somebody_changed_and_a_silent_workspace_are_told_and_their_ends_too(pushed: World) -> None:
    destination = connect(pushed)
    settings = pushed.simulator.organization.destinations[destination].settings
    place = pushed.key(SEARCH).workspace_id

    def minutes(count: int, broadcast: bool = True) -> list[tuple[str, str]]:
        for _ in range(count):
            if broadcast:
                push(pushed, SEARCH, 0.02)
            else:
                pushed.simulator.spend(pushed.hash(SEARCH), 0.02, requests=1, model=MODELS[0], app="agent-runner")
            pushed.run(pushed.now + MINUTE)
        return [
            (event["detail-type"], event["detail"]["evidence"]["kind"])
            for kind in ("Monitor Blind", "Monitor Recovered")
            for event in pushed.events(kind, subject=f"broadcast {place}")
        ]

    assert minutes(45) == []
    settings["enabled"] = False
    told = [("Monitor Blind", "broadcast_drifted")]
    assert minutes(25, broadcast=False) == told
    settings["enabled"] = True
    told.append(("Monitor Recovered", "broadcast_drifted"))
    assert minutes(15) == told
    told.insert(1, ("Monitor Blind", "broadcast_silent"))
    assert minutes(50, broadcast=False) == told
    told.append(("Monitor Recovered", "broadcast_silent"))
    assert minutes(15) == told
    lines = "\n".join(pushed.slack_lines())
    assert lines.count("is set up as Governor needs it again") == 1
    assert lines.count("Broadcast pushes requests of workspace") == 1
    assert pushed.engine.dead_letters() == []


def test_openrouters_own_notification_has_the_keys_of_a_workspace_read_and_no_more(pushed: World) -> None:
    notifications = "fake-notifications-token-of-the-sandbox-0123456789"
    pushed.engine.client("secretsmanager").put_secret_value(
        SecretId=SECRET, SecretString=json.dumps({"token": TOKEN, "notifications": notifications})
    )
    pushed.run(pushed.now + 3 * MINUTE)
    keys = pushed.keys_as_set()
    body = json.dumps({"type": "workspace_budget", "data": {"workspace": {"id": pushed.key(SEARCH).workspace_id}}})
    url = f"{pushed.engine.outputs['BroadcastUrl'].rstrip('/')}/notifications/"
    assert httpx.post(url + "n" * 40, content=body, timeout=30).status_code == 401
    assert httpx.post(url + notifications, content=body, timeout=30).status_code == 200
    pushed.engine.run_until(5 * SECOND)
    woken = [one for one in pushed.engine.invocations if "tip" in (one.event or {})]
    assert [one.result["outcome"] for one in woken] == ["read"]
    assert pushed.keys_as_set() == keys
    assert pushed.writes() == []
    assert pushed.engine.dead_letters() == []
