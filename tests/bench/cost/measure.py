"""Runs the shipped handlers over a recorded OpenRouter and a local AWS, and counts what AWS would bill."""

import contextlib
import json
import logging
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import httpx
import yaml
from moto.server import ThreadedMotoServer

from sandbox.build import ROOT
from sandbox.openrouter.simulator import Simulator
from tests.bench.cost.invocation import Invocation
from tests.bench.far_side import MANAGEMENT_KEY, START_MINUTE, organization
from tests.bench.processes import REGION, Far, Worker, far_side
from tests.doubles.tables import create_tables

TICKS = 10
"""Two rounds of what a run does every fifth minute."""
USUAL = 0.2
FOLDER = ROOT / "build" / "bench" / "cost"
NAMES = {
    "TABLE_NAME": "ledger",
    "DECISIONS_TABLE_NAME": "decisions",
    "EVENT_BUS_NAME": "governor",
    "EVENT_BUS_ARN": f"arn:aws:events:{REGION}:123456789012:event-bus/governor",
    "READING_BUCKET": "readings",
    "MANAGEMENT_KEY_SECRET": "management-key",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "POWERTOOLS_METRICS_NAMESPACE": "governor",
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
}


@contextlib.contextmanager
def aws() -> Iterator[dict[str, str]]:
    """A local AWS with what the template would have made; yields a function's variables."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        url = f"http://127.0.0.1:{server.get_host_and_port()[1]}"
        httpx.post(f"{url}/moto-api/reset").raise_for_status()  # its state outlives a server of this process
        session = boto3.Session("fake", "fake", region_name=REGION)
        session.client("s3", endpoint_url=url).create_bucket(Bucket=NAMES["READING_BUCKET"])
        tables = NAMES["TABLE_NAME"], NAMES["DECISIONS_TABLE_NAME"]
        create_tables(session.client("dynamodb", endpoint_url=url), *tables)
        session.client("events", endpoint_url=url).create_event_bus(Name=NAMES["EVENT_BUS_NAME"])
        session.client("secretsmanager", endpoint_url=url).create_secret(
            Name=NAMES["MANAGEMENT_KEY_SECRET"], SecretString=json.dumps({"api_key": MANAGEMENT_KEY})
        )
        topic = session.client("sns", endpoint_url=url).create_topic(Name="alerts")["TopicArn"]
        yield {**NAMES, "ALERT_TOPIC_ARN": topic, "AWS_ENDPOINT_URL": url}
    finally:
        server.stop()


def stack_facing(built: Path, url: str, declared: Mapping[str, Any] | None = None) -> Path:
    """`built` with a policy that says OpenRouter is at `url` and that exposed keys are disabled.

    `declared`: of the policy, in place of what the repository's own has.
    """
    policy: dict[str, Any] = yaml.safe_load((ROOT / "layers" / "policy" / "policy.yaml").read_text())
    policy |= {"account": {"base_url": url}, **(declared or {})}
    policy["defaults"]["exposed"] = {"mode": "disable"}
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for part in built.iterdir():
        if part.name != "PolicyLayer":
            (FOLDER / part.name).symlink_to(part)
    (FOLDER / "policy.yaml").write_text(yaml.safe_dump(policy))
    layer = FOLDER / "PolicyLayer" / "python"
    subprocess.run(
        [sys.executable, "-m", "tools.policy", "build", str(FOLDER / "policy.yaml"), str(layer)],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return FOLDER


class Ticks:
    """The average of the meter's runs over an account of `keys`."""

    def __init__(self, built: Path, keys: int, workspaces: int) -> None:
        with far_side(keys, workspaces) as far, aws() as variables:
            stack = stack_facing(built, far.url)
            with Worker.shipped("handlers.py", stack, **variables, POWERTOOLS_SERVICE_NAME="spend_meter") as worker:
                worker.tell("start", function="spend_meter")
                _tick(worker, START_MINUTE)
                worker.tell("ripen", minute=START_MINUTE)
                _tick(worker, START_MINUTE + 1)
                taken = [self._next(far, worker, START_MINUTE + 2 + number) for number in range(TICKS)]
                facts = worker.tell("facts")
        self.average = replace(average(taken, facts["concurrency"]), kept=facts["kept_bytes"])
        self.secret_seconds: float = facts["secret_seconds"]
        self.metrics = len({metric for told in taken for metric in _metrics(told["lines"])})

    @staticmethod
    def _next(far: Far, worker: Worker, minute: int) -> dict[str, Any]:
        far.move(USUAL, minute)
        far.asked()
        told = _tick(worker, minute)
        asked, sent = far.asked()
        return {**told, "asked": len(asked), "sent": sent}


