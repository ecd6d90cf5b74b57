"""1,000 workloads rotated end to end, against a script on the vendor's SDK that creates and deletes, one after another.

End to end: Secrets Manager's four steps for each, and, a day and a week of OpenRouter's time later, the beats that
disable, detach and delete the old keys. The shipped handlers run over the simulator, 50 ms a call. AWS is local and
answers without latency; what is compared is what OpenRouter is asked. The work is shared by processes, each a queue's
consumer of its own (`rotations.at_once` is theirs); the script has one, as such scripts have.
"""

import json
import multiprocessing
import os
import time
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from ctypes import c_double
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest import mock

import boto3
from moto import mock_aws

import key_retirement.handler
import key_rotation.handler
from governor.clock import format_instant
from governor.policy import Policy
from sandbox.engine.secrets_manager import as_documented
from sandbox.openrouter.simulator import Simulator
from tests.bench.figures import Figure

WORKLOADS, WORKSPACES, PROCESSES = 1_000, 10, 8
LATENCY_SECONDS = 0.05
MANAGEMENT_KEY = "sk-or-v1-fake-bench"
START = datetime(2026, 5, 11, 2, 0, tzinfo=UTC)
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
LEAST = (
    "lower the old key's limit",
    "POST the new key",
    "assign its guardrail",
    "GET /key with it",
    "disable the old key",
    "unassign its guardrail",
    "DELETE it",
    "give the new key the whole cap",
)
"""What no rotation that keeps cap and guardrail can do without, one request each and nothing read back."""
_CAP = 100.0


def measure(say: Callable[[str], None]) -> list[Figure]:
    """Both ratios are shown and have no limit: the script keeps no cap, no guardrail and no overlap."""
    now = multiprocessing.get_context("spawn").Value(c_double, START.timestamp())
    simulator = Simulator(MANAGEMENT_KEY, clock=lambda: now.value, credits=1e9)
    with simulator.serve() as base_url:
        simulator.requests = deque()  # without the usual bound: all are counted
        keys = _founded(simulator)
        shares = [list(keys.items())[number::PROCESSES] for number in range(PROCESSES)]
        say(f"{WORKLOADS:,} workloads rotated by {PROCESSES} consumers, 50 ms a call")
        rotating, asked = _rotated(simulator, base_url, shares, now)
        left = [key for key in simulator.organization.keys if key.name.startswith("prod-")]
        assert len(left) == WORKLOADS, f"{len(left)} keys are left"
        assert all(key.limit == _CAP for key in left), "a cap is not whole"
        say(f"{WORKLOADS:,} keys created and deleted by a script on the vendor's SDK")
        script = _script(simulator, base_url)
    return [
        Figure("1,000 rotations / sequential create and delete", rotating, script, "s"),
        Figure("requests a rotation / the least", asked / WORKLOADS, len(LEAST), "requests"),
    ]


def _founded(simulator: Simulator) -> dict[str, tuple[str, str]]:
    """Workspace and plaintext of each workload's key, which has a guardrail."""
    organization, keys = simulator.organization, {}
    slugs = [f"team-{number}" for number in range(WORKSPACES)]
    guardrails = {}
    for slug in slugs:
        organization.create_workspace(slug, slug)
        guardrails[slug] = organization.create_guardrail("production", slug, limit_usd=_CAP, reset_interval="monthly")
    for number in range(WORKLOADS):
        name, slug = f"prod-agent-{number}", slugs[number % WORKSPACES]
        key, plaintext = simulator.create_key(name, workspace=slug, limit=_CAP, limit_reset="monthly")
        organization.assign(guardrails[slug], [key.hash])
        keys[name] = (slug, plaintext)
    return keys


def _rotated(simulator: Simulator, base_url: str, shares: list[Any], now: Any) -> tuple[float, int]:
    """Seconds, and requests to OpenRouter."""
    context = multiprocessing.get_context("spawn")
    consumers = []
    for share in shares:
        ours, theirs = context.Pipe()
        consumer = context.Process(target=_consume, args=(theirs, base_url, share, now), daemon=True)
        consumer.start()
        consumers.append((consumer, ours))
    for _, pipe in consumers:
        assert pipe.recv() == "ready"
    simulator.requests.clear()
    simulator.latency, seconds, asked = LATENCY_SECONDS, 0.0, 0
    for phase, later in (("rotate", timedelta(hours=26)), ("tend", timedelta(hours=2)), ("tend", timedelta(days=8)),
                         ("tend", timedelta(days=30)), ("tend", timedelta())):  # fmt: skip
        began = time.monotonic()
        for _, pipe in consumers:
            pipe.send(phase)
        for _, pipe in consumers:
            assert pipe.recv() == phase
        seconds += time.monotonic() - began
        asked += len(simulator.requests)
        simulator.requests.clear()
        now.value += later.total_seconds()
    simulator.latency = 0.0
    for consumer, pipe in consumers:
        pipe.send("end")
        consumer.join()
    return seconds, asked


