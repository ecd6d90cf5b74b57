"""What the four functions of rotation take: their shipped handlers over the simulator and a local AWS.

An account of 50 keys in which `WORKLOADS` rotate; a share of them is in overlap while a run is measured, as at any
time of a month.
"""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from sandbox.engine.secrets_manager import as_documented
from sandbox.openrouter.simulator import Simulator
from tests.bench.cost.bill import WORKLOADS
from tests.bench.cost.invocation import Invocation
from tests.bench.cost.measure import average, aws, stack_facing
from tests.bench.far_side import MANAGEMENT_KEY, organization
from tests.bench.processes import REGION, Worker

IN_HAND = WORKLOADS * 8 // 60
"""A lineage is in overlap and quarantine for eight days of sixty."""
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:bench"
PLACE, PROVIDERS, QUEUE = "team-0", "providers/anthropic", "rotations"


class Rotations:
    """`step`: of the four, on the average. `plan`: daily; `asking`: a message of the queue. `tick` and `hour`: of the
    retirement's schedule, the second at the hour's first; `look`: at providers' secrets."""

    step: Invocation
    plan: Invocation
    asking: Invocation
    tick: Invocation
    hour: Invocation
    look: Invocation

    def __init__(self, built: Path) -> None:
        self._simulator = Simulator(MANAGEMENT_KEY)
        self._simulator.declare(organization(50, 4))
        with as_documented(), self._simulator.serve() as url, aws() as variables:
            clients = boto3.Session("fake", "fake", region_name=REGION)
            address = variables["AWS_ENDPOINT_URL"]
            self._secrets: Any = clients.client("secretsmanager", endpoint_url=address)
            self._queue: Any = clients.client("sqs", endpoint_url=address)
            queue = self._queue.create_queue(QueueName=QUEUE)["QueueUrl"]
            self._variables = {**variables, "ROTATION_QUEUE_URL": queue, "ROTATION_FUNCTION_ARN": FUNCTION}
            self._stack = stack_facing(built, url, self._policy())
            self._measure(queue)

    def _policy(self) -> dict[str, Any]:
        """A policy whose workloads have keys in the account and secrets in AWS."""
        workloads = []
        for number in range(WORKLOADS):
            name, secret = f"prod-rotating-{number}", f"openrouter/rotating-{number}"
            _, plaintext = self._simulator.create_key(name, workspace=PLACE, limit=100.0, limit_reset="monthly")
            self._secrets.create_secret(Name=secret, SecretString=json.dumps({"api_key": plaintext}))
            workloads.append(
                {
                    "name": name,
                    "workspace": PLACE,
                    "owner": {"slack": "U0OWNER"},
                    "secret": secret,
                    "key": {"limit_usd": 100, "limit_reset": "monthly", "guardrail": f"guard {PLACE}"},
                    "rotation": {"every": "60d"},
                }
            )
        self._secrets.create_secret(Name=PROVIDERS, SecretString="fake-provider-key")
        byok = {
            "workspace": PLACE, "provider": "anthropic", "reason": "r", "owner": "o", "exit": "e", "secret": PROVIDERS,
        }  # fmt: skip
        return {"workloads": workloads, "byok": [byok]}

    def _measure(self, queue: str) -> None:
        with self._worker("key_planning", "KeyPlanningFunction") as worker:
            self.plan = average([self._told(worker, {"version": 1, "task": "plan", "scheduled_time": _at(30)})], 1)
            (message,) = self._queue.receive_message(QueueUrl=queue, MaxNumberOfMessages=1)["Messages"]
            batch = {"Records": [{"messageId": message["MessageId"], "body": message["Body"]}]}
            told = self._told(worker, batch)
            assert told["answer"] == {"batchItemFailures": []}, told
            self.asking = average([told], 1)
        with self._worker("key_rotation", "KeyRotationFunction") as worker:
            taken = [self._told(worker, event) for number in range(IN_HAND) for event in self._steps(number)]
            assert {told["answer"]["rule"] for told in taken} == {"go"}, taken
            self.step = average(taken, 1)
        with self._worker("key_retirement", "KeyRetirementFunction") as worker:
            self.tick, self.hour = (average([self._tick(worker, minute)], 1) for minute in (10, 0))
        with self._worker("credential_rotation", "CredentialRotationFunction") as worker:
            self.look = average([self._tick(worker, minute) for minute in (0, 10, 20)][1:], 1)

    def _steps(self, number: int) -> list[dict[str, str]]:
        """What Secrets Manager sends for a workload's rotation."""
        token, secret = str(uuid.uuid4()), f"openrouter/rotating-{number}"
        state = self._secrets.describe_secret(SecretId=secret)
        pending = [id for id, stages in state.get("VersionIdsToStages", {}).items() if stages == ["AWSPENDING"]]
        if pending:  # the planner's message was about this very one
            (token,) = pending
        else:
            self._secrets.rotate_secret(
                SecretId=secret,
                ClientRequestToken=token,
                RotationLambdaARN=FUNCTION,
                RotationRules={"AutomaticallyAfterDays": 67},
            )
        return [{"Step": step, "SecretId": state["ARN"], "ClientRequestToken": token} for step in STEPS]

    def _worker(self, function: str, folder: str) -> Worker:
        worker = Worker.shipped("handlers.py", self._stack, folder, **self._variables, POWERTOOLS_SERVICE_NAME=function)
        worker.tell("start", function=function)
        return worker

    def _told(self, worker: Worker, event: dict[str, Any]) -> dict[str, Any]:
        self._simulator.requests.clear()
        told = worker.tell("invoke", event=event)
        return {**told, "asked": len(self._simulator.requests), "sent": 0}

    def _tick(self, worker: Worker, minute: int) -> dict[str, Any]:
        return self._told(worker, {"version": 1, "scheduled_time": _at(minute)})


def _at(minute: int) -> str:
    return datetime.now(UTC).replace(minute=minute, second=0, microsecond=0).isoformat()
