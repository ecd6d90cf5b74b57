"""The stream on which costs wait to be added up: Kinesis Data Streams."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from governor.broadcast.messages import Pushed

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient


class StreamRefused(Exception):
    """The stream did not take every record; the sender may deliver them again."""


class PushedStream:
    """Puts records on one stream. All of one key's name go to one shard, so that one tally adds them up."""

    MOST = 500
    """Records that PutRecords takes at once."""
    TRIES = 3
    """A shard that is full for a moment takes the rest a moment later."""

    def __init__(self, client: "KinesisClient", name: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client, self._name, self._sleep = client, name, sleep

    def put(self, pushed: Sequence[Pushed]) -> None:
        """Hands every record over, at least once. Raises `StreamRefused`."""
        if len(pushed) == 1:
            # The usual delivery: a PutRecord fails as a whole, and boto3 retries it.
            self._client.put_record(
                StreamName=self._name, Data=pushed[0].encode(), PartitionKey=pushed[0].key or "none"
            )
            return
        for start in range(0, len(pushed), self.MOST):
            self._put(pushed[start : start + self.MOST])

    def _put(self, left: Sequence[Pushed]) -> None:
        for tried in range(self.TRIES):
            answer = self._client.put_records(
                StreamName=self._name,
                Records=[{"Data": one.encode(), "PartitionKey": one.key or "none"} for one in left],
            )
            if not answer.get("FailedRecordCount"):
                return
            left = [one for one, told in zip(left, answer["Records"], strict=True) if "ErrorCode" in told]
            if tried < self.TRIES - 1:
                self._sleep(0.1 * 2**tried)
        raise StreamRefused(f"{len(left)} records refused by stream {self._name}")