class Incident:
    """A key that is found exposed, disabled and told of; each function in a container of its own, started for it."""

    def __init__(self, built: Path) -> None:
        simulator = Simulator(MANAGEMENT_KEY)
        simulator.declare(organization(50, 4))
        key = next(iter(simulator.organization.keys))
        with simulator.serve() as url, aws() as variables:
            stack = stack_facing(built, url)
            event = json.loads((ROOT / "events" / "kill_switch" / "key_exposed.json").read_text())
            event["time"] = datetime.now(UTC).isoformat()  # a leak that was told of before the key was made is not its
            event["detail"]["subject"] = key.hash
            with Worker.shipped("handlers.py", stack, "KillSwitchFunction", **variables) as worker:
                worker.tell("start", function="kill_switch")
                told = worker.tell("invoke", event=event)
            assert simulator.organization.keys.get(key.hash).disabled, told  # type: ignore[union-attr]  # it is there
            self.kill_switch = average([started(told, asked=len(simulator.requests))], 1)
            notice = json.loads((ROOT / "events" / "notifier" / "key_disabled.json").read_text())
            self.event_bytes = float(len(notice["Records"][0]["body"]))
            with Worker.shipped("handlers.py", stack, "NotifierFunction", **variables) as worker:
                worker.tell("start", function="notifier")
                told = worker.tell("invoke", event=notice)
            assert told["answer"] == {"batchItemFailures": []}, told
            self.notifier = average([started(told, asked=0)], 1)
            table = boto3.Session("fake", "fake", region_name=REGION).client(
                "dynamodb", endpoint_url=variables["AWS_ENDPOINT_URL"]
            )
            self.ledger_bytes = float(len(json.dumps(table.scan(TableName=variables["TABLE_NAME"])["Items"])))


def _tick(worker: Worker, minute: int) -> dict[str, Any]:
    when = datetime.fromtimestamp(minute * 60, UTC).isoformat()
    told = worker.tell("invoke", event={"version": 1, "scheduled_time": when})
    assert told["answer"]["outcome"] == "metered", told
    return told


def started(told: Mapping[str, Any], asked: int) -> dict[str, Any]:
    """An invocation that its container was started for: all of the process's time is its own."""
    return {**told, "cpu": told["lived"], "asked": asked, "sent": 0}


def average(taken: Sequence[Mapping[str, Any]], in_turn: int) -> Invocation:
    """Of invocations as a worker tells of them. `in_turn`: how many calls to OpenRouter go on side by side."""
    calls: Counter[str] = Counter()
    for told in taken:
        calls.update(told["calls"])
    lines = [line for told in taken for line in told["lines"]]

    def mean(amount: float) -> float:
        return amount / len(taken)

    return Invocation(
        cpu=mean(sum(told["cpu"] for told in taken)),
        calls={name: mean(count) for name, count in sorted(calls.items())},
        printed=mean(sum(len(line.encode()) for line in lines)),
        lines=mean(len(lines)),
        asked=mean(sum(told["asked"] for told in taken)),
        sent=mean(sum(told["sent"] for told in taken)),
        in_turn=in_turn,
        read=mean(sum(told["read"] for told in taken)),
        written=mean(sum(told["written"] for told in taken)),
    )


def _metrics(lines: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The metrics in embedded-metric-format lines: each name with each value of its dimensions is one on the bill."""
    for line in lines:
        facts = json.loads(line)
        for directive in facts.get("_aws", {}).get("CloudWatchMetrics", ()):
            for dimensions in directive["Dimensions"]:
                for metric in directive["Metrics"]:
                    values = (f"{name}={facts[name]}" for name in dimensions)
                    yield (directive["Namespace"], metric["Name"], *values)
