"""A day's checks of ten workspaces with six provider credentials each: requests, dollars, and Lambda's time.

The shipped handler runs its 144 runs over the simulator; AWS is moto. Both answer in process and without latency, and
their own work counts in the processor's seconds: Lambda's are fewer, its wall time is the requests'. One workspace's
credentials are revoked at noon. There no probe is declared, and the leak is found by reading alone.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock

import boto3
import httpx
from moto import mock_aws
from moto.events.models import EventsBackend

import byok_failover.handler
from governor.clock import format_instant
from governor.policy import Policy
from sandbox.openrouter.simulator import Simulator
from tests.bench.byok_world import CREDENTIALS, SILENT, WORKSPACES, declared, founded, traffic
from tests.bench.figures import Figure
from tests.doubles.tables import create_tables
from tests.faults.routed import Routed

START, TICK, TICKS = datetime(2026, 5, 12, tzinfo=UTC), timedelta(minutes=10), 144
REVOKED_AT = 72
CALL_SECONDS = 0.15
"""What the bill, too, takes a request to OpenRouter to last."""
MOST_USD = 0.60
"""A day, at the policy's own bounds: nine workspaces, two decisions each, $0.10 / 3 a decision."""
MANAGEMENT_KEY = "sk-or-v1-fake-bench"
NAMES = {
    "TABLE_NAME": "ledger", "DECISIONS_TABLE_NAME": "decisions", "EVENT_BUS_NAME": "governor",
    "READING_BUCKET": "readings", "MANAGEMENT_KEY_SECRET": "management", "POWERTOOLS_SERVICE_NAME": "byok_failover",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
}  # fmt: skip


def measure(say: Callable[[str], None]) -> list[Figure]:
    """The figures of a day. Those with a limit are bounds that the policy sets, not times."""
    say(f"a day of failover checks: {WORKSPACES} workspaces, {len(CREDENTIALS)} credentials each")
    now = [START]
    simulator = Simulator(MANAGEMENT_KEY, clock=lambda: now[0].timestamp(), credits=1e9)
    keys = founded(simulator)
    with _stage(simulator, keys, now) as told:
        before, seconds, found = Counter(_kinds(simulator)), 0.0, None
        for number in range(TICKS):
            if number == REVOKED_AT:
                _revoke(simulator)
            traffic(simulator, keys)
            now[0] += TICK
            began = time.process_time()
            byok_failover.handler.lambda_handler({"version": 1, "scheduled_time": format_instant(now[0])}, _CONTEXT)
            seconds += time.process_time() - began
            leaks = [one for one in told if one["DetailType"] == "Credits Leak Suspected"]
            if leaks and found is None:
                found = number - REVOKED_AT
        asked = Counter(_kinds(simulator)) - before
        usd, silent = _probed()
    assert found is not None, "the leak was not found"
    assert silent == 0, "the workspace without a probe was probed"
    leak = json.loads(leaks[0]["Detail"])["evidence"] if leaks else {}
    minutes = (found + 1) * 10
    say(f"the leak was told after {minutes} minutes: ${leak.get('lost_usd')} by then, and no probe there")
    lambda_seconds = seconds + sum(asked.values()) * CALL_SECONDS
    return [
        Figure("failover: management requests a day / a run", asked["management"], TICKS, "requests"),
        Figure("failover: probes a day / their bound", asked["inference"], 24 * 2 * (WORKSPACES - 1), "probes", 1.0),
        Figure("failover: dollars of probes a day / their bound", usd, MOST_USD, "USD", 1.0),
        Figure("failover: processor seconds a day, far sides in process / runs", seconds, TICKS, "s"),
        Figure("failover: Lambda seconds a day, 150 ms a request / runs", lambda_seconds, TICKS, "s"),
        Figure("failover: minutes to find a leak by reading / an hour", minutes, 60, "min", 1.0),
    ]


_CONTEXT = SimpleNamespace(
    function_name="byok_failover",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:byok-failover",
    aws_request_id="bench",
    get_remaining_time_in_millis=lambda: 240_000,
)


def _revoke(simulator: Simulator) -> None:
    """Every anthropic credential of the workspace that nobody probes."""
    place = simulator.organization.workspace(SILENT).id
    for one in simulator.organization.credentials.values():
        if one.workspace_id == place and one.provider == "anthropic":
            simulator.trouble(credential=one.id, trouble="revoked")


def _kinds(simulator: Simulator) -> Iterator[str]:
    for one in simulator.requests:
        yield "inference" if one.path.endswith("/chat/completions") else "management"


@contextmanager
def _stage(
    simulator: Simulator, keys: dict[str, tuple[str, str]], now: list[datetime]
) -> Iterator[list[dict[str, Any]]]:
    """The handler over moto and the simulator, in process; yields what reaches the bus."""
    told: list[dict[str, Any]] = []
    policy = Policy.model_validate({"version": 1, **declared(keys, usd_per_day=0.10 / 3)})
    identity = {"AWS_ACCESS_KEY_ID": "fake", "AWS_SECRET_ACCESS_KEY": "fake", "AWS_DEFAULT_REGION": "us-east-1"}
    transport = Routed(simulator.app)
    take = EventsBackend.put_events

    def note(backend: EventsBackend, events: list[dict[str, Any]]) -> Any:
        told.extend(events)
        return take(backend, events)

    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, {**NAMES, **identity}))
        stack.enter_context(mock_aws())
        stack.enter_context(mock.patch.object(Policy, "load", return_value=policy))
        stack.enter_context(mock.patch.object(byok_failover.handler, "utc_now", side_effect=lambda: now[0]))
        stack.enter_context(mock.patch.object(httpx, "HTTPTransport", return_value=transport))
        stack.enter_context(mock.patch.object(EventsBackend, "put_events", note))
        session = boto3.Session()
        create_tables(session.client("dynamodb"), "ledger")
        session.client("s3").create_bucket(Bucket="readings")
        session.client("events").create_event_bus(Name="governor")
        secrets = session.client("secretsmanager")
        secrets.create_secret(Name="management", SecretString=json.dumps({"api_key": MANAGEMENT_KEY}))
        for slug, (_, plaintext) in keys.items():
            secrets.create_secret(Name=f"openrouter/{slug}", SecretString=json.dumps({"api_key": plaintext}))
        byok_failover.handler.build.cache_clear()
        yield told
        byok_failover.handler.build.cache_clear()


def _probed() -> tuple[float, int]:
    """USD of the day's probes by the ledger, and how many the workspace had that nobody was to probe."""
    answer = boto3.Session().client("dynamodb").query(
        TableName="ledger",
        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
        ExpressionAttributeValues={":pk": {"S": "byok"}, ":sk": {"S": "probes#"}},
    )  # fmt: skip
    rows = {item["sk"]["S"]: json.loads(item["data"]["S"]) for item in answer["Items"]}
    silent = sum(row["count"] for sk, row in rows.items() if f"#{SILENT}/" in sk)
    return sum(row["usd"] for row in rows.values()), silent
