"""Kinesis event source mappings with a tumbling window: Lambda's poller of each shard, with the function's own role.

Source: Lambda Developer Guide, "Implementing stateful Kinesis Data Streams processing in Lambda", and "Processing
Kinesis Data Streams records with Lambda". The seam is moto's `Shard.records`, read to learn what has arrived; records
are taken through the API. Windows are cut at whole multiples of their length since 1970, by the records' arrival.
"""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.kinesis.models import kinesis_backends

from sandbox.engine.aws import Aws
from sandbox.engine.clock import VirtualClock
from sandbox.engine.delivery import Delivery, Sender
from sandbox.engine.faults import Faults
from sandbox.engine.functions import StreamMapping
from sandbox.engine.pool import Pool
from sandbox.engine.template import ACCOUNT, REGION

POLL = timedelta(seconds=1)
"""Lambda polls a shard once a second."""


class ShardPoller:
    """One shard of one mapping. `after`: the sequence number of the last record that was processed, or given up."""

    def __init__(
        self,
        mapping: StreamMapping,
        shard: str,
        pool: Pool,
        aws: Aws,
        clock: VirtualClock,
        faults: Faults,
        delivery: Delivery,
    ) -> None:
        self.mapping, self.shard = mapping, shard
        self._pool, self._aws, self._clock, self._faults, self._delivery = pool, aws, clock, faults, delivery
        self._function = pool.functions[mapping.function]
        self._after: str | None = None
        self._polled = datetime.fromtimestamp(0, UTC)
        self._window: datetime | None = None
        self._state: dict[str, Any] = {}
        self._tries = 0

    def next_due(self) -> datetime | None:
        """When the next batch can be taken, or the window that is open ends."""
        waiting = self._waiting()
        times = []
        if waiting:
            times.append(waiting[0] + timedelta(seconds=self.mapping.window_seconds))
        if self._window is not None:
            times.append(self._window + self._length)
        return max(min(times), self._polled + POLL) if times else None

    def poll(self) -> None:
        """Takes a batch of one window, or ends the window when nothing of it is left."""
        self._polled = self._clock.now()
        records = self._take()
        window = self._window_of(records[0]["ApproximateArrivalTimestamp"]) if records else None
        if self._window is not None and window != self._window:
            if self._clock.now() >= self._window + self._length:
                self._invoke([], final=True)
            return
        if window is None:
            return
        self._window = window
        batch = [one for one in records if self._window_of(one["ApproximateArrivalTimestamp"]) == window]
        self._invoke(batch, final=False)

    def _invoke(self, batch: list[dict[str, Any]], *, final: bool) -> None:
        assert self._window is not None
        event = {
            "Records": [self._record(one) for one in batch],
            "window": {"start": _instant(self._window), "end": _instant(self._window + self._length)},
            "state": self._state,
            "shardId": self.shard,
            "eventSourceARN": self.mapping.stream_arn,
            "isFinalInvokeForWindow": final,
            "isWindowTerminatedEarly": False,
        }
        payload = json.dumps(event).encode()
        for _ in range(self._faults.copies(self._function.logical_id)):
            invocation = self._pool.invoke(self._function, payload, self.mapping.stream_arn)
        result = invocation.result
        if invocation.kind == "response" and isinstance(result, dict) and isinstance(result.get("state"), dict):
            self._state, self._tries = result["state"], 0
        else:
            self._tries += 1
            if self._tries <= self.mapping.retries:
                return  # the same batch again, with the state of before, at the next poll
            self._give_up(batch)
        if batch:
            self._after = batch[-1]["SequenceNumber"]
        if final:
            self._window, self._state = None, {}

    def _give_up(self, batch: list[dict[str, Any]]) -> None:
        """What could not be processed is named to the failure destination, and the shard goes on behind it."""
        self._tries = 0
        numbers = [one["SequenceNumber"] for one in batch]
        told = {
            "requestContext": {"functionArn": self._function.arn, "condition": "RetryAttemptsExhausted"},
            "KinesisBatchInfo": {"shardId": self.shard, "batchSize": len(batch), "sequenceNumbers": numbers[:2]},
        }
        sender = Sender("lambda.amazonaws.com", self.mapping.stream_arn, self._function.role_arn)
        self._delivery.bury(self.mapping.on_failure, json.dumps(told), sender, {}, "retries exhausted")

    def _take(self) -> list[dict[str, Any]]:
        client = self._aws.client(
            "kinesis", self._pool.role_credentials(self._function.role_arn, self._function.logical_id)
        )
        start = {"ShardIteratorType": "TRIM_HORIZON"}
        if self._after is not None:
            start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": self._after}
        iterator = client.get_shard_iterator(StreamName=self._name, ShardId=self.shard, **start)["ShardIterator"]
        records: list[dict[str, Any]] = client.get_records(
            ShardIterator=iterator, Limit=self.mapping.batch_size, StreamARN=self.mapping.stream_arn
        )["Records"]
        return records

    def _waiting(self) -> list[datetime]:
        """When each record that was not processed yet arrived."""
        records = kinesis_backends[ACCOUNT][REGION].streams[self._name].shards[self.shard].records
        last = int(self._after or -1)
        return [
            datetime.fromtimestamp(one.created_at, UTC) for number, one in list(records.items()) if int(number) > last
        ]

    def _record(self, one: dict[str, Any]) -> dict[str, Any]:
        return {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": one["PartitionKey"],
                "sequenceNumber": one["SequenceNumber"],
                "data": base64.b64encode(one["Data"]).decode(),
                "approximateArrivalTimestamp": one["ApproximateArrivalTimestamp"].timestamp(),
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{self.shard}:{one['SequenceNumber']}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": self._function.role_arn,
            "awsRegion": REGION,
            "eventSourceARN": self.mapping.stream_arn,
        }

    def _window_of(self, arrived: datetime) -> datetime:
        seconds = int(self._length.total_seconds())
        return datetime.fromtimestamp(int(arrived.timestamp()) // seconds * seconds, UTC)

    @property
    def _length(self) -> timedelta:
        return timedelta(seconds=self.mapping.tumbling_seconds)

    @property
    def _name(self) -> str:
        return self.mapping.stream_arn.rpartition("/")[2]


def shards_of(arn: str) -> list[str]:
    """The ids of a stream's shards."""
    return list(kinesis_backends[ACCOUNT][REGION].streams[arn.rpartition("/")[2]].shards)


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
