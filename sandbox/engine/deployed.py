"""One stack as it was deployed: what it made, what its functions did and printed, what lies in its queues."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from moto.dynamodb.models import dynamodb_backends
from moto.events.models import events_backends
from moto.sns.models import sns_backends

from sandbox.engine.aws import Aws
from sandbox.engine.errors import EngineError
from sandbox.engine.functions import Function
from sandbox.engine.pool import Invocation, Pool
from sandbox.engine.queues import queue
from sandbox.engine.stack import Stack
from sandbox.engine.template import ACCOUNT, REGION
from sandbox.engine.urls import FunctionUrls


@dataclass(frozen=True)
class QueuedMessage:
    """A message lying in a queue; `body` is parsed when it is JSON."""

    queue: str
    body: Any
    attributes: dict[str, str]
    receive_count: int


class Deployed:
    """Asked by logical id. Several may stand in one engine: the account and the region are the same for all."""

    def __init__(self, stack: Stack, pool: Pool, aws: Aws, urls: FunctionUrls) -> None:
        self._stack, self._pool, self._aws, self._urls = stack, pool, aws, urls

    @property
    def outputs(self) -> dict[str, Any]:
        return self._stack.outputs

    @property
    def resources(self) -> dict[str, str]:
        """What `Ref` gives for each resource that was made, by logical id."""
        return self._stack.resources

    def physical(self, logical_id: str) -> str:
        """What `Ref` gives for a resource: its name, URL or ARN."""
        return self._stack.physical(logical_id)

    def url(self, function: str) -> str:
        return self._urls.url(self._function(function).logical_id)

    def logs(self, function: str) -> str:
        """Everything that the function's workers printed."""
        return self._pool.log(self._function(function))

    def has(self, logical_id: str) -> bool:
        """Whether the template's resource is deployed: its condition may be off."""
        return self._stack.has(logical_id)

    def messages(self, queue_id: str) -> list[QueuedMessage]:
        """What lies in a queue (by logical id), received or not, without taking it."""
        found = queue(self._stack.attribute_of(queue_id, "Arn"))
        return [
            QueuedMessage(
                queue_id,
                _parsed(message.body),
                {name: value["StringValue"] for name, value in message.message_attributes.items()},
                message.approximate_receive_count,
            )
            for message in found._messages
        ]

    def dead_letters(self) -> list[QueuedMessage]:
        """What lies in every queue that the template names as a dead-letter queue or a failure's destination."""
        queues = self._stack.of_kind("AWS::SQS::Queue")
        graves = [one for one in queues if self._stack.attribute_of(one, "Arn") in self._stack.dead_letters]
        return [message for grave in graves for message in self.messages(grave)]

    def published(self, topic: str) -> list[tuple[str | None, str]]:
        """Subject and message of everything published to a topic (by logical id)."""
        found: Any = sns_backends[ACCOUNT][REGION].topics[self._stack.physical(topic)]
        return [(subject, message) for _, message, subject, *_ in found.sent_notifications]

    def archived(self, archive: str) -> list[dict[str, Any]]:
        """Every event that an archive (by logical id) keeps, in the order they were put."""
        found: Any = events_backends[ACCOUNT][REGION].archives[self._stack.physical(archive)]
        return list(found.events)

    def items(self, table: str) -> list[dict[str, Any]]:
        """Every item of a table of DynamoDB's (by logical id), without a request: for those who look often."""
        found: Any = dynamodb_backends[ACCOUNT][REGION].tables[self._stack.physical(table)]
        read = TypeDeserializer().deserialize
        attributes = [item.to_json()["Attributes"] for item in found.all_items()]
        return [{name: read(value) for name, value in one.items()} for one in attributes]

    def invoke(self, function: str, event: Any) -> Invocation:
        """Invokes a function by logical id and waits for it, as the API's RequestResponse does."""
        return self._pool.invoke(self._function(function), json.dumps(event).encode(), "invoke")

    def invoke_together(self, *calls: tuple[str, Any]) -> list[Invocation]:
        """Invokes several at the same time, each in an execution environment of its own."""
        results: dict[int, Invocation] = {}

        def one(index: int, function: str, event: Any) -> None:
            results[index] = self.invoke(function, event)

        threads = [threading.Thread(target=one, args=(i, *call)) for i, call in enumerate(calls)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [results[i] for i in range(len(calls))]

    def put_event(self, detail_type: str, detail: Mapping[str, Any], source: str, bus: str | None = None) -> None:
        """Puts an event on a bus (by logical id; without one, on the stack's only bus). Delivered by `run_until`."""
        buses = list(self._stack.of_kind("AWS::Events::EventBus"))
        chosen = self._stack.physical(bus or buses[0]) if bus or len(buses) == 1 else "default"
        entry = {"EventBusName": chosen, "Source": source, "DetailType": detail_type, "Detail": json.dumps(detail)}
        answer = self.client("events").put_events(Entries=[entry])
        if "ErrorCode" in answer["Entries"][0]:
            raise EngineError(f"the bus refused the event: {answer['Entries'][0]}")

    def client(self, service: str) -> Any:
        """A boto3 client that may do anything."""
        return self._aws.client(service)

    def client_as(self, function: str, service: str) -> Any:
        """A boto3 client that may do what the function's role may."""
        found = self._function(function)
        return self._aws.client(service, self._pool.role_credentials(found.role_arn, found.logical_id))

    def _function(self, logical_id: str) -> Function:
        try:
            return self._stack.functions[logical_id]
        except KeyError:
            raise EngineError(f"the stack has no function {logical_id}: {sorted(self._stack.functions)}") from None


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body
