"""The far end of the rotation bench: processes of containers, each with a `key_rotation` of its own over a local AWS.

A container is a thread that does one step at a time, as Lambda's do, with clients and leases of its own; it takes the
next secret from the process's queue, as the planner hands them out, and runs Secrets Manager's four steps. AWS is moto
in the same process: it answers without latency, costs processor time, and that time is told apart.
"""

import json
import os
import queue
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest import mock

import boto3
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

import key_retirement.handler
import key_rotation.handler
from governor.clock import format_instant
from governor.keys.lineage import Attribution, Limit, Lineage, LineageKey, Lineages
from governor.ledger.dynamodb import DynamoLedger
from governor.policy import Policy
from key_retirement import side_by_side
from key_rotation.service import KeyRotation
from key_rotation.settings import received
from sandbox.engine.secrets_manager import as_documented
from tests.bench.rotation_owners import Owners
from tests.doubles.tables import create_tables

CAP = 100.0
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
_FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:function"
_CONTEXT = SimpleNamespace(
    function_name="function",
    memory_limit_in_mb=1024,
    invoked_function_arn=_FUNCTION,
    aws_request_id="request",
    get_remaining_time_in_millis=lambda: 900_000,
)


@dataclass(frozen=True)
class Declared:
    """One workload: its name, its workspace's slug, and its key."""

    name: str
    slug: str
    hash: str
    plaintext: str


@dataclass(frozen=True)
class Share:
    """What one process does. `pace`: requests a second of all its containers together; None: as fast as they can.

    `profiled`: whether the product's time is told by whose code it is, which makes it slower; of one container only.
    """

    base_url: str
    management_key: str
    workloads: tuple[Declared, ...]
    containers: int
    pace: float | None
    profiled: bool = False


@dataclass
class Cost:
    """Processor seconds of a phase: of the process; within it those of moto, of the product with its libraries, and of
    this bench, each taken by its thread's own clock (those of a run's threads are in the process's alone). `calls`: of
    AWS.

    `kinds`: those calls by name. `owners`: seconds by whose code it is, moto left out, where the share is profiled.
    """

    process: float
    aws: float
    product: float = 0.0
    harness: float = 0.0
    calls: int = 0
    owners: dict[str, float] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)


class _Within(threading.local):
    """Of one thread: seconds of moto so far."""

    aws = 0.0


@dataclass
class _LocalAws:
    """moto, one call at a time, the processor time that it took, and that of the product and the bench around it.

    A profile stops while moto answers: it would slow that down several times over, for nothing.
    """

    seconds: float = 0.0
    product: float = 0.0
    harness: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    owners: Owners | None = None
    _within: _Within = field(default_factory=_Within)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def clock(self) -> float:
        """Processor seconds of this thread without moto's."""
        return time.thread_time() - self._within.aws

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        """Adds what this thread takes to the product's seconds, or to the bench's."""
        before = self.clock()
        if self.owners:
            self.owners.profile.enable()
        try:
            yield
        finally:
            if self.owners:
                self.owners.profile.disable()
            with self._lock:
                setattr(self, part, getattr(self, part) + self.clock() - before)

    @contextmanager
    def measured(self) -> Iterator[None]:
        send = BotocoreStubber.__call__

        def stub(stubber: BotocoreStubber, event_name: str, request: Any, **rest: Any) -> Any:
            with self._lock:
                began = time.thread_time()
                if self.owners:
                    self.owners.profile.disable()
                try:
                    return send(stubber, event_name, request, **rest)
                finally:
                    took = time.thread_time() - began
                    self.seconds += took
                    self._within.aws += took
                    self.kinds[event_name.removeprefix("before-send.")] += 1
                    if self.owners:
                        self.owners.profile.enable()

        with mock.patch.object(BotocoreStubber, "__call__", stub):
            yield


def consume(pipe: Any, share: Share, offset: Any) -> None:
    """Does each phase that the pipe names, and answers with its `Cost`. `offset`: seconds that the bench's clock is
    ahead of the machine's."""
    aws = _LocalAws()
    aws.owners = Owners() if share.profiled else None
    with ExitStack() as stack:
        secrets = _aws(stack, share, offset)
        stack.enter_context(aws.measured())
        build: Any = key_rotation.handler.build.__wrapped__
        containers: list[KeyRotation] = [build() for _ in range(share.containers)]
        pipe.send("ready")
        while (phase := pipe.recv()) != "end":
            aws.seconds = aws.product = aws.harness = 0.0
            aws.kinds.clear()
            before = time.process_time()
            if phase == "rotate":
                _rotate_all(containers, secrets, share, aws)
            else:
                at = format_instant(_clock(offset).replace(minute=0))
                with aws.of("product"):
                    key_retirement.handler.lambda_handler({"version": 1, "scheduled_time": at}, _CONTEXT)
            process = time.process_time() - before
            owners = aws.owners.taken() if aws.owners else {}
            calls = aws.kinds.total(), owners, dict(aws.kinds)
            pipe.send(Cost(process, aws.seconds, aws.product, aws.harness, *calls))


