"""OpenRouter and AWS on the loopback interface, for a command line in a process of its own: the simulator, and moto
with a deployed stack. Both can interrupt the process while it waits for their answer.
"""

import json
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import boto3
import httpx
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from cli.session import HOST_VARIABLE, KEY_VARIABLE, STACK_VARIABLE
from sandbox.openrouter import Simulator
from sandbox.openrouter.server import serve
from tests.doubles.tables import create_tables
from tests.unit.cli.stack import REGION
from tests.unit.cli.surroundings import BROADCAST, PIECES, REVIEW, SECRET, TOKEN, URL
from tests.unit.cli.terminal import MANAGEMENT

SECONDS = 60.0
"""For what comes at once, unless something is broken."""


@dataclass
class Gate:
    """Every request of the process comes by here before it is answered, whoever is asked.

    `at`: the number, from 1, of the request during which the process is sent SIGINT: the request has come, and its
    answer has not left. `answers`: False: nor does it leave before the process has ended.
    """

    at: int = 0
    answers: bool = True
    seen: int = 0
    process: int = 0
    known: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def come(self) -> None:
        with self._lock:
            self.seen += 1
            is_it = self.seen == self.at
        if is_it:
            assert self.known.wait(SECONDS)
            os.kill(self.process, signal.SIGINT)
        if self.at and self.seen >= self.at and not self.answers:
            assert self.ended.wait(SECONDS)


@dataclass
class FarSide:
    """`environment`: what the process must have in its own. `gate`: of the process that is running."""

    simulator: Simulator
    endpoint: str
    environment: dict[str, str]
    gate: Gate = field(default_factory=Gate)

    def aws(self, service: str) -> Any:
        make: Any = boto3.client  # its overloads go by the service's literal name
        return make(service, REGION, endpoint_url=self.endpoint)

    def secret(self) -> dict[str, str]:
        text = self.aws("secretsmanager").get_secret_value(SecretId=SECRET, VersionStage="AWSCURRENT")["SecretString"]
        return cast("dict[str, str]", json.loads(text))


@contextmanager
def far_side(simulator: Simulator) -> Iterator[FarSide]:
    """Both, and a stack `governor` with Broadcast and a review. moto's state is the process's: one at a time."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    made: list[FarSide] = []

    def come() -> None:
        made[0].gate.come()

    backend = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, _wsgi(backend, come), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with serve(_asgi(simulator.app, come), 0) as port:
            endpoint = f"http://localhost:{server.server_port}"
            environment = {
                KEY_VARIABLE: MANAGEMENT, HOST_VARIABLE: f"http://localhost:{port}/api/v1", STACK_VARIABLE: "governor",
                "AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "fake",
                "AWS_SECRET_ACCESS_KEY": "fake", "AWS_SESSION_TOKEN": "fake", "AWS_EC2_METADATA_DISABLED": "true",
            }  # fmt: skip
            made.append(FarSide(simulator, endpoint, environment))
            httpx.post(f"{endpoint}/moto-api/reset").raise_for_status()
            _deploy(made[0])
            yield made[0]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _deploy(far: FarSide) -> None:
    far.aws("secretsmanager").create_secret(Name=SECRET, SecretString=json.dumps({"token": TOKEN}))
    create_tables(far.aws("dynamodb"), "ledger", "decisions")
    arn = far.aws("events").create_event_bus(Name="governor")["EventBusArn"]
    s3 = far.aws("s3")
    s3.create_bucket(Bucket="readings")
    s3.put_object(Bucket="readings", Key="reviews/latest.json", Body=json.dumps(REVIEW).encode())
    for name in PIECES:
        s3.put_object(Bucket="readings", Key=f"reviews/weekly-2026-11-16/{name}", Body=name.encode())
    outputs = {
        "EventBusName": "governor", "EventBusArn": arn, "LedgerTable": "ledger", "DecisionsTable": "decisions",
        "BroadcastUrl": URL, "ReadingBucket": "readings",
    }  # fmt: skip
    template = {
        "Parameters": {name: {"Type": "String"} for name in BROADCAST},
        "Resources": {"Alerts": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in BROADCAST.items()]
    far.aws("cloudformation").create_stack(
        StackName="governor", TemplateBody=json.dumps(template), Parameters=given
    )  # fmt: skip
    far.gate = Gate()


def _wsgi(app: Any, come: Callable[[], None]) -> Any:
    def coming(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/moto-api"):
            come()
        answer: Iterable[bytes] = app(environ, start_response)
        return answer

    return coming


def _asgi(app: Any, come: Callable[[], None]) -> Any:
    async def coming(scope: Any, receive: Any, send: Any) -> None:
        come()
        await app(scope, receive, send)

    return coming
