"""Asynchronous invocations are retried, delayed, doubled and given up as Lambda does."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sandbox.engine import Engine

FUNCTION = """
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Role: !GetAtt Role.Arn
"""
TEMPLATE = f"""
  Grave: {{Type: AWS::SQS::Queue}}
  Heap: {{Type: AWS::SQS::Queue}}
  Successes: {{Type: AWS::SQS::Queue}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{{Effect: Allow, Principal: {{Service: lambda.amazonaws.com}}, Action: "sts:AssumeRole"}}]
      Policies:
        - PolicyName: send
          PolicyDocument: {{Statement: [{{Effect: Allow, Action: "sqs:SendMessage", Resource: "*"}}]}}
  Plain: {FUNCTION}
  Queued: {FUNCTION}
      DeadLetterQueue: {{Type: SQS, TargetArn: !GetAtt Heap.Arn}}
  Destined: {FUNCTION}
      EventInvokeConfig:
        MaximumRetryAttempts: 1
        DestinationConfig:
          OnFailure: {{Type: SQS, Destination: !GetAtt Grave.Arn}}
          OnSuccess: {{Type: SQS, Destination: !GetAtt Successes.Arn}}
  Hasty: {FUNCTION}
      EventInvokeConfig:
        MaximumEventAgeInSeconds: 90
        DestinationConfig: {{OnFailure: {{Type: SQS, Destination: !GetAtt Grave.Arn}}}}
"""


@pytest.fixture(scope="module")
def engine(deploy: Callable[..., Engine]) -> Engine:
    return deploy(TEMPLATE)


def fire(engine: Engine, function: str, event: str) -> None:
    engine.client("lambda").invoke(FunctionName=engine.physical(function), InvocationType="Event", Payload=event)


def runs(engine: Engine, function: str) -> list[Any]:
    return [one for one in engine.invocations if one.function == function]


def test_a_failing_event_is_tried_again_after_one_minute_and_then_two(engine):
    fire(engine, "Queued", '{"raise": "no"}')
    engine.run_until(timedelta(minutes=10))

    first, second, third = runs(engine, "Queued")
    assert (second.at - first.at).total_seconds() == pytest.approx(60, abs=10)
    assert (third.at - second.at).total_seconds() == pytest.approx(120, abs=10)
    assert first.request_id == second.request_id == third.request_id


def test_the_dead_letter_is_the_event_with_the_error_beside_it(engine):
    (letter,) = engine.messages("Heap")

    assert letter.body == {"raise": "no"}
    assert letter.attributes["ErrorMessage"] == "no"
    assert letter.attributes["ErrorCode"] == "200"
    assert letter.attributes["RequestID"] == runs(engine, "Queued")[0].request_id
    assert letter in engine.dead_letters()


def test_a_destination_hears_what_happened(engine):
    fire(engine, "Destined", '{"raise": "no"}')
    engine.run_until(timedelta(minutes=10))

    (letter,) = engine.messages("Grave")
    assert len(runs(engine, "Destined")) == 2
    assert letter.body["requestContext"]["condition"] == "RetriesExhausted"
    assert letter.body["requestContext"]["approximateInvokeCount"] == 2
    assert letter.body["requestPayload"] == {"raise": "no"}
    assert letter.body["responseContext"]["functionError"] == "Unhandled"
    assert letter.body["responsePayload"]["errorMessage"] == "no"


def test_success_has_a_destination_too(engine):
    fire(engine, "Destined", '{"answer": {"ok": 1}}')
    engine.settle()

    (letter,) = engine.messages("Successes")
    assert letter.body["requestContext"]["condition"] == "Success"
    assert letter.body["responsePayload"] == {"ok": 1}


def test_an_event_that_grows_too_old_is_given_up(engine):
    fire(engine, "Hasty", '{"raise": "old"}')
    engine.run_until(timedelta(minutes=10))

    assert len(runs(engine, "Hasty")) == 2
    letter = engine.messages("Grave")[-1]
    assert letter.body["requestContext"]["condition"] == "EventAgeExceeded"


def test_what_has_no_grave_is_told(engine):
    fire(engine, "Plain", '{"raise": "gone"}')
    engine.run_until(timedelta(minutes=10))

    assert [one.body for one in engine.lost] == ['{"raise": "gone"}']


def test_a_duplicate_can_be_asked_for(engine):
    count = len(runs(engine, "Plain"))
    engine.faults.deliver_twice("Plain")
    fire(engine, "Plain", '{"answer": 1}')
    fire(engine, "Plain", '{"answer": 2}')
    engine.settle()

    assert [one.result for one in runs(engine, "Plain")[count:]] == [1, 1, 2]


def test_a_delayed_event_comes_after_a_younger_one(engine):
    count = len(runs(engine, "Plain"))
    engine.faults.delay("Plain", timedelta(minutes=5))
    fire(engine, "Plain", '{"answer": "old"}')
    fire(engine, "Plain", '{"answer": "young"}')
    engine.run_until(timedelta(minutes=6))

    assert [one.result for one in runs(engine, "Plain")[count:]] == ["young", "old"]