def _script(simulator: Simulator, base_url: str) -> float:
    """Seconds of what a short script would do: no cap, no guardrail, no proof, no overlap."""
    from openrouter import OpenRouter

    client = OpenRouter(api_key=MANAGEMENT_KEY, server_url=base_url)
    old = [key for key in simulator.organization.keys if key.name.startswith("prod-")]
    simulator.latency = LATENCY_SECONDS
    began = time.monotonic()
    for key in old:
        client.api_keys.create(name=key.name, workspace_id=key.workspace_id)
        client.api_keys.delete(hash=key.hash)
    seconds = time.monotonic() - began
    simulator.latency = 0.0
    return seconds


# --- one consumer, in a process of its own ----------------------------------------------------------------------------
def _consume(pipe: Any, base_url: str, share: list[tuple[str, tuple[str, str]]], now: Any) -> None:
    with ExitStack() as stack:
        secrets = _aws(stack, base_url, [(name, *kept) for name, kept in share], now)
        pipe.send("ready")
        while (phase := pipe.recv()) != "end":
            if phase == "rotate":
                for name, _ in share:
                    _rotate(secrets, name)
            else:
                at = format_instant(_clock(now).replace(minute=0))
                key_retirement.handler.lambda_handler({"version": 1, "scheduled_time": at}, _CONTEXT)
            pipe.send(phase)


_CONTEXT = SimpleNamespace(
    function_name="function",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:function",
    aws_request_id="request",
    get_remaining_time_in_millis=lambda: 900_000,
)


def _clock(now: Any) -> datetime:
    return datetime.fromtimestamp(now.value, UTC)


def _rotate(secrets: Any, name: str) -> None:
    token = str(uuid.uuid4())
    arn = secrets.rotate_secret(
        SecretId=f"openrouter/{name}",
        ClientRequestToken=token,
        RotationLambdaARN=_CONTEXT.invoked_function_arn,
        RotationRules={"AutomaticallyAfterDays": 67},
    )["ARN"]
    for step in STEPS:
        event = {"Step": step, "SecretId": arn, "ClientRequestToken": token}
        key_rotation.handler.lambda_handler(event, _CONTEXT)


def _aws(stack: ExitStack, base_url: str, share: list[tuple[str, str, str]], now: Any) -> Any:
    """A local AWS with the share's secrets, and the handlers over it; Secrets Manager's client."""
    environment = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "MANAGEMENT_KEY_SECRET": "governor/key",
        "TABLE_NAME": "ledger",
        "DECISIONS_TABLE_NAME": "decisions",
        "READING_BUCKET": "readings",
        "EVENT_BUS_NAME": "governor",
        "POWERTOOLS_SERVICE_NAME": "bench",
        "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    }
    stack.enter_context(mock.patch.dict(os.environ, environment))
    stack.enter_context(mock_aws())
    stack.enter_context(as_documented())
    stack.enter_context(mock.patch.object(Policy, "load", return_value=_policy(base_url, share)))
    for handler in (key_rotation.handler, key_retirement.handler):
        stack.enter_context(mock.patch.object(handler, "utc_now", partial(_clock, now)))
    boto3.client("dynamodb").create_table(
        TableName="ledger",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    boto3.client("events").create_event_bus(Name="governor")
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="governor/key", SecretString=json.dumps({"api_key": MANAGEMENT_KEY}))
    for name, _, plaintext in share:
        secrets.create_secret(Name=f"openrouter/{name}", SecretString=json.dumps({"api_key": plaintext}))
    return secrets


def _policy(base_url: str, share: list[tuple[str, str, str]]) -> Policy:
    workloads = [
        {
            "name": name,
            "workspace": slug,
            "owner": {"slack": "U0OWNER"},
            "secret": f"openrouter/{name}",
            "key": {"limit_usd": _CAP, "limit_reset": "monthly", "guardrail": "production", "expires_in": "90d"},
            "rotation": {"every": "60d", "overlap": "24h", "quarantine": "7d"},
        }
        for name, slug, _ in share
    ]
    return Policy.model_validate({"version": 1, "account": {"base_url": base_url}, "workloads": workloads})
