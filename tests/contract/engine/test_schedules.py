"""Schedules fire at the virtual clock, with the time they were meant for in their input."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.engine import Engine

TEMPLATE = """
  Grave: {Type: AWS::SQS::Queue}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Service: scheduler.amazonaws.com}
            Action: sts:AssumeRole
            Condition: {StringEquals: {"aws:SourceAccount": !Ref AWS::AccountId}}
      Policies:
        - PolicyName: send
          PolicyDocument: {Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: !GetAtt Grave.Arn}]}
  Minutely:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Events:
        Run:
          Type: ScheduleV2
          Properties:
            Name: run
            ScheduleExpression: rate(1 minute)
            Input: '{"answer": "<aws.scheduler.scheduled-time>"}'
  Daily:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Events:
        Morning:
          Type: ScheduleV2
          Properties:
            ScheduleExpression: cron(30 8 ? * MON-FRI *)
            ScheduleExpressionTimezone: Europe/Berlin
            Input: '{"answer": "<aws.scheduler.scheduled-time>"}'
        Never: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 hour), State: DISABLED}}
  Ruled:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Events: {Hourly: {Type: Schedule, Properties: {Schedule: rate(1 hour)}}}
  Denied:
    Type: AWS::Scheduler::Schedule
    Properties:
      Name: denied
      ScheduleExpression: at(2026-01-05T00:00:30)
      FlexibleTimeWindow: {Mode: "OFF"}
      Target: {Arn: !GetAtt Minutely.Arn, RoleArn: !GetAtt Role.Arn, DeadLetterConfig: {Arn: !GetAtt Grave.Arn}}
"""


@pytest.fixture(scope="module")
def engine(deploy: Callable[..., Engine]) -> Engine:
    return deploy(TEMPLATE, start="2026-01-05T00:00:00Z")


def answers(engine: Engine, function: str, since: int = 0) -> list[Any]:
    return [one.result for one in engine.invocations[since:] if one.function == function]


def test_a_rate_fires_at_once_and_then_at_every_interval(engine):
    engine.run_until(datetime(2026, 1, 5, 0, 3, tzinfo=UTC))

    assert answers(engine, "Minutely") == [f"2026-01-05T00:0{minute}:00Z" for minute in range(4)]


def test_a_schedule_whose_role_may_not_makes_a_dead_letter(engine):
    (letter,) = engine.dead_letters()

    assert letter.attributes["ERROR_CODE"] == "NO_PERMISSIONS"
    assert letter.attributes["SCHEDULED_TIME"] == "2026-01-05T00:00:30Z"


def test_runs_can_be_thinned(engine):
    since = len(engine.invocations)
    engine.run_until(datetime(2026, 1, 5, 1, 3, tzinfo=UTC), thin={"run": 1200})

    thinned = answers(engine, "Minutely", since)
    assert thinned == [f"2026-01-05T{hour}:00Z" for hour in ("00:23", "00:43", "01:03")]


def test_the_full_run_goes_on_afterwards(engine):
    since = len(engine.invocations)
    engine.run_until(timedelta(minutes=2))

    assert answers(engine, "Minutely", since) == ["2026-01-05T01:04:00Z", "2026-01-05T01:05:00Z"]


def test_runs_that_were_thinned_out_are_not_made_up_for(engine):
    engine.run_until(datetime(2026, 1, 5, 1, 15, tzinfo=UTC), thin={"MinutelyTick": 1200})
    since = len(engine.invocations)
    engine.run_until(timedelta(minutes=2))

    assert answers(engine, "Minutely", since) == ["2026-01-05T01:16:00Z", "2026-01-05T01:17:00Z"]


def test_cron_goes_by_the_clock_of_its_zone(engine):
    engine.run_until(datetime(2026, 1, 6, 12, tzinfo=UTC), thin={"MinutelyTick": 43200})

    assert answers(engine, "Daily") == ["2026-01-05T07:30:00Z", "2026-01-06T07:30:00Z"]


def test_a_rule_with_a_schedule_sends_an_event_of_that_time(engine):
    runs = [one for one in engine.invocations if one.function == "Ruled"]

    assert len(runs) == 36
    assert runs[0].event["time"] == "2026-01-05T01:00:00Z"
    assert runs[0].event["detail-type"] == "Scheduled Event"


def test_a_schedule_changed_through_the_api_counts_at_once(engine):
    client = engine.client("scheduler")
    found = client.get_schedule(Name="run")
    keys = ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    client.update_schedule(State="DISABLED", **{key: found[key] for key in keys})
    since = len(engine.invocations)

    engine.run_until(timedelta(minutes=30))

    assert answers(engine, "Minutely", since) == []
