"""SQS event source mappings: Lambda's pollers, with the function's own role.

Source: Lambda Developer Guide, "Using Lambda with Amazon SQS". The seam is moto's `Queue._messages`, read to learn
when a message becomes visible; receiving and deleting go through the API.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.sqs.models import Queue, sqs_backends

from sandbox.engine.aws import Aws
from sandbox.engine.clock import VirtualClock
from sandbox.engine.faults import Faults
from sandbox.engine.functions import QueueMapping
from sandbox.engine.pool import Pool
from sandbox.engine.template import ACCOUNT, REGION

# moto hands a message out when the clock is past its instant, not at it.
JUST_AFTER = timedelta(milliseconds=1)
IDLE = timedelta(seconds=1)


class QueuePoller:
    """One mapping: says when there is something to take, takes it, and invokes."""

    def __init__(self, mapping: QueueMapping, pool: Pool, aws: Aws, clock: VirtualClock, faults: Faults) -> None:
        self.mapping = mapping
        self._pool, self._aws, self._clock, self._faults = pool, aws, clock, faults
        self._function = pool.functions[mapping.function]
        self._not_before = datetime.fromtimestamp(0, UTC)

    def next_due(self) -> datetime | None:
        """When the next batch can be taken, or None while the queue holds nothing."""
        times = sorted(_available(queue(self.mapping.queue_arn)))
        if not times:
            return None
        full = len(times) >= self.mapping.batch_size
        wait = timedelta() if full else timedelta(seconds=self.mapping.window_seconds)
        first = datetime.fromtimestamp(times[0], UTC) + JUST_AFTER
        return max(first + wait, self._not_before)

    def poll(self) -> None:
        """Takes one batch and invokes; deletes what succeeded and leaves the rest to its visibility timeout."""
        messages = self._receive()
        if not messages:
            # Nothing to be had after all (it went to the dead letters): look again later, not at once.
            self._not_before = self._clock.now() + IDLE
            return
        event = json.dumps({"Records": [self._record(message) for message in messages]}).encode()
        failed: set[str] = set()
        for _ in range(self._faults.copies(self._function.logical_id)):
            invocation = self._pool.invoke(self._function, event, self.mapping.queue_arn)
            every = {message["MessageId"] for message in messages}
            failed |= every if invocation.kind != "response" else self._failed(invocation.result, every)
        sqs = self._client()
        for message in messages:
            if message["MessageId"] not in failed:
                sqs.delete_message(QueueUrl=self._url(), ReceiptHandle=message["ReceiptHandle"])

    def _receive(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while len(found) < self.mapping.batch_size:
            answer = self._client().receive_message(
                QueueUrl=self._url(),
                MaxNumberOfMessages=min(10, self.mapping.batch_size - len(found)),
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            if not answer.get("Messages"):
                break
            found += answer["Messages"]
        return found

    def _failed(self, result: Any, every: set[str]) -> set[str]:
        if not self.mapping.reports_failures or not isinstance(result, dict):
            return set()
        listed = result.get("batchItemFailures") or []
        named = {item.get("itemIdentifier") for item in listed}
        # One name that is not of this batch, and Lambda takes the whole batch for failed.
        return every if named - every else named

    def _record(self, message: dict[str, Any]) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {
                name: {
                    "stringValue": value.get("StringValue"),
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": value["DataType"],
                }
                for name, value in message.get("MessageAttributes", {}).items()
            },
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self.mapping.queue_arn,
            "awsRegion": REGION,
        }

    def _client(self) -> Any:
        function = self._function
        return self._aws.client("sqs", self._pool.role_credentials(function.role_arn, function.logical_id))

    def _url(self) -> str:
        return queue_url(self._aws, self.mapping.queue_arn)


def queue(arn: str) -> Queue:
    """moto's queue behind an ARN."""
    return sqs_backends[ACCOUNT][REGION].queues[arn.rsplit(":", 1)[1]]


def queue_url(aws: Aws, arn: str) -> str:
    return f"{aws.endpoint}/{ACCOUNT}/{arn.rsplit(':', 1)[1]}"


def _available(found: Queue) -> list[float]:
    """When each message can be received, as seconds since 1970; of a FIFO group in flight only what is in flight."""
    pending = list(found.pending_messages)
    groups = {message.group_id for message in pending if found.fifo_queue and message.group_id}
    return [
        max(message.visible_at, message.delayed_until) / 1000
        for message in list(found._messages)
        if message.group_id not in groups or message in pending
    ]
