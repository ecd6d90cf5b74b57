"""A rotation through the built stack: event, Secrets Manager, four steps, Slack; each function under its own role."""

import json
from datetime import timedelta
from typing import Any

import httpx

from sandbox.scenario.organization import REPORTS
from sandbox.scenario.world import World

SECRET = "openrouter/prod/finance-reports"
ANA = "user_fake_ana"
ALLOWED, REFUSED = "anthropic/claude-haiku-4.5", "anthropic/claude-opus-4.5"


def _secret(world: World) -> dict[str, Any]:
    text = world.engine.client("secretsmanager").get_secret_value(SecretId=SECRET)["SecretString"]
    held: dict[str, Any] = json.loads(text)
    return held


def _works(world: World, plaintext: str) -> bool:
    headers = {"Authorization": f"Bearer {plaintext}"}
    return httpx.get(f"{world.base_url}/key", headers=headers, timeout=30).status_code == 200


def _served(world: World, plaintext: str) -> tuple[int, int, bool]:
    """The status of a model that the guardrail refuses and of one that it allows; whether an own key paid."""
    refused, allowed = (_ask(world, plaintext, model) for model in (REFUSED, ALLOWED))
    return refused.status_code, allowed.status_code, allowed.json()["usage"]["is_byok"]


def _ask(world: World, plaintext: str, model: str) -> httpx.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 16}
    headers = {"Authorization": f"Bearer {plaintext}"}
    return httpx.post(f"{world.base_url}/chat/completions", headers=headers, json=body, timeout=30)


def test_a_key_is_replaced_at_a_persons_request_and_both_work_in_the_overlap(world: World) -> None:
    before = _secret(world)["api_key"]
    world.put_event("Rotation Requested", {"subject": REPORTS, "evidence": {"requested_by": "U0LEAD"}})
    world.run(world.now + timedelta(minutes=3))
    after = _secret(world)
    assert after["api_key"] != before
    assert after["name"].startswith(f"{REPORTS}#")
    assert _works(world, before)
    assert _works(world, after["api_key"])
    told = [event["detail-type"] for event in world.events(subject=REPORTS)]
    assert told[:2] == ["Rotation Started", "Key Rotated"]
    assert any("has a new key" in line for line in world.slack_lines())
    limits = [key.limit or 0 for key in world.simulator.organization.keys if key.name.startswith(REPORTS)]
    assert 0 < sum(limits) <= 10 + 1e-6
    assert world.engine.dead_letters() == []
    assert world.copied(SECRET, "eu-west-1") == [after, after]


def test_the_former_key_comes_back_at_an_approvers_request(world: World) -> None:
    before = _secret(world)["api_key"]
    world.put_event("Rotation Requested", {"subject": REPORTS, "evidence": {"requested_by": "U0LEAD"}})
    world.run(world.now + timedelta(minutes=3))
    world.put_event("Rollback Requested", {"subject": REPORTS, "evidence": {"requested_by": "U0SEC"}})
    world.run(world.now + timedelta(minutes=12))
    assert _secret(world)["api_key"] == before
    assert _works(world, before)
    assert [copy["api_key"] for copy in world.copied(SECRET, "eu-west-1")] == [before, before]
    assert world.events("Rotation Rolled Back", subject=REPORTS)


def test_a_members_key_is_replaced_by_a_key_of_the_same_member(world: World) -> None:
    """Red before: the new key was nobody's, so a model that was refused was served, and from credits."""
    organization, place = world.simulator.organization, "platform-production"
    bounds = {"allowed_models": [ALLOWED], "limit_usd": 50.0, "reset_interval": "monthly", "members": [ANA]}
    world.simulator.declare(
        {
            "members": [ANA],
            "guardrails": [{"name": "people", "workspace": place, **bounds}],
            "byok": [{"provider": "anthropic", "key": "fake-raw-key", "workspace": place, "allowed_user_ids": [ANA]}],
        }
    )
    next(one for one in organization.keys if one.name == REPORTS).creator_user_id = ANA
    before = _secret(world)["api_key"]
    assert _served(world, before) == (403, 200, True)
    world.put_event("Rotation Requested", {"subject": REPORTS, "evidence": {"requested_by": "U0LEAD"}})
    world.run(world.now + timedelta(minutes=3))
    after = _secret(world)["api_key"]
    assert after != before
    assert _served(world, after) == (403, 200, True)
    organization.remove_member(ANA)
    world.put_event("Rotation Requested", {"subject": REPORTS, "evidence": {"requested_by": "U0LEAD"}})
    world.run(world.now + timedelta(minutes=3))
    assert _secret(world)["api_key"] == after
    told = [event["detail"]["evidence"]["rule"] for event in world.events("Rotation Failed", subject=REPORTS)]
    assert "creator_gone" in told
    assert any("no member of the organization any more" in line for line in world.slack_lines())


def test_a_secret_that_is_no_workloads_is_refused_by_name(world: World) -> None:
    secrets = world.engine.client("secretsmanager")
    secrets.create_secret(Name="openrouter/other", SecretString='{"api_key": "fake"}')
    function = world.engine.client("lambda").get_function(FunctionName="sandbox-key-rotation")
    arn = function["Configuration"]["FunctionArn"]
    secrets.rotate_secret(
        SecretId="openrouter/other", RotationLambdaARN=arn, RotationRules={"AutomaticallyAfterDays": 30}
    )
    world.run(world.now + timedelta(minutes=1))
    assert "secret openrouter/other is not a workload's" in world.engine.logs("KeyRotationFunction")
    told = [
        event["detail"]["evidence"]["rule"] for event in world.events("Rotation Failed", subject="openrouter/other")
    ]
    assert told == ["foreign_secret"]
    assert any("openrouter/other is not a workload's" in line for line in world.slack_lines())
