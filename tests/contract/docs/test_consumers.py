"""What the document for consumers shows survives a rotation and a leak: its code runs against Secrets Manager and
OpenRouter."""

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import httpx
import pytest
import time_machine
from aws_lambda_powertools.utilities.parameters import clear_caches
from aws_secretsmanager_caching import SecretCache, SecretCacheConfig
from moto import mock_aws

from sandbox.engine.pattern import check, matches
from sandbox.engine.secrets_manager import as_documented
from sandbox.openrouter import Simulator

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "consumers.md"
SECRET = "openrouter/prod/search-agent"
BODY = {"model": "anthropic/claude-haiku-4.5", "max_tokens": 16, "messages": [{"role": "user", "content": "Hello"}]}
PLAIN, LAMBDA, CACHING, REDEPLOY = re.findall(
    r"^```python\n(.*?)^```", DOCUMENT.read_text(), flags=re.MULTILINE | re.DOTALL
)
ALL = pytest.mark.parametrize(
    ("code", "ask"),
    [
        (PLAIN, lambda shown: shown["complete"](BODY)),
        (LAMBDA, lambda shown: shown["lambda_handler"](BODY, None)),
        (CACHING, lambda shown: shown["complete"](BODY)),
    ],
    ids=["plain boto3", "powertools", "caching client"],
)


class Workload:
    """A secret, and the keys that it held."""

    def __init__(self, base_url: str, simulator: Simulator) -> None:
        self.base_url, self.simulator = base_url, simulator
        self.secrets = boto3.client("secretsmanager")
        self.secrets.create_secret(Name=SECRET)
        self.hash = self.rotate()

    def rotate(self) -> str:
        key, plaintext = self.simulator.create_key("prod-search-agent")
        value = {"api_key": plaintext, "hash": key.hash, "base_url": self.base_url}
        self.secrets.put_secret_value(SecretId=SECRET, SecretString=json.dumps(value))
        return key.hash

    def disable(self, hash: str) -> None:
        key = self.simulator.organization.keys.get(hash)
        assert key
        key.disabled = True


@pytest.fixture
def workload(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workload]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    simulator = Simulator("fake-management-key")
    with mock_aws(), as_documented(), simulator.serve() as base_url:
        clear_caches()
        yield Workload(base_url, simulator)
        clear_caches()


def shown(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(code, str(DOCUMENT), "exec"), names)
    return names


@ALL
def test_the_code_shown_goes_on_through_a_rotation_and_a_leak(code: str, ask: Any, workload: Workload) -> None:
    names = shown(code)
    assert ask(names)["choices"]
    first = workload.hash
    second = workload.rotate()
    assert ask(names)["choices"], "the former key works in the overlap"
    workload.disable(first)
    assert ask(names)["choices"], "a leaked key is dead at once; the secret has the new one"
    workload.disable(second)
    with pytest.raises(Exception, match="401"):
        ask(names)


def test_the_redeployment_shown_is_one_that_ecs_takes(workload: Workload) -> None:
    ecs = boto3.client("ecs")
    ecs.create_cluster(clusterName="prod")
    ecs.register_task_definition(family="search", containerDefinitions=[{"name": "search", "image": "i", "memory": 1}])
    ecs.create_service(cluster="prod", serviceName="search-agent", taskDefinition="search", desiredCount=1)
    shown(REDEPLOY)["lambda_handler"]({}, None)
    assert ecs.describe_services(cluster="prod", services=["search-agent"])["services"][0]["status"] == "ACTIVE"


def test_the_caching_client_left_to_its_default_hands_out_the_dead_key(workload: Workload) -> None:
    """Why the document gives it minutes and a new cache: it has no way to learn of a 401."""
    assert SecretCacheConfig().secret_refresh_interval == 3600
    cache = SecretCache(client=workload.secrets)
    dead = json.loads(cache.get_secret_string(SECRET))["hash"]
    workload.disable(dead)
    new = workload.rotate()
    assert json.loads(cache.get_secret_string(SECRET))["hash"] == dead != new


def test_every_cache_shown_asks_again_within_five_minutes() -> None:
    """The AWS caching client's own default is an hour, in which a dead key is served."""
    stated = r"(?:MAX_AGE = |, )(\d+)$|max_age=(\d+)|secret_refresh_interval=(\d+)"
    ages = re.findall(stated, PLAIN + LAMBDA + CACHING, re.MULTILINE)
    assert [int("".join(one)) for one in ages] == [300, 300, 300]


STEP, LONG = 10, 3600
"""Seconds between two requests of a consumer, and how long it is watched."""


def seconds_until_new(names: dict[str, Any], ask: Any, workload: Workload, clock: time_machine.Traveller) -> int:
    """From a rotation to the consumer's first request with the new key; a request is noted, and answered with a 200."""
    used: list[str] = []

    def noted(held: dict[str, Any], _body: Any) -> httpx.Response:
        used.append(held["hash"])
        return httpx.Response(200, json={"choices": [1]}, request=httpx.Request("POST", "https://openrouter.ai"))

    names["ask"] = noted
    names["time"] = SimpleNamespace(monotonic=time.time)  # the clock that travels; monotonic ones do not
    ask(names)
    former, new = used[0], workload.rotate()
    assert former == workload.hash != new
    for seconds in range(0, LONG, STEP):
        ask(names)
        if used[-1] == new:
            return seconds
        clock.shift(STEP)
    raise AssertionError("the new key was never used")


@ALL
def test_the_table_says_how_long_a_consumer_goes_on_with_the_former_key(
    code: str, ask: Any, workload: Workload, request: pytest.FixtureRequest
) -> None:
    stated = dict(re.findall(r"^\| ([^|]+) \| (\d+) s, measured", DOCUMENT.read_text(), re.MULTILINE))
    name = {
        "plain boto3": "Plain boto3",
        "powertools": "Lambda with Powertools",
        "caching client": "AWS's caching client",
    }[request.node.callspec.id]
    with time_machine.travel(datetime(2026, 11, 27, tzinfo=UTC), tick=False) as clock:
        seconds = seconds_until_new(shown(code), ask, workload, clock)
    assert 0 < seconds <= int(stated.pop(name)) + STEP


RULES = [json.loads(one) for one in re.findall(r"^```json\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)]


def test_every_rule_shown_is_one_that_eventbridge_takes_and_matches_a_rotation_of_that_workload_alone() -> None:
    sample = json.loads((ROOT / "events" / "key_retirement" / "key_rotated.json").read_text())
    event = {**sample, "detail": {**sample["detail"], "subject": "prod-search-agent"}}
    assert len(RULES) == 2
    for rule in RULES:
        check(rule)
        assert matches(rule, event)
        assert not matches(rule, {**event, "detail": {**event["detail"], "subject": "prod-chat"}})
        assert not matches(rule, {**event, "detail-type": "Rotation Failed"})
