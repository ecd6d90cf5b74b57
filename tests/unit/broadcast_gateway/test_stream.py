"""Every record is handed to the stream, whatever part of them a shard refuses."""

from typing import Any

import pytest

from governor.broadcast.messages import Pushed
from governor.broadcast.stream import PushedStream, StreamRefused

SOME = [Pushed.of(f"gen-{number}", f"key-{number}", 0.1, number) for number in range(1_100)]


class Kinesis:
    """Refuses the records of these turns (call, position)."""

    def __init__(self, refuses: Any = lambda call, at: False) -> None:
        self.refuses, self.calls = refuses, 0
        self.taken: list[Pushed] = []

    def put_record(self, **given: Any) -> dict[str, Any]:
        self.taken.append(Pushed.decode(given["Data"]))
        return {}

    def put_records(self, Records: list[dict[str, Any]], **_: Any) -> dict[str, Any]:
        self.calls += 1
        assert len(Records) <= 500
        told: list[dict[str, Any]] = []
        for at, record in enumerate(Records):
            if self.refuses(self.calls, at):
                told.append({"ErrorCode": "ProvisionedThroughputExceededException"})
            else:
                self.taken.append(Pushed.decode(record["Data"]))
                told.append({"SequenceNumber": "1"})
        return {"FailedRecordCount": sum("ErrorCode" in one for one in told), "Records": told}


def stream(kinesis: Any) -> PushedStream:
    return PushedStream(kinesis, "pushed", sleep=lambda seconds: None)


def test_one_record_takes_one_call_and_many_are_put_by_five_hundred() -> None:
    kinesis = Kinesis()
    stream(kinesis).put(SOME[:1])
    assert (kinesis.taken, kinesis.calls) == (SOME[:1], 0)
    stream(kinesis).put(SOME)
    assert (kinesis.taken[1:], kinesis.calls) == (SOME, 3)


def test_what_a_full_shard_refuses_is_put_again_and_nothing_else_is() -> None:
    kinesis = Kinesis(lambda call, at: call == 1 and at % 3 == 0)
    stream(kinesis).put(SOME[:10])
    assert sorted(one.ended for one in kinesis.taken) == list(range(10))


def test_a_shard_that_stays_full_is_said_to_the_sender() -> None:
    with pytest.raises(StreamRefused, match="1 records"):
        stream(Kinesis(lambda call, at: at == 0)).put(SOME[:2])


def test_a_record_without_a_name_and_one_of_content_have_a_shard_too() -> None:
    kinesis = Kinesis()
    stream(kinesis).put([Pushed(content=True)])
    stream(kinesis).put([Pushed.of("gen-1", "", 0.1, 1), Pushed(content=True)])
    assert len(kinesis.taken) == 3
