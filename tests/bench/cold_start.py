"""Cold starts: from the start of the process to its first answer, under AWS's runtime interface client.

Each function against a floor (`floors/`) that imports and makes the same clients and makes the same first AWS call, of
the same local stub, in the same environment from the same layers. The meter's run is one that was metered already: it
reads the stored reading and answers. The kill switch's first call, for the management key, is refused: it raises, as
does its floor.
"""

import base64
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sandbox.build import ROOT
from sandbox.engine.runtime import runtime_python
from tests.bench.figures import Figure, interleaved
from tests.bench.processes import Worker, shipped_environment
from tests.bench.stub import Stub

FLOORS = Path(__file__).with_name("floors")
PAIRS = 15
LIMIT = 1.25
MODULES = (("", ".handler"), ("floor_", ""))
"""What stands before and after the function's name in the two handlers."""


@dataclass(frozen=True)
class Start:
    """A function, the event it is started with, and how it answers (`response` or `error`)."""

    name: str
    folder: str
    event: dict[str, Any]
    answers: str


SCHEDULED = "2026-05-20T09:00:00Z"
METERED = int(datetime.fromisoformat(SCHEDULED).timestamp()) // 60
METER = Start("spend_meter", "SpendMeterFunction", {"version": 1, "scheduled_time": SCHEDULED}, "response")
KILL_SWITCH = Start(
    "kill_switch",
    "KillSwitchFunction",
    json.loads((ROOT / "events" / "kill_switch" / "key_exposed.json").read_text()),
    "error",
)


def measure(stack: Path, say: Callable[[str], None]) -> Iterator[Figure]:
    with Worker.shipped("meter.py", stack) as worker:
        reading = base64.b64decode(worker.tell("blank", minute=METERED)["content"])
    for start in (METER, KILL_SWITCH):
        say(f"cold start of {start.name}, {PAIRS} pairs")
        ours, floor = (partial(_seconds, stack, start, reading, f"{it}{start.name}{its}") for it, its in MODULES)
        yield Figure(f"cold start of {start.name} against its floor", *interleaved(PAIRS, ours, floor), "s", LIMIT)


def _seconds(stack: Path, start: Start, reading: bytes, module: str) -> float:
    with Stub(json.dumps(start.event).encode(), reading) as stub, tempfile.TemporaryFile("w+") as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            [runtime_python(), "-m", "awslambdaric", f"{module}.lambda_handler"],
            cwd=stack / start.folder,
            env=environment(stack, start.name, start.folder, stub.address),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            kind, body = stub.first_answer()
            seconds = time.perf_counter() - began
        finally:
            process.kill()
            process.wait()
        log.seek(0)
        assert kind == start.answers, (kind, body, log.read())
    return seconds


def environment(stack: Path, name: str, folder: str, address: str) -> dict[str, str]:
    """What Lambda and the template would put into a function's environment; Lambda and AWS are at `address`."""
    variables = shipped_environment(
        stack,
        folder,
        {
            "LAMBDA_TASK_ROOT": str(stack / folder),
            "AWS_LAMBDA_RUNTIME_API": address,
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_ENDPOINT_URL": f"http://{address}",
            "TABLE_NAME": "ledger",
            "DECISIONS_TABLE_NAME": "decisions",
            "EVENT_BUS_NAME": "governor",
            "EVENT_BUS_ARN": "arn:aws:events:us-east-1:123456789012:event-bus/governor",
            "READING_BUCKET": "readings",
            "MANAGEMENT_KEY_SECRET": "management-key",
            "REQUESTS_PER_SECOND": "20",
            "SLACK_SECRET": "slack",
            "SLACK_SIGNING_SECRET": "slack-signing",
            "REQUEST_QUEUE_URL": f"http://{address}/queue",
            "HOME_QUEUE_URL": f"http://{address}/queue",
            "POWERTOOLS_LOG_LEVEL": "INFO",
            "POWERTOOLS_SERVICE_NAME": name,
            "POWERTOOLS_METRICS_NAMESPACE": "governor",
        },
    )
    variables["PYTHONPATH"] += f":{FLOORS}"
    return variables
