"""Events reach what their rules name, in the shape the rule asks for, if whoever sends may."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from sandbox.engine import Engine

TEMPLATE = """
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: bus}}
  Archive: {Type: AWS::Events::Archive, Properties: {SourceArn: !GetAtt Bus.Arn, RetentionDays: 1}}
  Grave: {Type: AWS::SQS::Queue}
  Welcome: {Type: AWS::SQS::Queue}
  Closed: {Type: AWS::SQS::Queue}
  Topic: {Type: AWS::SNS::Topic}
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Welcome, !Ref Grave]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Service: events.amazonaws.com}
            Action: sqs:SendMessage
            Resource: "*"
            Condition: {ArnLike: {"aws:SourceArn": !Sub "arn:aws:events:*:${AWS::AccountId}:rule/${Bus}/*"}}
          - Effect: Allow
            Principal: {Service: sns.amazonaws.com}
            Action: sqs:SendMessage
            Resource: !GetAtt Welcome.Arn
            Condition: {ArnEquals: {"aws:SourceArn": !Ref Topic}}
  TopicPolicy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Statement:
          [{Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: "sns:Publish", Resource: !Ref Topic}]
  ToQueues:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: {source: [queues]}
      Targets:
        - Id: welcome
          Arn: !GetAtt Welcome.Arn
          InputTransformer:
            InputPathsMap: {who: $.detail.who}
            InputTemplate: '{"who": <who>, "text": "hello <who>", "at": <aws.events.event.ingestion-time>}'
        - Id: closed
          Arn: !GetAtt Closed.Arn
          RetryPolicy: {MaximumRetryAttempts: 3}
          DeadLetterConfig: {Arn: !GetAtt Grave.Arn}
  ToTopic:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: {source: [topic]}
      Targets: [{Id: topic, Arn: !Ref Topic, InputPath: $.detail}]
  ToForbidden:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: {source: [forbidden]}
      Targets: [{Id: it, Arn: !GetAtt Obedient.Arn, DeadLetterConfig: {Arn: !GetAtt Grave.Arn}}]
  InTopic:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Welcome.Arn}
  NotInTopic:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Closed.Arn}
  Obedient:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Policies: [{Statement: [{Effect: Allow, Action: "events:PutEvents", Resource: !GetAtt Bus.Arn}]}]
      Events:
        Nested:
          Type: EventBridgeRule
          Properties:
            EventBusName: !Ref Bus
            Pattern: {source: [nested], detail: {items: {kind: [b], size: [{numeric: [">", 3]}]}, flag: [true]}}
            Input: '{"answer": "matched"}'
        Topic: {Type: SNS, Properties: {Topic: !Ref Topic}}
"""


@pytest.fixture(scope="module")
def engine(deploy: Callable[..., Engine]) -> Engine:
    return deploy(TEMPLATE)


def test_a_rule_transforms_what_its_target_gets(engine):
    engine.put_event("Greeting", {"who": "Ada"}, source="queues")
    engine.settle()

    (message,) = engine.messages("Welcome")
    assert message.body == {"who": "Ada", "text": "hello Ada", "at": "2026-01-05T00:00:00Z"}


def test_a_target_that_lets_nobody_in_makes_a_dead_letter(engine):
    (letter,) = engine.dead_letters()

    assert letter.body["detail"] == {"who": "Ada"}
    assert letter.attributes["ERROR_CODE"] == "NO_PERMISSIONS"
    assert letter.attributes["RULE_ARN"].endswith("rule/bus/sandbox-ToQueues")
    assert engine.messages("Closed") == []


def test_a_function_without_a_permission_is_not_invoked(engine):
    engine.put_event("Order", {}, source="forbidden")
    engine.settle()

    assert engine.invocations == []
    assert engine.dead_letters()[-1].attributes["TARGET_ARN"].endswith("function:sandbox-Obedient")


@pytest.mark.parametrize(
    ("items", "flag", "expected"),
    [
        ([{"kind": "a", "size": 9}, {"kind": "b", "size": 4}], True, 1),
        ([{"kind": "a", "size": 9}, {"kind": "b", "size": 3}], True, 0),
        ([{"kind": "b", "size": 4}], 1, 0),
    ],
)
def test_patterns_look_into_arrays_and_tell_true_from_one(engine, items, flag, expected):
    count = len(engine.invocations)
    engine.put_event("Any", {"items": items, "flag": flag}, source="nested")
    engine.settle()

    assert [one.result for one in engine.invocations[count:]] == ["matched"] * expected


def test_a_topic_hands_on_to_functions_and_to_queues_that_let_it(engine):
    engine.put_event("Any", {"answer": "from the topic"}, source="topic")
    engine.settle()

    assert engine.published("Topic") == [(None, '{"answer": "from the topic"}')]
    notification = engine.invocations[-1].event["Records"][0]["Sns"]
    assert json.loads(notification["Message"]) == {"answer": "from the topic"}
    assert engine.messages("Welcome")[-1].body["Message"] == '{"answer": "from the topic"}'
    assert engine.messages("Closed") == []
    assert "sns.amazonaws.com may not" in engine.lost[-1].why


def test_an_event_put_by_a_function_goes_the_same_way(engine):
    count = len(engine.invocations)
    entry = {"EventBusName": "bus", "Source": "nested", "DetailType": "Any"}
    detail = {"items": [{"kind": "b", "size": 4}], "flag": True}
    engine.invoke(
        "Obedient", {"calls": [["events", "put_events", {"Entries": [{**entry, "Detail": json.dumps(detail)}]}]]}
    )
    engine.run_until(timedelta(seconds=5))

    assert [one.result for one in engine.invocations[count + 1 :]] == ["matched"]


def test_the_archive_keeps_every_event(engine):
    for number in range(3):
        engine.put_event("Archived", {"number": number}, source="nobody listens")

    kept = [event["detail"]["number"] for event in engine.archived("Archive") if event["source"] == "nobody listens"]
    assert kept == [0, 1, 2]
