"""A deployed stack in a test's hands: its tables and its bus in moto, its outputs from a double of CloudFormation."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError
from moto import mock_aws
from typer.testing import CliRunner

from cli.main import build
from cli.session import Outside
from governor.aws_identity import Proof, digest, interaction_id
from governor.ledger import ABSENT, Put
from governor.ledger.dynamodb import DynamoLedger
from tests.doubles.tables import create_tables
from tests.unit.cli.terminal import NOW, Ran

REGION = "us-east-1"
BUS_ARN = "arn:aws:events:us-east-1:123456789012:event-bus/governor"
OUTPUTS = {
    "EventBusName": "governor", "EventBusArn": BUS_ARN, "LedgerTable": "ledger", "DecisionsTable": "decisions",
}  # fmt: skip


@dataclass
class StackDouble:
    """`on_sleep`: what happens while a command waits. `on_request`: called before each request. `entries`: what the bus
    was handed."""

    outputs: dict[str, str] = field(default_factory=lambda: dict(OUTPUTS))
    parameters: dict[str, str] = field(default_factory=dict)
    on_sleep: Callable[[], None] = lambda: None
    on_request: Callable[[], None] = lambda: None
    entries: list[dict[str, Any]] = field(default_factory=list)
    refuses: str = ""
    _clients: dict[str, Any] = field(default_factory=dict)

    @property
    def ledger(self) -> DynamoLedger:
        return DynamoLedger(boto3.client("dynamodb", REGION), "ledger")

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        self.on_request()
        if StackName != "governor":
            error: Any = {"Error": {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}}
            raise ClientError(error, "DescribeStacks")
        outputs = [{"OutputKey": name, "OutputValue": one} for name, one in self.outputs.items()]
        parameters = [{"ParameterKey": name, "ParameterValue": one} for name, one in self.parameters.items()]
        return {"Stacks": [{"Outputs": outputs, "Parameters": parameters}]}

    def get_paginator(self, _name: str) -> "StackDouble":
        return self

    def paginate(self, **_of: str) -> list[dict[str, Any]]:
        """A stack without resources, for whoever lists them."""
        self.on_request()
        return [{"StackResourceSummaries": []}]

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.on_request()
        if self.refuses:
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": self.refuses}]}
        self.entries += Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}

    def answer(self, rule: str, said: str) -> None:
        """The desk's row for the command that was sent last."""
        evidence = json.loads(self.entries[-1]["Detail"])["evidence"]
        bound = digest(self.outputs["EventBusArn"], evidence["command"], evidence["nonce"])
        id = interaction_id(bound, Proof.decode(evidence["proof"]))
        data = {"rule": rule, "said": said, "by": "U0LEAD", "arn": "arn:aws:iam::123456789012:user/lead", "told": True}
        self.ledger.commit(Put("interaction", id, data, ABSENT))

    def run(self, *arguments: str, stack: str = "governor", **outside: Any) -> Ran:
        given: dict[str, Any] = {
            "environment": {},
            "aws": self.client,
            "credentials": lambda: ReadOnlyCredentials("FAKEACCESSKEY0000001", "fake", "fake-token"),
            "now": lambda: datetime.fromtimestamp(NOW, UTC),
            "sleep": lambda _: self.on_sleep(),
        }
        words = [*arguments, *(["--stack", stack] if stack else [])]
        result = CliRunner().invoke(build(), words, obj=Outside(**{**given, **outside}), env={"COLUMNS": "80"})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    def client(self, service: str, _region: str | None) -> Any:
        """What a command gets of AWS."""
        if service in ("cloudformation", "events"):
            return self
        if service not in self._clients:
            make: Any = boto3.client  # its overloads go by the service's literal name
            self._clients[service] = make(service, REGION)
            self._clients[service].meta.events.register("before-call.*.*", lambda **_: self.on_request())
        return self._clients[service]


@contextmanager
def stack_double() -> Iterator[StackDouble]:
    with mock_aws():
        create_tables(boto3.client("dynamodb", REGION), "ledger", "decisions")
        yield StackDouble()
