"""A stream feeds a function by the second in tumbling windows, whose state goes from batch to batch."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sandbox.engine import Engine

COUNTING = """
import base64, json

def handler(event, context):
    bodies = [json.loads(base64.b64decode(one["kinesis"]["data"])) for one in event["Records"]]
    if any(body.get("poison") for body in bodies):
        raise ValueError("poison")
    state = {"count": event["state"].get("count", 0) + len(bodies)}
    return {} if any(body.get("stateless") for body in bodies) else {"state": state, "batchItemFailures": []}
"""
TEMPLATE = """
  Stream:
    Type: AWS::Kinesis::Stream
    Properties: {ShardCount: 1}
  Grave: {Type: AWS::SQS::Queue}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: all
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {Effect: Allow, Action: "kinesis:*", Resource: !GetAtt Stream.Arn}
              - {Effect: Allow, Action: "sqs:SendMessage", Resource: !GetAtt Grave.Arn}
  Reader:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: counting
      Timeout: 5
      Role: !GetAtt Role.Arn
      Events:
        Batch:
          Type: Kinesis
          Properties:
            Stream: !GetAtt Stream.Arn
            StartingPosition: TRIM_HORIZON
            BatchSize: 10
            MaximumBatchingWindowInSeconds: 1
            TumblingWindowInSeconds: 60
            MaximumRetryAttempts: 1
            FunctionResponseTypes: [ReportBatchItemFailures]
            DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Grave.Arn}}
"""
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def engine(deploy: Callable[..., Engine]) -> Engine:
    return deploy(TEMPLATE, {"counting/app.py": COUNTING})


def put(engine: Engine, *bodies: dict[str, Any]) -> None:
    for body in bodies:
        engine.client("kinesis").put_record(
            StreamName=engine.physical("Stream"), Data=json.dumps(body).encode(), PartitionKey="x"
        )


def runs(engine: Engine, since: int) -> list[tuple[int, Any, bool, str]]:
    """Of each run: how many records, the state it was given, whether it ends its window, how it went."""
    return [
        (len(one.event["Records"]), one.event["state"], one.event["isFinalInvokeForWindow"], one.kind)
        for one in engine.invocations[since:]
    ]


def to_the_minute(engine: Engine) -> None:
    """On to the second after a whole minute, every window before it over."""
    engine.run_until(timedelta(minutes=2))
    engine.run_until(timedelta(seconds=61 - engine.now().second))


def test_the_state_goes_from_batch_to_batch_until_the_window_is_over(engine):
    to_the_minute(engine)
    since = len(engine.invocations)
    put(engine, *[{}] * 12)
    engine.run_until(10 * SECOND)
    put(engine, {}, {})
    engine.run_until(timedelta(minutes=2))
    assert runs(engine, since) == [
        (10, {}, False, "response"),
        (2, {"count": 10}, False, "response"),
        (2, {"count": 12}, False, "response"),
        (0, {"count": 14}, True, "response"),
    ]
    put(engine, {})
    engine.run_until(5 * SECOND)
    assert runs(engine, since)[-1] == (1, {}, False, "response"), "a new window begins with nothing"


@pytest.mark.parametrize("fault", ["poison", "stateless"])
def test_a_batch_that_fails_comes_again_with_its_state_and_is_then_given_up(engine, fault):
    to_the_minute(engine)
    since, buried = len(engine.invocations), len(engine.messages("Grave"))
    put(engine, {})
    engine.run_until(3 * SECOND)
    put(engine, {fault: True})
    engine.run_until(10 * SECOND)
    put(engine, {})
    engine.run_until(5 * SECOND)
    kind = "error" if fault == "poison" else "response"
    assert runs(engine, since) == [
        (1, {}, False, "response"),
        (1, {"count": 1}, False, kind),
        (1, {"count": 1}, False, kind),
        (1, {"count": 1}, False, "response"),
    ]
    assert len(engine.messages("Grave")) == buried + 1
    assert engine.dead_letters()[-1].body["KinesisBatchInfo"]["batchSize"] == 1


def test_a_record_comes_as_lambda_hands_it_over(engine):
    put(engine, {"n": 1})
    engine.run_until(3 * SECOND)
    (record,) = engine.invocations[-1].event["Records"]
    assert json.loads(base64.b64decode(record["kinesis"]["data"])) == {"n": 1}
    assert record["kinesis"]["partitionKey"] == "x"
    assert record["eventSource"] == "aws:kinesis"
    assert record["eventSourceARN"].endswith(engine.physical("Stream"))