def _rotate_all(containers: list[KeyRotation], secrets: Any, share: Share, aws: _LocalAws) -> None:
    waiting: queue.SimpleQueue[Declared] = queue.SimpleQueue()
    for one in share.workloads:
        waiting.put(one)
    failed: list[BaseException] = []

    def work(rotation: KeyRotation) -> None:
        try:
            while True:
                _rotate(rotation, secrets, waiting.get_nowait(), aws)
        except queue.Empty:
            return
        except BaseException as error:  # noqa: BLE001 - raised below, in the process's own thread
            failed.append(error)

    if share.profiled:  # a profiler is the process's own: one thread at a time
        work(containers[0])
    else:
        threads = [threading.Thread(target=work, args=(one,)) for one in containers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if failed:
        raise failed[0]


def _rotate(rotation: KeyRotation, secrets: Any, workload: Declared, aws: _LocalAws) -> None:
    with aws.of("harness"):
        token = str(uuid.uuid4())
        arn = secrets.rotate_secret(
            SecretId=f"openrouter/{workload.name}",
            ClientRequestToken=token,
            RotationLambdaARN=_FUNCTION,
            RotationRules={"AutomaticallyAfterDays": 67},
        )["ARN"]
    with aws.of("product"):
        for step in STEPS:
            rotation.run(received({"Step": step, "SecretId": arn, "ClientRequestToken": token}), lambda: 900.0)


def _clock(offset: Any) -> datetime:
    return datetime.fromtimestamp(time.time() + offset.value, UTC)


def _aws(stack: ExitStack, share: Share, offset: Any) -> Any:
    """A local AWS with the share's secrets and rows, and the handlers over it; Secrets Manager's client."""
    environment = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "MANAGEMENT_KEY_SECRET": "governor/key",
        "TABLE_NAME": "ledger",
        "READING_BUCKET": "readings",
        "DECISIONS_TABLE_NAME": "decisions",
        "EVENT_BUS_NAME": "governor",
        "POWERTOOLS_SERVICE_NAME": "bench",
        "POWERTOOLS_LOG_LEVEL": "CRITICAL",
        **({"REQUESTS_PER_SECOND": f"{share.pace:g}"} if share.pace else {}),
    }
    stack.enter_context(mock.patch.dict(os.environ, environment))
    stack.enter_context(mock_aws())
    stack.enter_context(as_documented())
    stack.enter_context(mock.patch.object(Policy, "load", return_value=_policy(share)))
    for handler in (key_rotation.handler, key_retirement.handler):
        stack.enter_context(mock.patch.object(handler, "utc_now", partial(_clock, offset)))
    # One container alone is measured by its thread's clock; several processes together have as many threads as ship.
    threads = min(share.containers, side_by_side.MOST)
    stack.enter_context(mock.patch.object(side_by_side, "MOST", threads))
    table, secrets = boto3.client("dynamodb"), boto3.client("secretsmanager")
    create_tables(table, "ledger")
    boto3.client("events").create_event_bus(Name="governor")
    secrets.create_secret(Name="governor/key", SecretString=json.dumps({"api_key": share.management_key}))
    rows, since = Lineages(DynamoLedger(table, "ledger")), _clock(offset) - timedelta(days=60)
    for one in share.workloads:
        held = {"api_key": one.plaintext, "hash": one.hash, "name": one.name}
        secrets.create_secret(Name=f"openrouter/{one.name}", SecretString=json.dumps(held))
        key = LineageKey(
            one.hash, one.name, "current", since, given=(Limit(CAP, "monthly"),), attribution=Attribution(), attached=()
        )
        rows.write(Lineage(one.name, (key,)))
    return secrets


def _policy(share: Share) -> Policy:
    workloads = [
        {
            "name": one.name,
            "workspace": one.slug,
            "owner": {"slack": "U0OWNER"},
            "secret": f"openrouter/{one.name}",
            "key": {"limit_usd": CAP, "limit_reset": "monthly", "guardrail": "production", "expires_in": "90d"},
            "rotation": {"every": "60d", "overlap": "24h", "quarantine": "7d"},
        }
        for one in share.workloads
    ]
    return Policy.model_validate({"version": 1, "account": {"base_url": share.base_url}, "workloads": workloads})
