"""Secrets Manager runs a rotation's four steps in virtual time, again after a failure, and by its own schedule."""

from collections.abc import Callable
from datetime import timedelta
from textwrap import dedent
from typing import Any

import pytest

from sandbox.engine import Engine

TEMPLATE = """
  Rotator:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Policies:
        - Statement: [{Effect: Allow, Action: "secretsmanager:*", Resource: "*"}]
  Asked:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !GetAtt Rotator.Arn
      Action: lambda:InvokeFunction
      Principal: secretsmanager.amazonaws.com
"""
# Moves the label at the last step; fails at the first while the secret's description says so.
ROTATOR = dedent("""
    import boto3

    def handler(event, context):
        secrets = boto3.client("secretsmanager")
        secret, token = event["SecretId"], event["ClientRequestToken"]
        found = secrets.describe_secret(SecretId=secret)
        if found.get("Description") == "stuck":
            raise RuntimeError("stuck")
        if event["Step"] == "createSecret":
            secrets.put_secret_value(
                SecretId=secret, ClientRequestToken=token, SecretString=token, VersionStages=["AWSPENDING"])
        if event["Step"] == "finishSecret":
            (current,) = (id for id, held in found["VersionIdsToStages"].items() if "AWSCURRENT" in held)
            secrets.update_secret_version_stage(
                SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current)
        return event["Step"]
""")
FIRST, SECOND = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


@pytest.fixture(scope="module")
def engine(deploy: Callable[..., Engine]) -> Engine:
    return deploy(TEMPLATE, {"code/app.py": ROTATOR}, secrets={"agent": "made by hand"})


def rotate(engine: Engine, token: str) -> None:
    arn = next(one["FunctionArn"] for one in engine.client("lambda").list_functions()["Functions"])
    engine.client("secretsmanager").rotate_secret(
        SecretId="agent",
        ClientRequestToken=token,
        RotationLambdaARN=arn,
        RotationRules={"AutomaticallyAfterDays": 10},
    )


def steps(engine: Engine) -> list[Any]:
    return [(one.event["Step"], one.event["ClientRequestToken"], one.kind) for one in engine.invocations]


def test_the_steps_run_once_asked_and_the_value_is_read_with_and_without_a_request(engine: Engine) -> None:
    rotate(engine, FIRST)
    engine.settle()
    assert [step for step, _, _ in steps(engine)] == ["createSecret", "setSecret", "testSecret", "finishSecret"]
    assert engine.client("secretsmanager").get_secret_value(SecretId="agent")["SecretString"] == FIRST
    assert engine.secret_text("agent") == FIRST


def test_whoever_asks_hears_of_each_instant_before_the_clock_moves_there(engine: Engine) -> None:
    end, heard = engine.now() + timedelta(days=11), []
    engine.run_until(end, before=lambda due: heard.append((due, engine.now() <= due, engine.secret_text("agent"))))
    assert len(heard) >= 2, "the schedule's rotation, and the end"
    assert all(in_time for _, in_time, _ in heard)
    assert heard[0][2] == FIRST
    assert heard[-1][0] == end
    assert engine.secret_text("agent") != FIRST


def test_a_schedule_that_comes_upon_an_unfinished_rotation_attempts_that_one_again(engine: Engine) -> None:
    secrets = engine.client("secretsmanager")
    secrets.update_secret(SecretId="agent", Description="stuck")
    rotate(engine, SECOND)
    engine.run_until(timedelta(days=1))
    assert engine.secret_text("agent") != SECOND
    secrets.update_secret(SecretId="agent", Description="well again")
    engine.run_until(timedelta(days=10))
    assert engine.secret_text("agent") == SECOND
