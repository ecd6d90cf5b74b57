"""Slack's three seconds: the gateway's first answer from a cold start, and its answers after, under AWS's runtime
interface client; against a handler that only checks the signature (`floors/floor_slack_gateway.py`).

Both read the signing secret of the same local stub, which answers without latency; ours then sends to the queue. The
event is a click that carries its message, as Slack sends them, of 20 KB. What stands beside Slack's three seconds is
this machine's time: Lambda gives 1,024 MB a little over half a processor, and AWS's calls take milliseconds each.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier

from sandbox.build import ROOT
from sandbox.engine.runtime import runtime_python
from tests.bench.cold_start import MODULES, environment
from tests.bench.figures import Figure, interleaved
from tests.bench.stub import Stub

NAME, FOLDER = "slack_gateway", "SlackGatewayFunction"
PAIRS, WARM = 15, 200
SLACK_SECONDS = 3.0
SECRET = "fake-signing-secret"
AWS = {
    "secretsmanager.GetSecretValue": json.dumps(
        {"Name": "slack-signing", "SecretString": json.dumps({"signing_secret": SECRET})}
    ).encode(),
    "AmazonSQS.SendMessageBatch": json.dumps(
        {"Successful": [{"Id": "0", "MessageId": "fake", "MD5OfMessageBody": "0" * 32}], "Failed": []}
    ).encode(),
}


def measure(stack: Path, say: Callable[[str], None]) -> Iterator[Figure]:
    """The cold start's limit is that of a second client and a second call; a warm answer's call is most of it."""
    ours, floor = (partial(_cold, stack, f"{it}{NAME}{its}") for it, its in MODULES)
    say(f"cold answer of {NAME}, {PAIRS} pairs")
    cold, least = interleaved(PAIRS, ours, floor)
    yield Figure(f"cold answer of {NAME} against a check of the signature", cold, least, "s", 1.25)
    yield Figure(f"cold answer of {NAME} against Slack's three seconds", cold, SLACK_SECONDS, "s")
    say(f"warm answer of {NAME}, {WARM} each")
    warm, bare = (_warm(stack, f"{it}{NAME}{its}") for it, its in MODULES)
    yield Figure(f"warm answer of {NAME} against a check of the signature", warm, bare, "s")
    yield Figure(f"warm answer of {NAME} against Slack's three seconds", warm, SLACK_SECONDS, "s")


def _cold(stack: Path, module: str) -> float:
    """Seconds from the start of the process to its first answer."""
    return _run(stack, module, 0)[0]


def _warm(stack: Path, module: str) -> float:
    """The median of the answers after the first, in seconds from the event to the answer."""
    return median(_run(stack, module, WARM)[1:])


def _run(stack: Path, module: str, more: int) -> list[float]:
    event = click()
    with Stub(event, b"", AWS, [event] * more) as stub, tempfile.TemporaryFile("w+") as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            [runtime_python(), "-m", "awslambdaric", f"{module}.lambda_handler"],
            cwd=stack / FOLDER,
            env=environment(stack, NAME, FOLDER, stub.address),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            taken = []
            for number in range(more + 1):
                kind, body, seconds = stub.next_answer()
                taken.append(seconds if number else time.perf_counter() - began)
                log.seek(0)
                assert (kind, json.loads(body)["statusCode"]) == ("response", 200), (kind, body, log.read())
        finally:
            process.kill()
            process.wait()
    return taken


def click() -> bytes:
    """The sample of a click, with a message as long as ours get, signed now."""
    event = json.loads((ROOT / "events" / NAME / "button.json").read_text())
    value = json.dumps({"approval": "a" * 32, "digest": "d" * 64})
    payload = {
        "type": "block_actions",
        "user": {"id": "U0LEAD", "team_id": "T0SANDBOX"},
        "team": {"id": "T0SANDBOX"},
        "channel": {"id": "C0GOVERNOR"},
        "trigger_id": "1.2",
        "response_url": "https://hooks.slack.com/actions/1",
        "message": {"text": "x" * 20_000},
        "actions": [{"type": "button", "action_id": "governor.approve", "value": value}],
    }
    body, timestamp = urlencode({"payload": json.dumps(payload)}), str(int(time.time()))
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=timestamp, body=body)
    event["headers"] |= {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature}
    return json.dumps({**event, "body": body}).encode()
