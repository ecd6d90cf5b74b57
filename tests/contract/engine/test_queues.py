"""Queues feed functions in batches; what fails comes back, and in the end goes to the dead letters."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sandbox.engine import Engine

TEMPLATE = """
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 60
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Grave.Arn, maxReceiveCount: 3}
  Grave: {Type: AWS::SQS::Queue}
  Ordered:
    Type: AWS::SQS::Queue
    Properties: {FifoQueue: true, ContentBasedDeduplication: true, VisibilityTimeout: 60}
  Reader:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Events:
        Batch:
          Type: SQS
          Properties:
            Queue: !GetAtt Queue.Arn
            BatchSize: 5
            FunctionResponseTypes: [ReportBatchItemFailures]
            ScalingConfig: {MaximumConcurrency: 2}
  OrderedReader:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Events: {Batch: {Type: SQS, Properties: {Queue: !GetAtt Ordered.Arn, BatchSize: 1}}}
"""


@pytest.fixture(scope="module")
def engine(deploy: Callable[..., Engine]) -> Engine:
    return deploy(TEMPLATE)


def send(engine: Engine, *bodies: dict[str, Any], **more: Any) -> None:
    for body in bodies:
        engine.client("sqs").send_message(QueueUrl=engine.physical("Queue"), MessageBody=json.dumps(body), **more)


def batches(engine: Engine, since: int, function: str = "Reader") -> list[list[dict[str, Any]]]:
    return [
        [json.loads(record["body"]) for record in one.event["Records"]]
        for one in engine.invocations[since:]
        if one.function == function
    ]


def test_messages_come_in_batches_and_are_gone_when_they_succeed(engine):
    send(engine, *({"n": n} for n in range(7)))
    engine.settle()

    assert batches(engine, 0) == [[{"n": n} for n in range(5)], [{"n": 5}, {"n": 6}]]
    assert engine.messages("Queue") == []


def test_only_what_failed_comes_back_after_the_visibility_timeout(engine):
    since = len(engine.invocations)
    send(engine, {"n": 1}, {"n": 2, "fail": True})
    engine.run_until(timedelta(seconds=30))
    assert batches(engine, since) == [[{"n": 1}, {"n": 2, "fail": True}]]

    engine.run_until(timedelta(seconds=45))

    again = engine.invocations[-1]
    assert batches(engine, since)[1:] == [[{"n": 2, "fail": True}]]
    assert again.event["Records"][0]["attributes"]["ApproximateReceiveCount"] == "2"


def test_after_so_many_receipts_a_message_is_a_dead_letter(engine):
    engine.run_until(timedelta(minutes=10))

    (letter,) = engine.dead_letters()
    assert letter.queue == "Grave"
    assert letter.body == {"n": 2, "fail": True}


def test_a_function_that_fails_gives_the_whole_batch_back(engine):
    since = len(engine.invocations)
    send(engine, {"n": 1}, {"n": 2, "poison": True})
    engine.run_until(timedelta(minutes=10))

    assert len(batches(engine, since)) == 3
    assert [letter.body["n"] for letter in engine.messages("Grave")][1:] == [1, 2]


def test_a_delayed_message_waits(engine):
    since = len(engine.invocations)
    send(engine, {"n": 9}, DelaySeconds=120)
    engine.run_until(timedelta(seconds=100))
    assert batches(engine, since) == []

    engine.run_until(timedelta(seconds=30))

    assert batches(engine, since) == [[{"n": 9}]]


def test_a_batch_can_arrive_twice(engine):
    since = len(engine.invocations)
    engine.faults.deliver_twice("Reader")
    send(engine, {"n": 3})
    engine.settle()

    assert batches(engine, since) == [[{"n": 3}], [{"n": 3}]]


def test_a_group_keeps_its_order_and_waits_for_its_failure(engine):
    since = len(engine.invocations)
    for body, group in (({"n": 1, "poison": True}, "a"), ({"n": 2}, "a"), ({"n": 3}, "b")):
        url = engine.physical("Ordered")
        engine.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(body), MessageGroupId=group)
    engine.run_until(timedelta(seconds=90))

    seen = [batch[0]["n"] for batch in batches(engine, since, "OrderedReader")]
    assert seen == [1, 3, 1]
